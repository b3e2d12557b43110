/*
id         = "K18"
title      = "Stage cycle time"
definition = "p90 of the time spent in a stage of the funnel: of the stays that ended in the bucket, and of those open past the stage's limit at its end, with their age then. Cancelled objects leave the count; an open stay counts under the transition that is expected next."
unit       = "seconds"
good       = "low"
target     = "stage_cycle"
by         = ["stage", "transition", "region", "carrier", "warehouse", "customer", "order_class", "mode", "tenant"]
owner      = "platform"
shape      = "window"
source     = "domain.md K18"
*/
SELECT bucket, series, quantileExact(0.9)(elapsed_s) AS value, count() AS n
FROM steps(
    what = 'stages',
    from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
    bucket_s = {bucket_s:UInt32}, by = {by:String}, scope = {scope:Array(String)})
GROUP BY bucket, series
