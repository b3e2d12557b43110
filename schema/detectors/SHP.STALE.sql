/*
title = "No shipment progress"
definition = """
A shipment under way (loaded to at delivery) whose last progress, a new milestone or a new place, is older than its mode's limit
`shipment_status`. Received late, sent twice or an estimate is no progress. It began when the limit ran out. One shipment is never
both stale and stalled: at a facility it is SHP.STALLED where the dwell limit ran out first or its value is high, else it is stale."""
sentence = "{n} shipments ({value}) of {carrier} in {region} show no progress; oldest {oldest}"
action = "Ask the carrier where the shipments are, and check the interface that carries its milestones."
kind = "object"
source = "domain.md 1 K01, 2.4 SHP.STALE"
*/
WITH
    (SELECT CAST((groupArray(mode), groupArray(limit_s)), 'Map(String, UInt32)') FROM gov_tolerances WHERE name = 'dwell') AS dwell,
    (SELECT any(target) FROM gov_tolerances WHERE name = 'high_value') AS high_value,
    s -> if(s < 3600, intDiv(s, 60) || ' min', intDiv(s, 3600) || ' h') AS spell,
    found AS
    (
        SELECT
            object_id, tenant, region, warehouse, carrier, customer, order_class, mode, value, trace_id, progressed_at,
            assumeNotNull(stale_after_s) AS stale_s,
            assumeNotNull(progressed_at) + toIntervalSecond(stale_s) AS stale_at,
            assumeNotNull(state_at) + toIntervalSecond(if(mapContains(dwell, mode), dwell[mode], dwell[''])) AS dwelt_at
        FROM shipments(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [], by = '')
        WHERE is_stale AND NOT (is_facility AND (value >= high_value OR dwelt_at < stale_at))
    )
SELECT
    f.object_id AS fingerprint,
    'shipment' AS object_type,
    f.object_id AS object_id,
    f.stale_at AS began_at,
    'no progress for ' || spell(dateDiff('second', assumeNotNull(f.progressed_at), {as_of:DateTime64(3, 'UTC')}))
        || ', limit ' || spell(f.stale_s) || if(f.mode = '', '', ' (' || f.mode || ')') AS reason,
    toFloat64(f.value) AS value,
    f.tenant::String AS tenant,
    f.region::String AS region,
    f.warehouse::String AS warehouse,
    f.carrier::String AS carrier,
    f.customer::String AS customer,
    f.order_class::String AS order_class,
    f.mode::String AS mode,
    '' AS interface,
    f.trace_id AS trace_id,
    (f.region || '|' || f.carrier)::String AS place,
    '' AS owner
FROM found AS f
