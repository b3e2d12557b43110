-- Waits by bucket: what ended in it, with how long it took, and what was open past its limit at its end, with its age then.
-- Parameters as in open_changes. Grain: wait x bucket in which it counts. `series` is the cut `by`, of the waits also 'workflow' or
-- 'stage' (their name) and 'transition' (the stage and the state that came next, or is expected next); stages that lie over others
-- (delayed) count only in these.
SELECT bucket, series, is_open, elapsed_s, limit_s, is_late
FROM
(
    SELECT
        bucket, multiIf({by:String} IN ('workflow', 'stage'), name, {by:String} = 'transition', concat(name, ' → ', then), cut) AS series,
        is_open, elapsed_s, limit_s, is_late, sum(sign) AS copies
    FROM
    (
        SELECT
            milepost_bucket({from:DateTime64(3, 'UTC')}, {bucket_s:UInt32}, gone_at) AS bucket, series AS cut, name, next AS then,
            false AS is_open, elapsed_s, limit_s, NOT is_in_time AS is_late, is_overlay, sign
        FROM wait_changes(what = {what:String}, since = {from:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})
        WHERE is_ended AND gone_at < {to:DateTime64(3, 'UTC')} AND gone_at <= {as_of:DateTime64(3, 'UTC')}
        UNION ALL
        SELECT
            bucket, series, name, expected, true,
            if(o.clock = 'business', b.open_before_s + least(dateDiff('millisecond', b.opens_at, seen_at) / 1000, b.open_s) - open_since_s, dateDiff('millisecond', since, seen_at) / 1000),
            limit_s, true, is_overlay, sign
        FROM open_changes(
            what = {what:String}, from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
            bucket_s = {bucket_s:UInt32}, by = {by:String}, scope = {scope:Array(String)}) AS o
        ASOF LEFT JOIN business_clock AS b ON b.clock = o.clock AND o.seen_at >= b.opens_at
    )
    WHERE NOT is_overlay OR {by:String} IN ('stage', 'transition')
    GROUP BY bucket, series, is_open, elapsed_s, limit_s, is_late
    HAVING copies > 0
)
ARRAY JOIN range(toUInt64(copies)) AS copy
