/*
What changed: for each object of touched (step 3, put there because its row is another than before) the old row cancelled by its
own version and the new one added, in one INSERT.
*/
INSERT INTO object_state
SELECT * REPLACE (toInt8(-1) AS sign) FROM object_state FINAL
PREWHERE (object_type, object_id) IN (SELECT object_type, object_id FROM touched WHERE step = 3)
UNION ALL
SELECT * FROM state_new
WHERE (object_type, object_id) IN (SELECT object_type, object_id FROM touched WHERE step = 3)
