-- What each interface holds up: the objects with a failed last call on it in the window, and those whose expected next milestone
-- over it is overdue (a failure that leaves no span is still counted), in objects, customers and money.
-- Parameters: from, as_of, scope. Grain: interface x object; `how` says which of the two.
WITH
    last AS
    (
        SELECT interface, object.1 AS object_type, object.2 AS object_id, argMax(is_error, calls.at) AS is_failed, max(calls.at) AS at, argMax(calls.trace_id, calls.at) AS trace_id
        FROM interface_calls AS calls
        ARRAY JOIN arrayZip(object_types, object_ids) AS object
        WHERE calls.at >= {from:DateTime64(3, 'UTC')} AND calls.at <= {as_of:DateTime64(3, 'UTC')}
        GROUP BY interface, object_type, object_id
        HAVING is_failed
    ),
    overdue AS
    (
        SELECT g.interface AS interface, i.object_type AS object_type, i.object_id AS object_id, i.began_at AS at, i.trace_id AS trace_id
        FROM known(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}) AS i
        INNER JOIN gov_exceptions AS x ON x.code = i.code
        CROSS JOIN gov_interfaces AS g
        WHERE i.is_open AND i.object_id != '' AND hasAny(x.awaits, arrayMap(c -> c.1 || '.' || c.2, g.carries))
          AND (g.carrier = '' OR g.carrier = i.carrier)
    ),
    hit AS MATERIALIZED
    (
        SELECT interface, object_type, object_id, min(found.how) AS how, max(found.at) AS at, argMax(found.trace_id, found.at) AS trace_id
        FROM
        (
            SELECT interface, toString(object_type) AS object_type, object_id, 'failed' AS how, at, trace_id FROM last
            UNION ALL
            SELECT interface, toString(object_type), object_id, 'overdue', at, trace_id FROM overdue
        ) AS found
        GROUP BY interface, object_type, object_id
    )
SELECT
    h.interface AS interface, h.object_type AS object_type, h.object_id AS object_id, h.how AS how, h.at AS at, h.trace_id AS trace_id,
    s.customer AS customer, s.region AS region, s.warehouse AS warehouse, s.carrier AS carrier, s.order_class AS order_class, s.value AS value
FROM hit AS h
LEFT JOIN
(
    SELECT object_type, object_id, customer, region, warehouse, carrier, order_class, value
    FROM object_state FINAL
    PREWHERE (object_type, object_id) IN (SELECT object_type, object_id FROM hit)
) AS s ON s.object_type = h.object_type AND s.object_id = h.object_id
