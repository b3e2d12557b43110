-- Waits that are open past their limit at the end of a bucket: a total stop does not look like a perfect day.
-- Parameters: what, scope, by as in waits; from, to, as_of, bucket_s. Grain: wait x bucket at whose end it is open, and again with
-- sign = -1 where it was taken back. `seen_at`: the end of the bucket, or as_of where that comes before.
WITH
    least({to:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')}) AS last_at,
    least({to:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')} + toIntervalMillisecond(1)) AS horizon,
    toUnixTimestamp64Milli({from:DateTime64(3, 'UTC')}) AS from_ms,
    toInt64({bucket_s:UInt32}) * 1000 AS step_ms,
    toInt64(ceil(greatest(0, toUnixTimestamp64Milli(horizon) - from_ms) / step_ms)) AS n_buckets
SELECT
    {from:DateTime64(3, 'UTC')} + toIntervalSecond(i * {bucket_s:UInt32}) AS bucket, least(bucket + toIntervalSecond({bucket_s:UInt32}), last_at) AS seen_at,
    series, name, since, open_since_s, clock, limit_s, expected, is_overlay, sign
FROM
(
    SELECT
        name, series, since, open_since_s, clock, limit_s, expected, is_overlay, sign,
        arrayJoin(range(
            greatest(0, intDiv(toUnixTimestamp64Milli(greatest(began_at, due_at)) - from_ms, step_ms)),
            if(gone_at < horizon, intDiv(toUnixTimestamp64Milli(gone_at) - from_ms, step_ms), n_buckets))) AS i
    FROM wait_changes(what = {what:String}, since = {from:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})
    -- What was done in time is past its limit at the end of no bucket.
    WHERE NOT is_in_time AND began_at < horizon AND due_at < last_at
)
