/*
id         = "K02"
title      = "Milestone ingestion latency"
definition = "p95 of the time from when a shipment milestone happened to when it was first stored, over the distinct milestones that happened in the bucket. Plans and estimates do not count, nor do times further ahead of our clock than the catalogue allows."
unit       = "seconds"
good       = "low"
target     = "milestone_ingestion"
by         = ["region", "carrier", "warehouse", "customer", "order_class", "mode", "tenant", "source", "system"]
owner      = "shipment_visibility"
shape      = "window"
source     = "domain.md K02"
*/
WITH (SELECT any(limit_s) FROM gov_tolerances WHERE name = 'future_clock' AND mode = '') AS ahead_s
SELECT
    milepost_bucket({from:DateTime64(3, 'UTC')}, {bucket_s:UInt32}, at) AS bucket,
    series,
    quantileExact(0.95)(greatest(0., dateDiff('millisecond', at, ingested_at) / 1000)) AS value,
    count() AS n
FROM said(
    from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
    by = {by:String}, scope = {scope:Array(String)})
WHERE object_type = 'shipment' AND classifier = 'ACT' AND at <= ingested_at + toIntervalSecond(ahead_s)
GROUP BY bucket, series
