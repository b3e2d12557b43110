-- The invoices that are blocked at as_of, one by one: what each waits for, who owes it, who owns the next step, and since when (K25).
-- Parameters: as_of, scope, by. Blocked is what waits for its first unmet guard longer than the limit of `blocked_invoice` since the last
-- thing that did come, and what the receiver holds under query. Before the first guard is met nobody waits for an invoice.
WITH
    {as_of:DateTime64(3, 'UTC')} AS seen_at,
    (SELECT seconds FROM business_seconds(moment = {as_of:DateTime64(3, 'UTC')})) AS open_seen
SELECT
    w.object_id AS object_id, w.expected AS state, w.region AS region, w.warehouse AS warehouse, w.carrier AS carrier, w.customer AS customer,
    w.order_class AS order_class, w.value AS value, w.since AS since, w.series AS series, w.is_query AS is_query,
    assumeNotNull(if(w.clock = 'business', open_seen - w.open_since_s, dateDiff('millisecond', w.since, seen_at) / 1000)) AS waited_s, toUInt64(waited_s) AS age_s,
    if(w.is_query, 'answer to a query', g.name) AS waits_for,
    if(w.is_query, 'receiver', g.owed_by) AS owed_by,
    if(w.is_query, (SELECT any(owner) FROM gov_workflows WHERE has(object_types, 'invoice')), g.owner) AS owner
FROM
(
    SELECT *, next = expected AS is_query
    FROM waits(what = 'blocked_invoice', since = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})
    WHERE began_at <= seen_at AND gone_at > seen_at
) AS w
LEFT JOIN (SELECT (for_state || '|' || name)::String AS guard, toString(name) AS name, owed_by, owner FROM gov_guards WHERE object_type = 'invoice') AS g ON g.guard = w.next
WHERE w.is_query OR waited_s > w.limit_s
