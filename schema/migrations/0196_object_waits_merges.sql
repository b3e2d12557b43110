-- What is older than a day becomes one part: pages read twenty columns of the waits, of each part. After a fold of everything there
-- are twelve of them, which the engine would leave so, and what pages ask takes a quarter longer.
ALTER TABLE object_waits MODIFY SETTING min_age_to_force_merge_seconds = 86400
