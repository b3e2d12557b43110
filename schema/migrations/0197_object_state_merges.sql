-- As 0196.
ALTER TABLE object_state MODIFY SETTING min_age_to_force_merge_seconds = 86400
