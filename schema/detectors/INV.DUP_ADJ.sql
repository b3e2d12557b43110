/*
title = "Duplicate inventory adjustment"
definition = """
A movement that was adjusted under the same business key (`correlation_id`) in the same tenant and warehouse as an earlier, other
movement at most `duplicate_adjustment` before it. Every surplus movement is one row; the first of them is right. The same event sent
twice is one movement and no duplicate. It began with the surplus adjustment. Only a retraction clears it: its posting to the ERP does
not mend it but carries it further. It is looked for in the window of the workflow inventory_synchronisation."""
sentence = "{n} inventory adjustments ({value}) in warehouse {warehouse} were made twice; oldest {oldest} ({object}): {reason}"
action = "Stop the posting of this warehouse's adjustments, reverse the surplus ones, and look at the last change of its system."
kind = "object"
source = "domain.md 2.4 INV.DUP_ADJ, 3 scenario 3"
*/
WITH
    {as_of:DateTime64(3, 'UTC')} AS asked_at,
    (SELECT any(limit_s) FROM gov_tolerances WHERE name = 'duplicate_adjustment' AND mode = '') AS apart_s,
    (SELECT any(slo_window_days) FROM gov_workflows WHERE workflow = 'inventory_synchronisation') AS window_days,
    s -> if(s < 3600, intDiv(s, 60) || ' min', intDiv(s, 3600) || ' h') AS spell,
    said AS
    (
        SELECT
            object_id, event_id,
            argMax((correlation_id, occurred_at, trace_id, is_retracted), (event_version, is_retracted, recorded_at)) AS e
        FROM events
        PREWHERE object_type = 'inventory' AND state = 'adjusted' AND occurred_at <= asked_at
            AND occurred_at > asked_at - toIntervalDay(window_days) - toIntervalSecond(apart_s)
        WHERE classifier = 'ACT'
        GROUP BY object_id, event_id
        HAVING e.1 != '' AND NOT e.4
    ),
    keyed AS
    (
        SELECT object_id, argMin(e.1, (e.2, event_id)) AS business_key, argMaxIf(e.3, e.2, e.3 != '') AS trace_id FROM said GROUP BY object_id
    ),
    ordered AS
    (
        SELECT
            m.object_id AS object_id, m.tenant AS tenant, m.region AS region, m.warehouse AS warehouse, m.carrier AS carrier, m.customer AS customer,
            m.order_class AS order_class, m.mode AS mode, m.value AS value, k.business_key AS business_key, k.trace_id AS trace_id, assumeNotNull(m.adjusted_at) AS at,
            lagInFrame(m.object_id) OVER twins AS twin, lagInFrame(at) OVER twins AS twin_at
        FROM movements(as_of = {as_of:DateTime64(3, 'UTC')},
            since = {as_of:DateTime64(3, 'UTC')} - toIntervalDay(assumeNotNull(window_days)) - toIntervalSecond(assumeNotNull(apart_s)), scope = [], by = '') AS m
        INNER JOIN keyed AS k ON k.object_id = m.object_id
        WHERE m.adjusted_at IS NOT NULL
        WINDOW twins AS (PARTITION BY m.tenant, m.warehouse, k.business_key ORDER BY at, m.object_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    )
SELECT
    f.object_id AS fingerprint,
    'inventory' AS object_type,
    f.object_id AS object_id,
    f.at AS began_at,
    'same key ' || f.business_key || ' as ' || f.twin || ', ' || spell(dateDiff('second', f.twin_at, f.at)) || ' after it' AS reason,
    toFloat64(abs(f.value)) AS value,
    f.tenant::String AS tenant,
    f.region::String AS region,
    f.warehouse::String AS warehouse,
    f.carrier::String AS carrier,
    f.customer::String AS customer,
    f.order_class::String AS order_class,
    f.mode::String AS mode,
    '' AS interface,
    f.trace_id AS trace_id,
    f.warehouse::String AS place,
    '' AS owner
FROM ordered AS f
WHERE f.twin != '' AND f.at <= f.twin_at + toIntervalSecond(apart_s) AND f.at > asked_at - toIntervalDay(window_days)
