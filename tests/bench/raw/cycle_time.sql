-- Cycle time of the funnel's stages: p90 of the stays that ended in the window and of those open past their limit at its end. A stay goes
-- from the state that enters a stage to the first one outside of it; one that a reversal ends does not count. Where the
-- stage's tolerance counts business time only that is counted.
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    (SELECT arrayMap(s -> toString(s), any(cleared_by)) FROM gov_overlays WHERE object_type = 'shipment' AND overlay = 'delayed') AS ends,
    (SELECT mapFromArrays(groupArray(toString(stage)), groupArray(limit_s)) FROM gov_stages) AS limits,
    (SELECT groupArray(object_type || '.' || state) FROM (SELECT object_type, arrayJoin(states) AS state, stage FROM gov_stages ORDER BY object_type, state)) AS state_names,
    (SELECT groupArray(toString(stage)) FROM (SELECT object_type, arrayJoin(states) AS state, stage FROM gov_stages ORDER BY object_type, state)) AS stage_names,
    (SELECT groupArray(toString(stage)) FROM gov_stages WHERE tolerance IN (SELECT name FROM gov_tolerances WHERE clock = 'business')) AS by_hours,
    days AS (SELECT 1 AS j, opens_at, open_s, toFloat64(open_before_s) AS before_s FROM gov_calendar WHERE calendar = 'business'),
    told AS
    (
        SELECT 'order' AS object_type, history FROM raw_objects(type = 'order')
        UNION ALL SELECT 'shipment', history FROM raw_objects(type = 'shipment')
        UNION ALL SELECT 'invoice', history FROM raw_objects(type = 'invoice')
    ),
    stays AS
    (
        SELECT
            arrayMap(x -> transform(object_type || '.' || x.3, state_names, stage_names, ''), history) AS places,
            arrayFilter(i -> i = 1 OR places[i] != places[i - 1], arrayEnumerate(history)) AS turns,
            arrayJoin(arrayFilter(s -> s.1 != '', arrayMap(
                (i, k) -> (places[i], history[i].1, if(k < length(turns), history[turns[k + 1]].1, never), k < length(turns) AND history[turns[k + 1]].6 = 1),
                turns, arrayEnumerate(turns)))) AS stay
        FROM told
        UNION ALL
        SELECT
            [], [], arrayJoin(arrayMap(u -> ('delayed', arrayMin(arrayFilter((s, e) -> e = u, sets, until)), u, false), arrayDistinct(until)))
        FROM
        (
            SELECT
                arrayMap(x -> x.1, arrayFilter(x -> x.2 = 'delayed', words)) AS sets,
                arraySort(arrayMap(x -> x.1, arrayFilter(x -> has(ends, x.3), said))) AS cleared,
                arrayMap(s -> arrayFirst(u -> u >= s, cleared), sets) AS until
            FROM raw_objects(type = 'shipment')
            WHERE notEmpty(sets)
        )
    )
SELECT series, quantileExact(0.9)(elapsed_s) AS value, count() AS n
FROM
(
    SELECT
        w.series AS series, w.is_open AS is_open, w.limit_s AS limit_s,
        greatest(0, if(w.is_business,
            b.before_s + least(dateDiff('millisecond', b.opens_at, w.seen_at) / 1000, b.open_s) - a.before_s - least(dateDiff('millisecond', a.opens_at, w.began_at) / 1000, a.open_s),
            dateDiff('millisecond', w.began_at, w.seen_at) / 1000)) AS elapsed_s
    FROM
    (
        SELECT
            1 AS j, stay.1 AS series, stay.2 AS began_at, limits[series] AS limit_s, has(by_hours, series) AS is_business,
            stay.3 = never OR stay.3 >= {to:DateTime64(3, 'UTC')} AS is_open, if(is_open, {to:DateTime64(3, 'UTC')}, stay.3) AS seen_at
        FROM stays
        WHERE if(is_open, began_at < {to:DateTime64(3, 'UTC')}, stay.3 >= {from:DateTime64(3, 'UTC')} AND NOT stay.4)
    ) AS w
    ASOF LEFT JOIN days AS a ON a.j = w.j AND w.began_at >= a.opens_at
    ASOF LEFT JOIN days AS b ON b.j = w.j AND w.seen_at >= b.opens_at
)
WHERE NOT is_open OR elapsed_s > limit_s
GROUP BY series
