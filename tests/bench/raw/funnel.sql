-- How many objects stand in each stage, by region: the canonical state of each now, and the shipments that are delayed.
WITH
    places AS (SELECT object_type, toString(stage) AS stage, arrayJoin(if(overlay = '', arrayMap(s -> toString(s), states), [toString(overlay)])) AS state FROM gov_stages),
    (SELECT arrayMap(s -> toString(s), any(cleared_by)) FROM gov_overlays WHERE object_type = 'shipment' AND overlay = 'delayed') AS ends
SELECT p.stage AS stage, toString(o.region) AS series, count() AS n
FROM
(
    SELECT 'order' AS object_type, region, history[-1].3 AS state FROM raw_objects(type = 'order')
    UNION ALL
    SELECT 'invoice', region, history[-1].3 FROM raw_objects(type = 'invoice')
    UNION ALL
    SELECT
        'shipment', region,
        arrayJoin(if(
            arrayMax(arrayMap(x -> x.1, arrayFilter(x -> x.2 = 'delayed', words)))
                > arrayMax(arrayMap(x -> x.1, arrayFilter(x -> has(ends, x.3), said))), [history[-1].3, 'delayed'], [history[-1].3]))
    FROM raw_objects(type = 'shipment')
) AS o
INNER JOIN places AS p ON p.object_type = o.object_type AND p.state = o.state
GROUP BY stage, series
