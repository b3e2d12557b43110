-- Exceptions known at as_of, open or closed; what people have done with them stands in `inbox`, which reads this.
-- Parameters: as_of, scope (what has no region is of every region, unless the scope says 'strict='). `is_open`: the condition still holds.
-- `incident` is the code at its place, `id` the one episode.
WITH toDateTime64(0, 3, 'UTC') AS never
SELECT
    code, fingerprint, detected_at, began_at, closed_at, reason, value, object_type, object_id, tenant, region, warehouse, carrier, customer,
    order_class, mode, interface, trace_id, place, severity, workflow, sla_s, owner,
    lower(hex(cityHash64(code, place))) AS incident,
    lower(hex(cityHash64(code, fingerprint, detected_at))) AS id,
    closed_at = never OR closed_at > {as_of:DateTime64(3, 'UTC')} AS is_open,
    dateDiff('second', began_at, if(is_open, {as_of:DateTime64(3, 'UTC')}, closed_at)) AS age_s,
    is_open AND age_s > sla_s AS is_past_sla
FROM exceptions FINAL
WHERE detected_at <= {as_of:DateTime64(3, 'UTC')}
  AND (milepost_in({scope:Array(String)}, 'region', region) OR (region = '' AND NOT has({scope:Array(String)}, 'strict=')))
  AND milepost_in({scope:Array(String)}, 'warehouse', warehouse)
  AND milepost_in({scope:Array(String)}, 'carrier', carrier)
  AND milepost_in({scope:Array(String)}, 'customer', customer)
  AND milepost_in({scope:Array(String)}, 'order_class', order_class)
  AND milepost_in({scope:Array(String)}, 'workflow', workflow)
