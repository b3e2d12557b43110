-- Waits by bucket: what ended in it, with how long it took, and what was open past its limit at its end, with its age then.
-- So a bucket says what a headline over it would have said at its end, and a total stop does not look like a perfect day.
-- Parameters: what, scope, by as in waits; from, to, as_of, bucket_s. Grain: wait x bucket in which it counts, and again with sign = -1
-- where it was taken back: whoever counts adds up `sign`, who wants each once asks `steps`. `series` is the cut `by`, of the waits also
-- 'workflow' or 'stage' (their name) and 'transition' (the stage and the state that came next, or is expected next); stages that lie over
-- others (delayed) count only in these. What was done in time is not open past its limit at the end of any bucket, so that most rows are
-- only counted. `ends`: when each bucket is looked at, and the business seconds up to then.
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
    bucket,
    multiIf({by:String} IN ('workflow', 'stage'), name, {by:String} = 'transition', concat(name, ' → ', if(is_open, expected, next)), cut) AS series,
    name, object_id, is_open, elapsed_s, limit_s, is_late, sign
FROM
(
    SELECT
        milepost_bucket({from:DateTime64(3, 'UTC')}, {bucket_s:UInt32}, gone_at) AS bucket, false AS is_open, elapsed_s,
        name, object_id, series AS cut, limit_s, next, expected, is_overlay, NOT is_in_time AS is_late, sign
    FROM wait_changes(what = {what:String}, since = {from:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})
    WHERE is_ended AND gone_at < horizon
    UNION ALL
    SELECT {from:DateTime64(3, 'UTC')} + toIntervalSecond(i * {bucket_s:UInt32}), true, age_s, name, object_id, cut, limit_s, next, expected, is_overlay, true, sign
    FROM
    (
        SELECT
            name, object_id, series AS cut, limit_s, next, expected, is_overlay, sign,
            arrayJoin(range(
                greatest(0, intDiv(dateDiff('millisecond', {from:DateTime64(3, 'UTC')}, began_at), {bucket_s:UInt32} * 1000)),
                if(gone_at < horizon, intDiv(dateDiff('millisecond', {from:DateTime64(3, 'UTC')}, gone_at), {bucket_s:UInt32} * 1000), n_buckets))) AS i,
            if(clock = 'business', ends[i + 1].2 - open_since_s, dateDiff('millisecond', since, ends[i + 1].1) / 1000) AS age_s
        FROM wait_changes(what = {what:String}, since = {from:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})
        WHERE NOT is_in_time AND began_at < horizon
    )
    WHERE age_s > limit_s
)
WHERE NOT is_overlay OR {by:String} IN ('stage', 'transition')
