/*
title = "Order overdue for release"
definition = """
An order that is confirmed, not released and under no block, for longer than the tolerance `order_release`, counted from its
confirmation or from the end of its last block, whichever is later. Where the tolerance says so only business time counts. It began
when the limit ran out. The reason names the first guard that is not met, and whoever owes that guard owns it."""
sentence = "{n} orders ({value}) in {region} are overdue for release; oldest {oldest} ({object}): {reason}"
action = "Release the orders in the warehouse system, or put the block on them that keeps them back."
kind = "object"
source = "domain.md 1 K12, 2.4 ORD.RELEASE_LATE, 2.6"
*/
WITH
    (SELECT CAST((groupArray(mode), groupArray(limit_s)), 'Map(String, UInt32)') FROM gov_tolerances WHERE name = 'order_release') AS limits,
    assumeNotNull((SELECT any(clock) FROM gov_tolerances WHERE name = 'order_release')) = 'business' AS is_business,
    (SELECT groupArray(overlay::String) FROM gov_overlays WHERE object_type = 'order' AND is_block) AS blocks_known,
    (SELECT CAST((groupArray((for_state || '|' || name)::String), groupArray(owner::String)), 'Map(String, String)') FROM gov_guards WHERE object_type = 'order') AS guard_owners,
    s -> if(s < 3600, intDiv(s, 60) || ' min', intDiv(s, 3600) || ' h') || if(is_business, ' of business time', '') AS spell,
    days AS
    (
        SELECT 1 AS j, opens_at, open_s * 1000 AS open_ms, open_before_s * 1000 AS open_before_ms
        FROM gov_calendar
        WHERE calendar = if(is_business, 'business', 'always')
    ),
    assumeNotNull((
        SELECT argMax(open_before_ms + least(greatest(dateDiff('millisecond', opens_at, {as_of:DateTime64(3, 'UTC')}), 0), open_ms), opens_at)
        FROM days WHERE opens_at <= {as_of:DateTime64(3, 'UTC')}
    )) AS asked_ms,
    waiting AS
    (
        SELECT
            object_id, tenant, region, warehouse, carrier, customer, order_class, mode, value, trace_id, waits_for, waits_to_be, 1 AS j,
            if(mapContains(limits, mode), limits[mode], limits['']) AS limit_s,
            arrayMax(arrayFilter((t, name) -> has(blocks_known, name) AND t <= {as_of:DateTime64(3, 'UTC')}, hold_to, hold_name)) AS unblocked_at,
            greatest(assumeNotNull(state_at), unblocked_at) AS since
        FROM orders(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [], by = '')
        WHERE state = 'confirmed' AND NOT is_blocked
    ),
    found AS
    (
        SELECT
            w.*,
            d.open_before_ms + least(dateDiff('millisecond', d.opens_at, w.since), d.open_ms) AS since_ms,
            toUInt64(since_ms + w.limit_s * 1000) AS due_ms
        FROM waiting AS w
        ASOF LEFT JOIN days AS d ON d.j = w.j AND d.opens_at <= w.since
        WHERE asked_ms > due_ms
    )
SELECT
    f.object_id AS fingerprint,
    'order' AS object_type,
    f.object_id AS object_id,
    d.opens_at + toIntervalMillisecond(f.due_ms - d.open_before_ms) AS began_at,
    if(f.unblocked_at = f.since, 'unblocked for ', 'confirmed for ') || spell(intDiv(asked_ms - f.since_ms, 1000)) || ', limit '
        || spell(f.limit_s) || if(f.waits_for = '', '', '; waits for ' || f.waits_for) AS reason,
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
    (f.region || '|' || f.waits_for)::String AS place,
    guard_owners[f.waits_to_be || '|' || f.waits_for] AS owner
FROM found AS f
ASOF LEFT JOIN (SELECT * FROM days WHERE open_ms > 0) AS d ON d.j = f.j AND d.open_before_ms < f.due_ms
