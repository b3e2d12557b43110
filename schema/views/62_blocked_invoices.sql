-- The invoices that KPI K25 counts, one by one: what each waits for, who owes it, who owns the next step, and since when.
-- Parameters: as_of, scope. Blocked is what waits for its first unmet guard longer than the limit of `blocked_invoice` since the last
-- thing that did come, and what the receiver holds under query. Before the first guard is met nobody waits for an invoice.
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    {as_of:DateTime64(3, 'UTC')} AS seen_at,
    (SELECT any(limit_s) FROM gov_tolerances WHERE name = 'blocked_invoice' AND mode = '') AS blocked_after_s,
    (SELECT any(clock) FROM gov_tolerances WHERE name = 'blocked_invoice' AND mode = '') AS rule_clock,
    (SELECT seconds FROM business_seconds(moment = {as_of:DateTime64(3, 'UTC')})) AS open_seen
SELECT
    w.object_id AS object_id, w.state AS state, w.region AS region, w.warehouse AS warehouse, w.carrier AS carrier, w.customer AS customer,
    w.order_class AS order_class, w.value AS value, w.since AS since, w.age_s AS age_s,
    if(w.is_query, 'answer to a query', w.waits_for) AS waits_for,
    if(w.is_query, 'receiver', g.owed_by) AS owed_by,
    if(w.is_query, (SELECT any(owner) FROM gov_workflows WHERE has(object_types, 'invoice')), g.owner) AS owner
FROM
(
    SELECT
        i.*,
        toUInt64(assumeNotNull(if(i.clock = 'business',
            open_seen - (toFloat64(c.open_before_s) + least(dateDiff('millisecond', c.opens_at, i.since) / 1000, c.open_s)),
            dateDiff('millisecond', i.since, seen_at) / 1000))) AS age_s
    FROM
    (
        SELECT
            object_id, state, region, warehouse, carrier, customer, order_class, value, waits_for,
            (waits_to_be || '|' || waits_for)::String AS guard,
            state = 'under_query' AS is_query, toString(rule_clock) AS clock,
            arrayFilter(t -> t != never AND t <= seen_at, arraySlice(guard_at, 1, w - 1)) AS met,
            if(is_query, assumeNotNull(state_at), greatest(assumeNotNull(state_at), arrayMax(met))) AS since
        FROM invoices(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = '')
        WHERE is_query OR (waits_for != '' AND (ready_at IS NOT NULL OR notEmpty(met)))
    ) AS i
    ASOF LEFT JOIN business_clock AS c ON c.clock = i.clock AND i.since >= c.opens_at
    WHERE i.is_query OR age_s > blocked_after_s
) AS w
LEFT JOIN gov_guards AS g ON g.object_type = 'invoice' AND (g.for_state || '|' || g.name)::String = w.guard
