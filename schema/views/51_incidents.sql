-- Incidents: the open exceptions of one code at one place, with number, value, place, age, owner and trend at as_of.
-- Parameters: as_of, scope. `trend` compares what opened and what closed in the hour before. The sentence is the detector's template.
SELECT
    incident, code, place, severity, workflow, n, value, oldest_at, newest_at, detected_at, owner, n_unacknowledged, n_past_sla,
    region, warehouse, carrier, customer, interface, object_type, object_id, reason, trace_id, opened_1h, closed_1h,
    multiIf(opened_1h > closed_1h AND opened_1h * 20 > n, 'growing', closed_1h > opened_1h AND closed_1h * 20 > n, 'draining', 'steady') AS trend
FROM
(
    SELECT
        incident, any(code) AS code, any(place) AS place,
        minIf(severity, needs_us) AS severity, any(workflow) AS workflow,
        countIf(needs_us) AS n, sumIf(value, needs_us) AS value,
        minIf(began_at, needs_us) AS oldest_at, maxIf(began_at, needs_us) AS newest_at, minIf(detected_at, needs_us) AS detected_at,
        topKIf(1)(owner, needs_us)[1] AS owner,
        countIf(needs_us AND n_verbs = 0) AS n_unacknowledged, countIf(needs_us AND is_past_sla) AS n_past_sla,
        if(uniqExactIf(region, needs_us) > 1, 'several regions', anyIf(region, needs_us)) AS region,
        if(uniqExactIf(warehouse, needs_us) > 1, 'several warehouses', anyIf(warehouse, needs_us)) AS warehouse,
        if(uniqExactIf(carrier, needs_us) > 1, 'several carriers', anyIf(carrier, needs_us)) AS carrier,
        if(uniqExactIf(customer, needs_us) > 1, 'several customers', anyIf(customer, needs_us)) AS customer,
        if(uniqExactIf(interface, needs_us) > 1, 'several interfaces', anyIf(interface, needs_us)) AS interface,
        anyIf(object_type, needs_us) AS object_type,
        argMinIf(object_id, began_at, needs_us) AS object_id,
        argMinIf(reason, began_at, needs_us) AS reason,
        argMaxIf(trace_id, began_at, needs_us AND trace_id != '') AS trace_id,
        countIf(i.detected_at > {as_of:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR) AS opened_1h,
        countIf(NOT is_open AND closed_at > {as_of:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR) AS closed_1h
    FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}) AS i
    GROUP BY incident
)
WHERE n > 0
