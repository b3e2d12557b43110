/*
id         = "K41"
title      = "Retry amplification"
definition = "Attempts divided by distinct messages of an interface, over the calls that began in the bucket. A message is known by its id, or else by its trace; its sending and its receipt, or a span told twice, are one attempt."
unit       = "ratio"
good       = "low"
target     = "retry_amplification"
by         = ["interface", "partner", "region"]
owner      = "platform"
shape      = "window"
source     = "domain.md K41"
*/
SELECT
    milepost_bucket({from:DateTime64(3, 'UTC')}, {bucket_s:UInt32}, at) AS bucket,
    series,
    uniqExact(interface, message, attempt) / n AS value,
    uniqExact(interface, message) AS n
FROM calls(
    from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
    by = {by:String}, scope = {scope:Array(String)})
GROUP BY bucket, series
