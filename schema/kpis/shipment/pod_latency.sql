/*
id         = "K09"
title      = "Proof-of-delivery latency"
definition = "p90 of the time from delivery to proof of delivery: of the proofs that came in the bucket, and of the deliveries that waited for theirs past the limit at its end, with their age then."
unit       = "seconds"
good       = "low"
target     = "proof_of_delivery"
by         = ["region", "carrier", "warehouse", "customer", "order_class", "mode", "tenant"]
owner      = "shipment_visibility"
shape      = "window"
source     = "domain.md K09"
*/
SELECT bucket, series, quantileExact(0.9)(elapsed_s) AS value, count() AS n
FROM steps(
    what = 'proof_of_delivery',
    from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
    bucket_s = {bucket_s:UInt32}, by = {by:String}, scope = {scope:Array(String)})
GROUP BY bucket, series
