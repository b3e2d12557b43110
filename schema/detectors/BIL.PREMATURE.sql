/*
title = "Invoiced before the shipment was confirmed"
definition = """
An invoice that was created (or posted, or went further) while a guard on its shipments for the state `created`, the departure, was not
met or was met only later; it began when it was invoiced. It stays until the invoice is rejected, cancelled or paid, or a late event
shows that the departure came first, at most for the window of the workflow invoice_readiness. An invoice that names no shipment is
not judged: nothing is known of its departure."""
sentence = "{n} invoices ({value}) in {region} were issued before the shipment departed; oldest {oldest} ({object}): {reason}"
action = "Hold the invoices back or cancel them until the shipment has departed, and find the run that created them."
kind = "object"
source = "domain.md 2.4 BIL.PREMATURE, 3 scenario 6"
*/
WITH
    {as_of:DateTime64(3, 'UTC')} AS asked_at,
    toDateTime64(0, 3, 'UTC') AS never,
    (SELECT any(slo_window_days) FROM gov_workflows WHERE workflow = 'invoice_readiness') AS window_days,
    (SELECT CAST((groupArray((for_state || '|' || name)::String), groupArray(owner::String)), 'Map(String, String)')
     FROM gov_guards WHERE object_type = 'invoice' AND for_state = 'created' AND on_type = 'shipment' AND state != '') AS guards,
    (SELECT groupArray(state::String) FROM gov_states WHERE object_type = 'invoice' AND is_reversal) AS undoing,
    (SELECT groupArray(state::String) FROM gov_states WHERE object_type = 'invoice' AND NOT is_reversal
     AND rank >= (SELECT any(rank) FROM gov_states WHERE object_type = 'invoice' AND state = 'created')) AS issued,
    s -> if(s < 3600, intDiv(s, 60) || ' min', intDiv(s, 3600) || ' h') AS spell,
    found AS
    (
        SELECT
            object_id, tenant, region, warehouse, carrier, customer, order_class, mode, value, trace_id,
            arrayMax(arrayFilter((t, s) -> t <= asked_at AND has(undoing, s), h_at, h_state)) AS undone_at,
            arrayFirst((t, s) -> t <= asked_at AND t > undone_at AND has(issued, s), h_at, h_state) AS issued_at,
            h_state[indexOf(h_at, issued_at)] AS issued_as,
            arrayFirst((g, t) -> mapContains(guards, (g.1 || '|' || g.2)::String) AND (t = never OR t > issued_at), arrayZip(guard_for, guard_name, guard_at), guard_at) AS guard
        FROM invoices(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [], by = '')
        WHERE has(link_type, 'shipment') AND NOT is_final AND issued_at > asked_at - toIntervalDay(window_days) AND guard.2 != ''
    )
SELECT
    f.object_id AS fingerprint,
    'invoice' AS object_type,
    f.object_id AS object_id,
    f.issued_at AS began_at,
    f.issued_as || ' ' || if(f.guard.3 = never OR f.guard.3 > asked_at,
        spell(dateDiff('second', f.issued_at, asked_at)) || ' ago without ' || f.guard.2,
        spell(dateDiff('second', f.issued_at, f.guard.3)) || ' before ' || f.guard.2) AS reason,
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
    f.region::String AS place,
    guards[f.guard.1 || '|' || f.guard.2] AS owner
FROM found AS f
