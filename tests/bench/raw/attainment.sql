-- The promises of three workflows: share of what made its transition in time, of what made it in the window and was open past the limit at its
-- end. An order waits in business time, and not while a credit block lies over it: each end of a block begins another wait.
WITH
    toDateTime64(0, 3, 'UTC') AS never, toDateTime64('2299-12-31', 3, 'UTC') AS far,
    (SELECT mapFromArrays(groupArray(toString(workflow)), groupArray(slo_limit_s)) FROM gov_workflows) AS limits,
    days AS (SELECT 1 AS j, opens_at, open_s, toFloat64(open_before_s) AS before_s FROM gov_calendar WHERE calendar = 'business'),
    waits AS
    (
        SELECT
            'shipment_visibility' AS workflow, arrayFirst(x -> x.3 = 'departed', said).1 AS began_at, arrayFirst(x -> x.2 >= 50 AND x.6 = 0, history).1 AS done_at,
            arrayFirst(x -> x.3 IN ('returned', 'cancelled'), history).1 AS dropped_at
        FROM raw_objects(type = 'shipment')
        UNION ALL
        SELECT
            'invoice_readiness', s.delivered_at, arrayFirst(x -> x.2 >= 20 AND x.6 = 0, i.history).1, arrayFirst(x -> x.3 IN ('rejected', 'cancelled'), i.history).1
        FROM (SELECT object_id, history, links FROM raw_objects(type = 'invoice')) AS i
        INNER JOIN
        (
            SELECT n.object_id AS object_id, if(countIf(d.delivered_at = never) > 0, never, max(d.delivered_at)) AS delivered_at
            FROM (SELECT object_id, arrayJoin(arrayFilter(l -> l.1 = 'shipment', links)).2 AS shipment FROM raw_objects(type = 'invoice')) AS n
            LEFT JOIN (SELECT object_id, arrayFirst(x -> x.2 >= 70 AND x.6 = 0, history).1 AS delivered_at FROM raw_objects(type = 'shipment')) AS d ON d.object_id = n.shipment
            GROUP BY object_id
        ) AS s ON s.object_id = i.object_id
        UNION ALL
        SELECT 'order_orchestration', wait.1, done_at, wait.2
        FROM
        (
            SELECT
                arrayFirst(x -> x.3 = 'confirmed', said).1 AS first_at, arrayFirst(x -> x.2 >= 30 AND x.6 = 0, history).1 AS done_at,
                arrayFirst(x -> x.3 IN ('rejected', 'cancelled'), history).1 AS dropped_at,
                arraySort(arrayMap(x -> x.1, arrayFilter(x -> x.2 = 'credit_block', words))) AS sets,
                arraySort(arrayConcat(arrayMap(x -> x.1, arrayFilter(x -> x.2 = 'credit_block_cleared', words)),
                    arrayMap(x -> x.1, arrayFilter(x -> x.3 IN ('cancelled', 'closed'), said)))) AS clears,
                arrayMap(s -> arrayFirst(u -> u >= s, clears), sets) AS ends,
                arrayFilter((s, u, i) -> i = indexOf(ends, u), sets, ends, arrayEnumerate(sets)) AS holds,
                arrayDistinct(ends) AS holds_to,
                arrayFilter(t -> t != never AND NOT arrayExists((s, u) -> s <= t AND (u = never OR u > t), holds, holds_to),
                    arrayDistinct(arrayConcat([first_at], arrayFilter(u -> u > first_at, holds_to)))) AS starts,
                arrayJoin(if(first_at = never, [], arrayMap(t -> (t, arrayMin(arrayConcat(if(dropped_at = never, [], [dropped_at]), arrayFilter(s -> s > t, holds)))), starts))) AS wait
            FROM raw_objects(type = 'order')
        )
    )
SELECT workflow AS series, countIf(elapsed_s <= limits[workflow]) / count() AS value, count() AS n
FROM
(
    SELECT
        w.workflow AS workflow, w.is_open AS is_open,
        if(workflow = 'order_orchestration',
            b.before_s + least(dateDiff('millisecond', b.opens_at, w.seen_at) / 1000, b.open_s) - a.before_s - least(dateDiff('millisecond', a.opens_at, w.began_at) / 1000, a.open_s),
            dateDiff('millisecond', w.began_at, w.seen_at) / 1000) AS gone_s,
        greatest(0, gone_s) AS elapsed_s
    FROM
    (
        SELECT
            1 AS j, *, least(if(done_at = never, far, done_at), if(dropped_at = never, far, dropped_at)) AS gone_at,
            gone_at >= {to:DateTime64(3, 'UTC')} AS is_open, if(is_open, {to:DateTime64(3, 'UTC')}, gone_at) AS seen_at
        FROM waits
        WHERE began_at != never AND gone_at >= {from:DateTime64(3, 'UTC')} AND if(is_open, began_at < {to:DateTime64(3, 'UTC')}, gone_at = done_at)
    ) AS w
    ASOF LEFT JOIN days AS a ON a.j = w.j AND w.began_at >= a.opens_at
    ASOF LEFT JOIN days AS b ON b.j = w.j AND w.seen_at >= b.opens_at
)
WHERE NOT is_open OR elapsed_s > limits[workflow]
GROUP BY series
