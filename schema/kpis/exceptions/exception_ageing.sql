/*
id         = "K32"
title      = "Exception ageing"
definition = "p90 age, in business time since the condition began, of the exceptions open at that moment, whatever people have done with them; n is how many. The team is who it is assigned to, or else its owner."
unit       = "seconds"
good       = "low"
target     = "exception_age"
by         = ["team", "code", "workflow", "interface", "region", "carrier", "warehouse", "customer", "order_class", "mode", "tenant"]
owner      = "platform"
shape      = "gauge"
source     = "domain.md K32"
*/
WITH
    (SELECT any(clock) FROM gov_tolerances WHERE name = 'exception_age' AND mode = '') AS rule_clock,
    (SELECT seconds FROM business_seconds(moment = {as_of:DateTime64(3, 'UTC')})) AS open_seen
SELECT
    {from:DateTime64(3, 'UTC')} AS bucket,
    e.cut AS series,
    quantileExact(0.9)(assumeNotNull(if(e.clock = 'business',
        open_seen - (toFloat64(c.open_before_s) + least(dateDiff('millisecond', c.opens_at, e.began_at) / 1000, c.open_s)),
        dateDiff('millisecond', e.began_at, {as_of:DateTime64(3, 'UTC')}) / 1000))) AS value,
    count() AS n
FROM
(
    SELECT
        began_at, toString(rule_clock) AS clock,
        toString(multiIf(
            {by:String} = 'team', owner, {by:String} = 'code', code, {by:String} = 'workflow', workflow,
            {by:String} = 'interface', interface, {by:String} = 'region', region, {by:String} = 'carrier', carrier,
            {by:String} = 'warehouse', warehouse, {by:String} = 'customer', customer, {by:String} = 'order_class', order_class,
            {by:String} = 'mode', mode, {by:String} = 'tenant', tenant, '')) AS cut
    FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)})
    WHERE is_open
) AS e
ASOF LEFT JOIN business_clock AS c ON c.clock = e.clock AND e.began_at >= c.opens_at
WHERE {from:DateTime64(3, 'UTC')} < {to:DateTime64(3, 'UTC')} AND {bucket_s:UInt32} > 0
GROUP BY series
