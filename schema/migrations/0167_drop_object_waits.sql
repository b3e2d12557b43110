-- Waits get another sort key (0168): they are computed again from the state.
DROP TABLE IF EXISTS object_waits
