-- What is written of who waits for what: a row of a wait and, with sign = -1, what takes it back. Whoever only counts adds up `sign` and spares
-- himself the merge of FINAL; who wants the waits themselves asks `waits`. Parameters as there.
SELECT
    sign, ver, name, object_type, object_id, began_at, gone_at, is_ended, is_in_time, since, open_since_s, due_at, elapsed_s, next, expected, is_overlay, limit_s, clock,
    region, warehouse, carrier, customer, order_class, mode, value,
    milepost_cut({by:String}, tenant, region, warehouse, carrier, customer, order_class, mode) AS series
FROM object_waits
WHERE what = {what:String} AND gone_at >= {since:DateTime64(3, 'UTC')}
  AND milepost_in({scope:Array(String)}, 'tenant', tenant)
  AND milepost_in({scope:Array(String)}, 'region', region)
  AND milepost_in({scope:Array(String)}, 'warehouse', warehouse)
  AND milepost_in({scope:Array(String)}, 'carrier', carrier)
  AND milepost_in({scope:Array(String)}, 'customer', customer)
  AND milepost_in({scope:Array(String)}, 'order_class', order_class)
  AND milepost_in({scope:Array(String)}, 'mode', mode)
