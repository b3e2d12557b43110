-- The state gets another layout (0161); it is derived, and computed anew from the events.
DROP TABLE object_state
