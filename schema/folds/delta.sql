/*
What changed: for each object of touched (step 1) whose row is another than before, the old row cancelled by its own version
and the new one added, in one INSERT.
*/
INSERT INTO {state}
WITH old AS
(
    SELECT * FROM {state} FINAL
    PREWHERE (object_type, object_id) IN (SELECT object_type, object_id FROM touched WHERE step = 1)
)
SELECT * REPLACE (toInt8(-1) AS sign) FROM old
WHERE (object_type, object_id, digest) NOT IN (SELECT object_type, object_id, digest FROM state_new)
UNION ALL
SELECT * FROM state_new
WHERE (object_type, object_id, digest) NOT IN (SELECT object_type, object_id, digest FROM old)
