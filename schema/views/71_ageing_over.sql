-- Open exceptions by age over a period: how many were open at each moment, in the buckets of `ageing`, and what they were worth.
-- Parameters: from, as_of, bucket_s, scope. Grain: moment x bucket. A moment is the end of a step; the last one is as_of itself.
-- A moment before anything was ever detected has no row: nobody looked yet, which is not the same as none open.
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    (SELECT min(detected_at) FROM exceptions) AS first_at,
    (
        SELECT groupArray({as_of:DateTime64(3, 'UTC')} - toIntervalSecond(number * {bucket_s:UInt32}))
        FROM numbers(toUInt64(intDiv(dateDiff('second', {from:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')}), {bucket_s:UInt32})))
    ) AS moments,
    counted AS
    (
        SELECT
            at, multiIf(dateDiff('second', began_at, at) < 14400, 1, dateDiff('second', began_at, at) < 86400, 2, dateDiff('second', began_at, at) < 259200, 3, 4) AS position,
            count() AS n_open, sum(value) AS value_open
        FROM known(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)})
        ARRAY JOIN moments AS at
        WHERE detected_at <= at AND (closed_at = never OR closed_at > at)
        GROUP BY at, position
    )
SELECT m.at AS at, m.position AS position, ['< 4 h', '4 – 24 h', '1 – 3 d', '> 3 d'][position] AS bucket, c.n_open AS n, c.value_open AS worth
FROM (SELECT arrayJoin(moments) AS at, arrayJoin([1, 2, 3, 4]) AS position WHERE at >= first_at AND first_at > never) AS m
LEFT JOIN counted AS c ON c.at = m.at AND c.position = m.position
