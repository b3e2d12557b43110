-- What is written of who waits for what: a row of a wait and, with sign = -1, what takes it back. Whoever only counts adds up `sign` and spares
-- himself the merge of FINAL; who wants the waits themselves asks `waits`. Parameters as there.
SELECT
    sign, ver, name, object_type, object_id, began_at, gone_at, is_ended, since, open_since_s, elapsed_s, next, expected, is_overlay, limit_s, clock,
    region, warehouse, carrier, customer, order_class, mode, value,
    toString(multiIf(
        {by:String} = 'region', region, {by:String} = 'warehouse', warehouse, {by:String} = 'carrier', carrier,
        {by:String} = 'customer', customer, {by:String} = 'order_class', order_class, {by:String} = 'mode', mode,
        {by:String} = 'tenant', tenant, '')) AS series
FROM object_waits
WHERE what = {what:String} AND gone_at >= {since:DateTime64(3, 'UTC')}
  AND (NOT arrayExists(s -> startsWith(s, 'tenant='), {scope:Array(String)}) OR has({scope:Array(String)}, 'tenant=' || tenant))
  AND (NOT arrayExists(s -> startsWith(s, 'region='), {scope:Array(String)}) OR has({scope:Array(String)}, 'region=' || region))
  AND (NOT arrayExists(s -> startsWith(s, 'warehouse='), {scope:Array(String)}) OR has({scope:Array(String)}, 'warehouse=' || warehouse))
  AND (NOT arrayExists(s -> startsWith(s, 'carrier='), {scope:Array(String)}) OR has({scope:Array(String)}, 'carrier=' || carrier))
  AND (NOT arrayExists(s -> startsWith(s, 'customer='), {scope:Array(String)}) OR has({scope:Array(String)}, 'customer=' || customer))
  AND (NOT arrayExists(s -> startsWith(s, 'order_class='), {scope:Array(String)}) OR has({scope:Array(String)}, 'order_class=' || order_class))
  AND (NOT arrayExists(s -> startsWith(s, 'mode='), {scope:Array(String)}) OR has({scope:Array(String)}, 'mode=' || mode))
