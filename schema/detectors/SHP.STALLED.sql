/*
title = "Shipment stalled at a facility"
definition = """
A shipment that stands in a facility state (at pickup, at a hub, in customs, at delivery) for longer than its limit `dwell`; it began
when the limit ran out. One of high value (tolerance `high_value`) counts as stalled already when its freshness limit has run out, and
is an incident of its own. Where a shipment of lower value goes stale before or as it outstays the dwell limit, it is SHP.STALE; no
shipment is both, and which of the two it is does not change while it stands."""
sentence = "{n} shipments ({value}) in {region} stand at a facility for too long; oldest {oldest} ({object}): {reason}"
action = "Call the facility, and release or rebook the shipment; tell the customer the new time."
kind = "object"
source = "domain.md 2.4 SHP.STALLED, 3 scenario 5"
*/
WITH
    (SELECT CAST((groupArray(mode), groupArray(limit_s)), 'Map(String, UInt32)') FROM gov_tolerances WHERE name = 'dwell') AS dwell,
    (SELECT any(target) FROM gov_tolerances WHERE name = 'high_value') AS high_value,
    s -> if(s < 3600, intDiv(s, 60) || ' min', intDiv(s, 3600) || ' h') AS spell,
    standing AS
    (
        SELECT
            object_id, tenant, region, warehouse, carrier, customer, order_class, mode, value, trace_id, state, state_at,
            value >= assumeNotNull(high_value) AS is_high,
            if(mapContains(dwell, mode), dwell[mode], dwell['']) AS dwell_s,
            assumeNotNull(state_at) + toIntervalSecond(dwell_s) AS dwelt_at,
            assumeNotNull(stale_after_s) AS stale_s,
            assumeNotNull(progressed_at) + toIntervalSecond(stale_s) AS stale_at,
            is_active AND stale_at <= dwelt_at AS is_stale_first,
            if(is_high AND is_stale_first, stale_at, dwelt_at) AS since
        FROM shipments(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [], by = '')
        WHERE is_facility AND NOT is_final
    ),
    found AS
    (
        SELECT * FROM standing WHERE since < {as_of:DateTime64(3, 'UTC')} AND (is_high OR NOT is_stale_first)
    )
SELECT
    f.object_id AS fingerprint,
    'shipment' AS object_type,
    f.object_id AS object_id,
    f.since AS began_at,
    replaceAll(f.state, '_', ' ') || ' for ' || spell(dateDiff('second', assumeNotNull(f.state_at), {as_of:DateTime64(3, 'UTC')}))
        || ', limit ' || if(f.since = f.dwelt_at, spell(f.dwell_s), spell(f.stale_s) || ' without progress')
        || if(f.is_high, ', high value', '') AS reason,
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
    if(f.is_high, f.object_id, f.region || '|' || f.warehouse)::String AS place,
    '' AS owner
FROM found AS f
