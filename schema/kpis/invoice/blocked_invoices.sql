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
SELECT {from:DateTime64(3, 'UTC')} AS bucket, cut AS series, quantileExact(0.9)(waited_s) AS value, count() AS n
FROM
(
    SELECT waited_s, toString(multiIf({by:String} != 'guard', series, is_query, 'under query', waits_for)) AS cut
    FROM blocked_invoices(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})
)
WHERE {from:DateTime64(3, 'UTC')} < {to:DateTime64(3, 'UTC')} AND {bucket_s:UInt32} > 0
GROUP BY series
