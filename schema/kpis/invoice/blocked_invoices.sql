/*
id         = "K25"
title      = "Blocked invoices"
definition = "p90 age of the invoices blocked at that moment; n is how many. Blocked is what waits for its first unmet guard longer than the limit since the last thing that did come (an earlier guard, or invoice-ready), and what is under query. Before the first guard is met nobody waits for an invoice."
unit       = "seconds"
good       = "low"
target     = "blocked_invoice"
by         = ["guard", "region", "carrier", "warehouse", "customer", "order_class", "mode", "tenant"]
owner      = "invoice_readiness"
shape      = "gauge"
source     = "domain.md K25"
*/
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    {as_of:DateTime64(3, 'UTC')} AS seen_at,
    (SELECT any(limit_s) FROM gov_tolerances WHERE name = 'blocked_invoice' AND mode = '') AS blocked_after_s,
    (SELECT any(clock) FROM gov_tolerances WHERE name = 'blocked_invoice' AND mode = '') AS rule_clock,
    (SELECT seconds FROM business_seconds(moment = {as_of:DateTime64(3, 'UTC')})) AS open_seen
SELECT
    {from:DateTime64(3, 'UTC')} AS bucket,
    cut AS series,
    quantileExact(0.9)(age_s) AS value,
    count() AS n
FROM
(
    SELECT
        i.cut AS cut, i.is_query AS is_query,
        assumeNotNull(if(i.clock = 'business',
            open_seen - (toFloat64(c.open_before_s) + least(dateDiff('millisecond', c.opens_at, i.since) / 1000, c.open_s)),
            dateDiff('millisecond', i.since, seen_at) / 1000)) AS age_s
    FROM
    (
        SELECT
            state = 'under_query' AS is_query, toString(rule_clock) AS clock,
            arrayFilter(t -> t != never AND t <= seen_at, arraySlice(guard_at, 1, w - 1)) AS met,
            if(is_query, assumeNotNull(state_at), greatest(assumeNotNull(state_at), arrayMax(met))) AS since,
            toString(multiIf({by:String} != 'guard', series, is_query, 'under query', waits_for)) AS cut
        FROM invoices(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})
        WHERE is_query OR (waits_for != '' AND (ready_at IS NOT NULL OR notEmpty(met)))
    ) AS i
    ASOF LEFT JOIN business_clock AS c ON c.clock = i.clock AND i.since >= c.opens_at
    WHERE i.is_query OR age_s > blocked_after_s
)
WHERE {from:DateTime64(3, 'UTC')} < {to:DateTime64(3, 'UTC')} AND {bucket_s:UInt32} > 0
GROUP BY series
