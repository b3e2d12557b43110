-- Histories of objects, as they are kept: what waits are made of. Times may lie after any as_of: who reads them decides.
-- Parameters: types (object types); since, before which objects that had come to a final state are left out; scope and by as in objects.
WITH (SELECT groupArray(concat(object_type, '.', state)) FROM gov_states WHERE is_final) AS finals
SELECT
    object_type, object_id, mode, value, h_state, h_at, m_state, m_at, p_state, p_at, guard_name, guard_at, hold_name, hold_from, hold_to,
    toString(multiIf(
        {by:String} = 'region', region, {by:String} = 'warehouse', warehouse, {by:String} = 'carrier', carrier,
        {by:String} = 'customer', customer, {by:String} = 'order_class', order_class, {by:String} = 'mode', mode,
        {by:String} = 'tenant', tenant, '')) AS series
FROM object_state FINAL
WHERE object_type IN {types:Array(String)}
  AND NOT (h_at[-1] < {since:DateTime64(3, 'UTC')} AND has(finals, concat(object_type, '.', h_state[-1])))
  AND (NOT arrayExists(s -> startsWith(s, 'tenant='), {scope:Array(String)}) OR has({scope:Array(String)}, 'tenant=' || tenant))
  AND (NOT arrayExists(s -> startsWith(s, 'region='), {scope:Array(String)}) OR has({scope:Array(String)}, 'region=' || region))
  AND (NOT arrayExists(s -> startsWith(s, 'warehouse='), {scope:Array(String)}) OR has({scope:Array(String)}, 'warehouse=' || warehouse))
  AND (NOT arrayExists(s -> startsWith(s, 'carrier='), {scope:Array(String)}) OR has({scope:Array(String)}, 'carrier=' || carrier))
  AND (NOT arrayExists(s -> startsWith(s, 'customer='), {scope:Array(String)}) OR has({scope:Array(String)}, 'customer=' || customer))
  AND (NOT arrayExists(s -> startsWith(s, 'order_class='), {scope:Array(String)}) OR has({scope:Array(String)}, 'order_class=' || order_class))
  AND (NOT arrayExists(s -> startsWith(s, 'mode='), {scope:Array(String)}) OR has({scope:Array(String)}, 'mode=' || mode))
