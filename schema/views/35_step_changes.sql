-- Waits by bucket: what ended in it, with how long it took, and what was open past its limit at its end, with its age then.
-- So a bucket says what a headline over it would have said at its end, and a total stop does not look like a perfect day.
-- Parameters: what, scope, by as in waits; from, to, as_of, bucket_s. Grain: wait x bucket in which it counts, and again with sign = -1
-- where it was taken back: whoever counts adds up `sign`, who wants each once asks `steps`. `series` is the cut `by`, of the waits also
-- 'workflow' or 'stage' (their name) and 'transition' (the stage and the state that came next, or is expected next); stages that lie over
-- others (delayed) count only in these. What was done in time is not open past its limit anywhere, nor is what came and went between two
-- ends of buckets open at one, so that most rows are only looked up.
WITH
    least({to:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')} + toIntervalMillisecond(1)) AS horizon,
    (
        SELECT groupArray((b.starts_at, b.until, b.seen_at, toFloat64(c.open_before_s) + least(dateDiff('millisecond', c.opens_at, b.seen_at) / 1000, c.open_s)))
        FROM
        (
            SELECT
                arrayJoin(range(toUInt64(greatest(0, ceil(dateDiff('millisecond', {from:DateTime64(3, 'UTC')}, horizon) / 1000 / {bucket_s:UInt32}))))) AS i,
                {from:DateTime64(3, 'UTC')} + toIntervalSecond(i * {bucket_s:UInt32}) AS starts_at,
                least(starts_at + toIntervalSecond({bucket_s:UInt32}), horizon) AS until,
                least(until, {as_of:DateTime64(3, 'UTC')}) AS seen_at,
                'business' AS clock
        ) AS b
        ASOF LEFT JOIN business_clock AS c ON c.clock = b.clock AND b.seen_at >= c.opens_at
    ) AS buckets
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
    SELECT m.1, true, m.2, name, object_id, cut, limit_s, next, expected, is_overlay, true, sign
    FROM
    (
        SELECT
            w.name AS name, w.object_id AS object_id, w.series AS cut, w.limit_s AS limit_s, w.next AS next, w.expected AS expected,
            w.is_overlay AS is_overlay, w.sign AS sign,
            arrayJoin(arrayFilter(m -> m.2 > w.limit_s, arrayMap(
                b -> (b.1, if(w.clock = 'business', b.4 - w.open_since_s, dateDiff('millisecond', w.since, b.3) / 1000)),
                arrayFilter(b -> w.began_at < b.2 AND w.gone_at >= b.2, buckets)))) AS m
        FROM wait_changes(what = {what:String}, since = {from:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String}) AS w
        WHERE NOT w.is_in_time
          AND (w.began_at < {from:DateTime64(3, 'UTC')} OR w.gone_at >= horizon
               OR milepost_bucket({from:DateTime64(3, 'UTC')}, {bucket_s:UInt32}, w.began_at) < milepost_bucket({from:DateTime64(3, 'UTC')}, {bucket_s:UInt32}, w.gone_at))
    )
)
WHERE NOT is_overlay OR {by:String} IN ('stage', 'transition')
