/*
id         = "K27"
title      = "ERP posting delay"
definition = "p95 of the time from an invoice's creation to its posting in the ERP: of those posted in the bucket, and of those unposted past the limit at its end, with their age then."
unit       = "seconds"
good       = "low"
target     = "erp_posting"
by         = ["region", "carrier", "warehouse", "customer", "order_class", "mode", "tenant"]
owner      = "invoice_readiness"
shape      = "window"
source     = "domain.md K27"
*/
SELECT bucket, series, quantileExact(0.95)(elapsed_s) AS value, count() AS n
FROM steps(
    what = 'erp_posting',
    from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
    bucket_s = {bucket_s:UInt32}, by = {by:String}, scope = {scope:Array(String)})
GROUP BY bucket, series
