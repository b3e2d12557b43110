/*
id         = "K12"
title      = "Order release latency"
definition = "p95 of the business time from when an order was accepted and unblocked to its release: of the orders released in the bucket, and of those unreleased past the limit at its end, with their age then. While a block lies over an order the time does not count."
unit       = "seconds"
good       = "low"
target     = "order_release"
by         = ["region", "carrier", "warehouse", "customer", "order_class", "mode", "tenant"]
owner      = "order_orchestration"
shape      = "window"
source     = "domain.md K12"
*/
SELECT bucket, series, quantileExact(0.95)(elapsed_s) AS value, count() AS n
FROM steps(
    what = 'order_release',
    from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
    bucket_s = {bucket_s:UInt32}, by = {by:String}, scope = {scope:Array(String)})
GROUP BY bucket, series
