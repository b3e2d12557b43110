/*
id         = "K39"
title      = "Partner latency"
definition = "p95 of the time from request to response over the calls to a partner that began in the bucket, failed ones too."
unit       = "seconds"
good       = "low"
target     = "partner_latency"
by         = ["partner", "interface", "region"]
owner      = "platform"
shape      = "window"
source     = "domain.md K39"
*/
SELECT
    milepost_bucket({from:DateTime64(3, 'UTC')}, {bucket_s:UInt32}, at) AS bucket,
    series,
    quantileExact(0.95)(duration_ns / 1000000000) AS value,
    count() AS n
FROM calls(
    from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
    by = {by:String}, scope = {scope:Array(String)})
WHERE kind = 'Client' AND partner != ''
GROUP BY bucket, series
