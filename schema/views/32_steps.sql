-- Waits by bucket: what ended in it, with how long it took, and what was open past its limit at its end, with its age then.
-- So a bucket says what a headline over it would have said at its end, and a total stop does not look like a perfect day.
-- Parameters: those of waits; from, to, bucket_s. Grain: wait x bucket in which it counts. `series` is the cut `by`, of the waits also
-- 'workflow' or 'stage' (their name) and 'transition' (the stage and the state that came next, or is expected next).
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    (SELECT hours FROM business_hours) AS calendar,
    least({to:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')} + toIntervalMillisecond(1)) AS horizon,
    (
        SELECT groupArray((starts_at, until, least(until, {as_of:DateTime64(3, 'UTC')}) AS looked_at, milepost_open_s(calendar, looked_at)))
        FROM
        (
            SELECT
                arrayJoin(range(toUInt64(greatest(0, ceil(dateDiff('millisecond', {from:DateTime64(3, 'UTC')}, horizon) / 1000 / {bucket_s:UInt32}))))) AS i,
                {from:DateTime64(3, 'UTC')} + toIntervalSecond(i * {bucket_s:UInt32}) AS starts_at,
                least(starts_at + toIntervalSecond({bucket_s:UInt32}), horizon) AS until
        )
    ) AS buckets,
    (at, until, open_until) -> greatest(0., if(clock = 'business', open_until - milepost_open_s(calendar, at), dateDiff('millisecond', at, until) / 1000)) AS passed,
    moment -> greatest(began_at, arrayMax(arrayFilter(u -> u <= moment, block_to))) AS begun
SELECT
    m.1 AS bucket,
    multiIf({by:String} IN ('workflow', 'stage'), name, {by:String} = 'transition', concat(name, ' → ', if(m.2, expected, next)), cut) AS series,
    name, object_id, m.2 AS is_open, m.3 AS elapsed_s, limit_s, elapsed_s > limit_s AS is_late
FROM
(
    SELECT
        name, object_id, cut, limit_s, clock, next, expected,
        multiIf(ended_at = never, dropped_at, dropped_at = never, ended_at, least(ended_at, dropped_at)) AS gone_at,
        ended_at != never AND gone_at = ended_at AND ended_at >= {from:DateTime64(3, 'UTC')} AND ended_at < horizon AS is_ended,
        if(is_ended,
            [(milepost_bucket({from:DateTime64(3, 'UTC')}, {bucket_s:UInt32}, ended_at), false, passed(begun(ended_at), ended_at, milepost_open_s(calendar, ended_at)))],
            []) AS ended,
        arrayFilter(m -> m.3 > limit_s, arrayMap(b -> (b.1, true, passed(begun(b.3), b.3, b.4)), arrayFilter(
            b -> began_at < b.2 AND (gone_at = never OR gone_at >= b.2) AND NOT arrayExists((f, u) -> f <= b.3 AND (u = never OR u > b.3), block_from, block_to),
            buckets))) AS open,
        arrayJoin(arrayConcat(ended, open)) AS m
    FROM (
        SELECT *, series AS cut
        FROM waits(type = {type:String}, what = {what:String}, begins = {begins:String}, ends = {ends:String},
            as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})
    )
    WHERE gone_at = never OR gone_at >= {from:DateTime64(3, 'UTC')}
)
