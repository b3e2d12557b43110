-- Each step once: what step_changes says, without what was taken back. Parameters as there. Grain: wait x bucket in which it counts.
SELECT bucket, series, is_open, elapsed_s, limit_s, is_late
FROM
(
    SELECT bucket, series, is_open, elapsed_s, limit_s, is_late, sum(sign) AS copies
    FROM step_changes(
        what = {what:String}, from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
        bucket_s = {bucket_s:UInt32}, by = {by:String}, scope = {scope:Array(String)})
    GROUP BY bucket, series, is_open, elapsed_s, limit_s, is_late
    HAVING copies > 0
)
ARRAY JOIN range(toUInt64(copies)) AS copy
