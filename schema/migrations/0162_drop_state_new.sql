-- As object_state, whose rows it takes before they count.
DROP TABLE state_new
