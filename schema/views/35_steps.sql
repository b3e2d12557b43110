-- Waits by bucket: what ended in it, with how long it took, and what was open past its limit at its end, with its age then.
-- So a bucket says what a headline over it would have said at its end, and a total stop does not look like a perfect day.
-- Parameters: those of waits; from, to, as_of, bucket_s. Grain: wait x bucket in which it counts. `series` is the cut `by`, of the waits also
-- 'workflow' or 'stage' (their name) and 'transition' (the stage and the state that came next, or is expected next).
WITH
    toDateTime64(0, 3, 'UTC') AS never,
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
    m.1 AS bucket,
    multiIf({by:String} IN ('workflow', 'stage'), name, {by:String} = 'transition', concat(name, ' → ', if(m.2, expected, next)), cut) AS series,
    name, object_id, m.2 AS is_open, m.3 AS elapsed_s, limit_s, elapsed_s > limit_s AS is_late
FROM
(
    SELECT
        name, object_id, cut, limit_s, next, expected,
        if(is_ended,
            [(milepost_bucket({from:DateTime64(3, 'UTC')}, {bucket_s:UInt32}, ended_at), false,
              greatest(0., if(clock = 'business', open_at_end - open_at_begin, dateDiff('millisecond', began_at, ended_at) / 1000)))],
            []) AS ended,
        arrayFilter(m -> m.3 > limit_s, arrayMap(
            b -> (b.1, true, if(clock = 'business', b.4 - open_at_begin, dateDiff('millisecond', began_at, b.3) / 1000)),
            arrayFilter(b -> began_at < b.2 AND (gone_at = never OR gone_at >= b.2), buckets))) AS open,
        arrayJoin(arrayConcat(ended, open)) AS m
    FROM
    (
        SELECT
            w.name AS name, w.object_id AS object_id, w.series AS cut, w.limit_s AS limit_s, w.clock AS clock, w.next AS next, w.expected AS expected,
            w.began_at AS began_at, w.ended_at AS ended_at, w.gone_at AS gone_at,
            w.ended_at != never AND w.gone_at = w.ended_at AND w.ended_at >= {from:DateTime64(3, 'UTC')} AND w.ended_at < horizon AS is_ended,
            toFloat64(c.open_before_s) + least(dateDiff('millisecond', c.opens_at, w.began_at) / 1000, c.open_s) AS open_at_begin,
            toFloat64(d.open_before_s) + least(dateDiff('millisecond', d.opens_at, w.ended_at) / 1000, d.open_s) AS open_at_end
        FROM
        (
            SELECT *
            FROM waits(types = {types:Array(String)}, what = {what:String}, begins = {begins:String}, ends = {ends:String},
                since = {from:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})
            WHERE gone_at = never OR gone_at >= {from:DateTime64(3, 'UTC')}
        ) AS w
        ASOF LEFT JOIN business_clock AS c ON c.clock = w.clock AND w.began_at >= c.opens_at
        ASOF LEFT JOIN business_clock AS d ON d.clock = w.clock AND w.ended_at >= d.opens_at
    )
)
