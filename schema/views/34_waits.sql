-- Who waits, or waited, for what: one row a wait of an object, from where it begins to where it ends or is dropped.
-- Parameters: what ('workflows', 'stages', or a tolerance that names a wait); since, before which waits that were gone are left out;
-- scope and by as in objects. `gone_at` is far ahead while a wait lasts; times may lie after any as_of: who reads them decides at which
-- moment it looks. `is_ended`: gone because what was waited for came; else it was dropped (cancelled, blocked, put back). `elapsed_s` of what
-- is gone, `since` and `open_since_s` of what lasts: see object_waits.
SELECT
    name, object_type, object_id, began_at, gone_at, is_ended, since, open_since_s, elapsed_s, next, expected, is_overlay, limit_s, clock,
    region, warehouse, carrier, customer, order_class, mode, value,
    toString(multiIf(
        {by:String} = 'region', region, {by:String} = 'warehouse', warehouse, {by:String} = 'carrier', carrier,
        {by:String} = 'customer', customer, {by:String} = 'order_class', order_class, {by:String} = 'mode', mode,
        {by:String} = 'tenant', tenant, '')) AS series
FROM object_waits FINAL
WHERE what = {what:String} AND gone_at >= {since:DateTime64(3, 'UTC')}
  AND (NOT arrayExists(s -> startsWith(s, 'tenant='), {scope:Array(String)}) OR has({scope:Array(String)}, 'tenant=' || tenant))
  AND (NOT arrayExists(s -> startsWith(s, 'region='), {scope:Array(String)}) OR has({scope:Array(String)}, 'region=' || region))
  AND (NOT arrayExists(s -> startsWith(s, 'warehouse='), {scope:Array(String)}) OR has({scope:Array(String)}, 'warehouse=' || warehouse))
  AND (NOT arrayExists(s -> startsWith(s, 'carrier='), {scope:Array(String)}) OR has({scope:Array(String)}, 'carrier=' || carrier))
  AND (NOT arrayExists(s -> startsWith(s, 'customer='), {scope:Array(String)}) OR has({scope:Array(String)}, 'customer=' || customer))
  AND (NOT arrayExists(s -> startsWith(s, 'order_class='), {scope:Array(String)}) OR has({scope:Array(String)}, 'order_class=' || order_class))
  AND (NOT arrayExists(s -> startsWith(s, 'mode='), {scope:Array(String)}) OR has({scope:Array(String)}, 'mode=' || mode))
