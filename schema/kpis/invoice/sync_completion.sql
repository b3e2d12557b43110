/*
id         = "K24"
title      = "Invoice sync completion"
definition = "Share of invoice-ready objects whose invoice was posted and acknowledged within the limit in business time, of those acknowledged in the bucket and those open past the limit at its end."
unit       = "ratio"
good       = "high"
target     = "invoice_sync"
by         = ["region", "carrier", "warehouse", "customer", "order_class", "mode", "tenant"]
owner      = "invoice_readiness"
shape      = "window"
source     = "domain.md K24"
*/
SELECT bucket, series, sum(n_in_time) / sum(c.n) AS value, toUInt64(sum(c.n)) AS n
FROM step_counts(
    what = 'invoice_sync',
    from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
    bucket_s = {bucket_s:UInt32}, by = {by:String}, scope = {scope:Array(String)}) AS c
GROUP BY bucket, series
HAVING n > 0
