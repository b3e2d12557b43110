-- Waits that are open past their limit at the end of a bucket, with their age then: a total stop does not look like a perfect day.
-- Parameters: what, scope, by as in waits; from, to, as_of, bucket_s. Grain: wait x bucket at whose end it is open, and again with
-- sign = -1 where it was taken back. What was done in time is not open past its limit at the end of any bucket.
-- `ends`: when each bucket is looked at, and the business seconds up to then.
WITH
    least({to:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')} + toIntervalMillisecond(1)) AS horizon,
    toInt64(ceil(greatest(0, dateDiff('millisecond', {from:DateTime64(3, 'UTC')}, horizon)) / 1000 / {bucket_s:UInt32})) AS n_buckets,
    (
        SELECT arrayMap(t -> (t, arrayMax(d -> if(d.1 <= t, d.2 + least(dateDiff('millisecond', d.1, t) / 1000, d.3), 0), days)), seen)
        FROM
        (
            SELECT
                arrayMap(i -> least({from:DateTime64(3, 'UTC')} + toIntervalSecond(i * {bucket_s:UInt32}), horizon, {as_of:DateTime64(3, 'UTC')}), range(1, n_buckets + 1)) AS seen,
                groupArray((opens_at, open_before_s, open_s)) AS days
            FROM business_clock
        )
    ) AS ends
SELECT
    {from:DateTime64(3, 'UTC')} + toIntervalSecond(i * {bucket_s:UInt32}) AS bucket, series, name, object_id, age_s, limit_s, expected, is_overlay, sign
FROM
(
    SELECT
        name, object_id, series, limit_s, expected, is_overlay, sign,
        arrayJoin(range(
            greatest(0, intDiv(dateDiff('millisecond', {from:DateTime64(3, 'UTC')}, began_at), {bucket_s:UInt32} * 1000)),
            if(gone_at < horizon, intDiv(dateDiff('millisecond', {from:DateTime64(3, 'UTC')}, gone_at), {bucket_s:UInt32} * 1000), n_buckets))) AS i,
        if(clock = 'business', ends[i + 1].2 - open_since_s, dateDiff('millisecond', since, ends[i + 1].1) / 1000) AS age_s
    FROM wait_changes(what = {what:String}, since = {from:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})
    WHERE NOT is_in_time AND began_at < horizon
)
WHERE age_s > limit_s
