-- As 0193: a day of calls that is over becomes one part.
ALTER TABLE interface_calls MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1
