/*
id         = "K01"
title      = "Shipment status staleness"
definition = "Share of the shipments on the road at that moment whose last progress (a new state or a new place, not a repeated estimate) is older than the limit of their mode."
unit       = "ratio"
good       = "low"
target     = "shipment_status"
by         = ["region", "carrier", "warehouse", "customer", "order_class", "mode", "tenant"]
owner      = "shipment_visibility"
shape      = "gauge"
source     = "domain.md K01"
*/
SELECT
    {from:DateTime64(3, 'UTC')} AS bucket,
    cut AS series,
    countIf(began_at < {as_of:DateTime64(3, 'UTC')} - toIntervalSecond(limit_s)) / count() AS value,
    count() AS n
FROM
(
    SELECT began_at, limit_s, series AS cut
    FROM waits(what = 'shipment_status', since = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})
    WHERE began_at <= {as_of:DateTime64(3, 'UTC')} AND gone_at > {as_of:DateTime64(3, 'UTC')}
)
WHERE {from:DateTime64(3, 'UTC')} < {to:DateTime64(3, 'UTC')} AND {bucket_s:UInt32} > 0
GROUP BY series
