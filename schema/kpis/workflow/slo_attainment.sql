/*
id         = "K48"
title      = "Workflow objective attainment"
definition = "Share of objects that made their workflow's promised transition within its limit, of those that made it in the bucket and those open past the limit at its end. Cancelled objects leave the count."
unit       = "ratio"
good       = "high"
target     = "workflow_attainment"
by         = ["workflow", "region", "carrier", "warehouse", "customer", "order_class", "mode", "tenant"]
owner      = "platform"
shape      = "window"
source     = "domain.md K48"
*/
SELECT bucket, series, sum(n_in_time) / sum(c.n) AS value, toUInt64(sum(c.n)) AS n
FROM step_counts(
    what = 'workflows',
    from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
    bucket_s = {bucket_s:UInt32}, by = {by:String}, scope = {scope:Array(String)}) AS c
WHERE milepost_in({scope:Array(String)}, 'workflow', name)
GROUP BY bucket, series
HAVING n > 0
