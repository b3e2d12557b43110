/*
id         = "K42"
title      = "Duplicate event rate"
definition = "Share of the distinct events of the bucket that say what an earlier one said: same object, type, time, state, code, system, place, amount and quantity under another event id. The same event sent again is a transport retry, changes nothing and is shown at the intake."
unit       = "ratio"
good       = "low"
target     = "duplicate_events"
by         = ["source", "system", "region", "carrier", "warehouse", "customer", "order_class", "mode", "tenant"]
owner      = "platform"
shape      = "window"
source     = "domain.md K42"
*/
SELECT bucket, told.3 AS series, countIf(position > 1) / count() AS value, count() AS n
FROM
(
    SELECT
        milepost_bucket({from:DateTime64(3, 'UTC')}, {bucket_s:UInt32}, at) AS bucket,
        arraySort(groupArray((ingested_at, event_id, series))) AS tellings
    FROM said(
        from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
        by = {by:String}, scope = {scope:Array(String)})
    GROUP BY
        bucket,
        sipHash128(object_type, object_id, event_type, classifier, at, state, source_code, system, location, amount, quantity)
)
ARRAY JOIN tellings AS told, arrayEnumerate(tellings) AS position
GROUP BY bucket, series
