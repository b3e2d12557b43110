-- The rows that a refresh round has computed, before they are held against the current ones. Emptied at each round.
CREATE TABLE state_new AS object_state ENGINE = Memory
