/*
id         = "K52"
title      = "Observability coverage"
definition = "Share of the distinct events of the bucket that carry a trace beside their business key, so that business and telemetry can be joined."
unit       = "ratio"
good       = "high"
target     = "observability_coverage"
by         = ["source", "system", "region", "carrier", "warehouse", "customer", "order_class", "mode", "tenant"]
owner      = "platform"
shape      = "window"
source     = "domain.md K52"
*/
SELECT
    milepost_bucket({from:DateTime64(3, 'UTC')}, {bucket_s:UInt32}, at) AS bucket,
    series,
    countIf(trace_id != '') / count() AS value,
    count() AS n
FROM said(
    from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
    by = {by:String}, scope = {scope:Array(String)})
GROUP BY bucket, series
