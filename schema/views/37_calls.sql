-- Calls of a window: one row a span that leaves or enters a system, by its start. What a healing wrote twice is there once.
-- Parameters: from, to, as_of; scope: 'region=', 'interface=' and 'partner=' as the span says them, 'carrier=' by the catalogue's interfaces;
-- the other cuts no call names, so they cut nothing; where the scope says 'strict=' (a viewer who sees a part), nothing is shown under them.
-- by = 'interface', 'partner' or 'region'. `message` is the message's id, or the trace where a span names none.
SELECT
    at, trace_id, span_id, interface, service, kind, partner, region, is_error, attempt, duration_ns,
    if(message_id != '', message_id, trace_id) AS message,
    toString(multiIf({by:String} = 'interface', interface, {by:String} = 'partner', partner, {by:String} = 'region', region, '')) AS series
FROM interface_calls
WHERE at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')} AND at <= {as_of:DateTime64(3, 'UTC')}
  AND milepost_in({scope:Array(String)}, 'region', region)
  AND milepost_in({scope:Array(String)}, 'interface', interface)
  AND milepost_in({scope:Array(String)}, 'partner', partner)
  AND (NOT arrayExists(s -> startsWith(s, 'carrier='), {scope:Array(String)})
       OR interface IN (SELECT interface FROM gov_interfaces WHERE has({scope:Array(String)}, 'carrier=' || carrier)))
  AND (NOT has({scope:Array(String)}, 'strict=')
       OR NOT arrayExists(s -> splitByChar('=', s)[1] IN ('warehouse', 'customer', 'order_class'), {scope:Array(String)}))
LIMIT 1 BY trace_id, span_id
