/*
id         = "K06"
title      = "On-time delivery"
definition = "Share of shipments delivered by the end of the committed time, of those delivered in the bucket and those open past their commitment at its end. Shipments without a commitment do not count."
unit       = "ratio"
good       = "high"
target     = "on_time_delivery"
by         = ["region", "carrier", "warehouse", "customer", "order_class", "mode", "tenant"]
owner      = "shipment_visibility"
shape      = "window"
source     = "domain.md K06"
*/
SELECT bucket, series, sum(n_in_time) / sum(c.n) AS value, toUInt64(sum(c.n)) AS n
FROM step_counts(
    what = 'on_time_delivery',
    from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
    bucket_s = {bucket_s:UInt32}, by = {by:String}, scope = {scope:Array(String)}) AS c
GROUP BY bucket, series
HAVING n > 0
