-- What was said in a window: one row a distinct canonical event, its last version, nothing retracted; `at` is when it happened.
-- Parameters: from, to, as_of; scope, by as in objects, and by = 'source' or 'system'. A cut that the event does not name is its object's.
-- Most objects have neither copies nor corrections (n_raw = n_events): their rows are read by time as they lie. Of the others the
-- whole history is folded, because a correction may have moved an event into the window or out of it; which version is the last is
-- decided as in folds/own.sql, and where that leaves two alike by the rest of what is shown here, so that no order of arrival counts.
WITH
    at_hand AS
    (
        SELECT object_type, object_id FROM events
        WHERE occurred_at >= {from:DateTime64(3, 'UTC')} AND occurred_at < {to:DateTime64(3, 'UTC')} AND occurred_at <= {as_of:DateTime64(3, 'UTC')}
    ),
    amended AS
    (
        SELECT object_type, object_id FROM object_own
        PREWHERE (object_type, object_id) IN (SELECT object_type, object_id FROM at_hand)
        WHERE n_raw > n_events
    )
SELECT
    e.at AS at, e.ingested_at AS ingested_at, e.event_id AS event_id, e.event_type AS event_type, e.classifier AS classifier,
    e.object_type AS object_type, e.object_id AS object_id, e.state AS state, e.source_code AS source_code,
    e.system AS system, e.source AS source, e.location AS location, e.amount AS amount, e.quantity AS quantity, e.trace_id AS trace_id,
    if(e.tenant != '', e.tenant, o.tenant) AS tenant, if(e.region != '', e.region, o.region) AS region,
    if(e.warehouse != '', e.warehouse, o.warehouse) AS warehouse, if(e.carrier != '', e.carrier, o.carrier) AS carrier,
    if(e.customer != '', e.customer, o.customer) AS customer, if(e.order_class != '', e.order_class, o.order_class) AS order_class,
    if(e.mode != '', e.mode, o.mode) AS mode,
    toString(multiIf({by:String} = 'source', source, {by:String} = 'system', system,
        milepost_cut({by:String}, tenant, region, warehouse, carrier, customer, order_class, mode))) AS series
FROM
(
    SELECT
        occurred_at AS at, ingested_at, event_id, event_type, classifier, object_type, object_id, state, source_code, system, source,
        location, amount, quantity, trace_id, tenant, region, warehouse, carrier, customer, order_class, mode
    FROM events
    WHERE occurred_at >= {from:DateTime64(3, 'UTC')} AND occurred_at < {to:DateTime64(3, 'UTC')} AND occurred_at <= {as_of:DateTime64(3, 'UTC')}
      AND (object_type, object_id) NOT IN (SELECT object_type, object_id FROM amended)
    UNION ALL
    SELECT
        x.1, first_ingested_at, event_id, x.2, x.3, object_type, object_id, x.4, x.5, x.6, x.7,
        x.8, x.9, x.10, x.11, x.12, x.13, x.14, x.15, x.16, x.17, x.18
    FROM
    (
        SELECT
            object_type, object_id, event_id, min(ingested_at) AS first_ingested_at,
            argMax(
                (occurred_at, event_type, classifier, state, source_code, system, source, location, amount, quantity, trace_id,
                 tenant, region, warehouse, carrier, customer, order_class, mode, is_retracted),
                (event_version, is_retracted, recorded_at,
                 cityHash64(occurred_at, classifier, state, system_role, location, related.object_id, keys, tenant, region, warehouse,
                            carrier, customer, order_class, mode, amount, currency, quantity, source_code),
                 event_type, system, source, trace_id)
            ) AS x
        FROM events
        PREWHERE (object_type, object_id) IN (SELECT object_type, object_id FROM amended)
        GROUP BY object_type, object_id, event_id
    )
    WHERE NOT x.19 AND x.1 >= {from:DateTime64(3, 'UTC')} AND x.1 < {to:DateTime64(3, 'UTC')} AND x.1 <= {as_of:DateTime64(3, 'UTC')}
) AS e
LEFT JOIN
(
    SELECT object_type, object_id, tenant, region, warehouse, carrier, customer, order_class, mode
    FROM object_state FINAL
    WHERE (notEmpty({scope:Array(String)}) OR {by:String} NOT IN ('', 'source', 'system'))
      AND (object_type, object_id) IN (SELECT object_type, object_id FROM at_hand)
) AS o ON o.object_type = e.object_type AND o.object_id = e.object_id
WHERE milepost_in({scope:Array(String)}, 'tenant', tenant)
  AND milepost_in({scope:Array(String)}, 'region', region)
  AND milepost_in({scope:Array(String)}, 'warehouse', warehouse)
  AND milepost_in({scope:Array(String)}, 'carrier', carrier)
  AND milepost_in({scope:Array(String)}, 'customer', customer)
  AND milepost_in({scope:Array(String)}, 'order_class', order_class)
  AND milepost_in({scope:Array(String)}, 'mode', mode)
