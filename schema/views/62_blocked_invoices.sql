-- Invoices that wait for too long on their way to being posted, each with its first unmet guard, who owes it and since when.
-- Parameters: as_of, scope. Blocked: a guard up to `posted` is unmet and the one before it was met longer ago than the limit of
-- `blocked_invoice`; or the receiver holds it under query. Goods that are not delivered yet are a matter of the shipment and block no
-- invoice. `since` is when the wait began.
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    (SELECT any(limit_s) FROM gov_tolerances WHERE name = 'blocked_invoice' AND mode = '') AS limit_s,
    (SELECT any(rank) FROM gov_states WHERE object_type = 'invoice' AND state = 'posted') AS posted_rank,
    (SELECT any(rank) FROM gov_states WHERE object_type = 'shipment' AND state = 'delivered') AS delivered_rank,
    waiting AS
    (
        SELECT
            object_id, state, region, warehouse, carrier, customer, order_class, value, currency, link_type, link_id,
            (waits_to_be || '|' || waits_for)::String AS guard,
            state = 'under_query' AS is_query,
            arrayMax(arrayFilter((t, i) -> i < w AND t <= {as_of:DateTime64(3, 'UTC')}, guard_at, arrayEnumerate(guard_at))) AS met_at,
            greatest(met_at, assumeNotNull(state_at)) AS since,
            waits_for
        FROM invoices(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = '')
        WHERE (w > 0 AND rank < posted_rank) OR state = 'under_query'
    )
SELECT
    w.object_id AS object_id, w.state AS state, w.region AS region, w.warehouse AS warehouse, w.carrier AS carrier, w.customer AS customer,
    w.order_class AS order_class, w.value AS value, w.since AS since,
    dateDiff('second', w.since, {as_of:DateTime64(3, 'UTC')}) AS age_s,
    if(w.is_query, 'query of the receiver', w.waits_for) AS waits_for,
    if(w.is_query, 'receiver', g.owed_by) AS owed_by,
    if(w.is_query, (SELECT any(owner) FROM gov_workflows WHERE has(object_types, 'invoice')), g.owner) AS owner
FROM waiting AS w
LEFT JOIN gov_guards AS g ON g.object_type = 'invoice' AND (g.for_state || '|' || g.name)::String = w.guard
WHERE age_s > limit_s AND (w.is_query OR NOT (g.on_type = 'shipment' AND g.state != '' AND g.rank <= delivered_rank))
