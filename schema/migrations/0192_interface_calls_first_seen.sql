-- The same for the parts that are there, in the background.
ALTER TABLE interface_calls MATERIALIZE PROJECTION first_seen
