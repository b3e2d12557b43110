-- As 0196: a round reads the rows of what was touched in every part.
ALTER TABLE object_own MODIFY SETTING min_age_to_force_merge_seconds = 86400
