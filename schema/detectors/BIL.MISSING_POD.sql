/*
title = "Invoice waits for proof of delivery"
definition = """
An invoice whose first unmet guard is the proof of delivery of its shipments (the guard on the shipment state `pod_received`, whatever
its name), while their delivery was confirmed longer ago than the limit of `blocked_invoice`. It began when that limit ran out. A late
proof, a cancelled invoice or a delivery that was retracted clears it."""
sentence = "{n} invoices ({value}) in {region} wait for proof of delivery from {carrier}; oldest {oldest}"
action = "Ask the carrier for the missing proofs of delivery, and check the interface that carries them."
kind = "object"
source = "domain.md 2.4 BIL.MISSING_POD, 2.6, 3 scenario 2"
*/
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    (SELECT CAST((groupArray(mode), groupArray(limit_s)), 'Map(String, UInt32)') FROM gov_tolerances WHERE name = 'blocked_invoice') AS limits,
    (SELECT CAST((groupArray((for_state || '|' || name)::String), groupArray(owner::String)), 'Map(String, String)')
     FROM gov_guards WHERE object_type = 'invoice' AND on_type = 'shipment' AND state = 'pod_received') AS proofs,
    (SELECT groupArray((for_state || '|' || name)::String)
     FROM gov_guards WHERE object_type = 'invoice' AND on_type = 'shipment' AND state = 'delivered') AS deliveries,
    s -> if(s < 3600, intDiv(s, 60) || ' min', intDiv(s, 3600) || ' h') AS spell,
    found AS
    (
        SELECT
            object_id, tenant, region, warehouse, carrier, customer, order_class, mode, value, trace_id, waits_for,
            (waits_to_be || '|' || waits_for)::String AS guard,
            arrayFirst((t, state, name) -> has(deliveries, (state || '|' || name)::String), guard_at, guard_for, guard_name) AS delivered_at,
            delivered_at + toIntervalSecond(if(mapContains(limits, mode), limits[mode], limits[''])) AS due_at
        FROM invoices(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [], by = '')
        WHERE mapContains(proofs, guard) AND delivered_at != never AND due_at < {as_of:DateTime64(3, 'UTC')}
    )
SELECT
    f.object_id AS fingerprint,
    'invoice' AS object_type,
    f.object_id AS object_id,
    f.due_at AS began_at,
    'delivered ' || spell(dateDiff('second', f.delivered_at, {as_of:DateTime64(3, 'UTC')})) || ' ago, no ' || f.waits_for AS reason,
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
    proofs[f.guard] AS owner
FROM found AS f
