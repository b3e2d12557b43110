-- A month that is over becomes one part: nothing is written into it any more, and the engine would leave it in seven or so, of each
-- of which whoever looks for one object opens every column.
ALTER TABLE events MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1
