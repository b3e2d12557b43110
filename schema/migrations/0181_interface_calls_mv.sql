-- As 0151 made it, and a third of its cost: it was three quarters of what a span costs on its way in. There, each of thirty keys
-- was looked up in the attributes of each span; here each attribute is looked up once, and `told` is what was found, by kind and
-- position. Which attributes name an interface, a partner, an attempt, a message and the business objects is the catalogue's to
-- say (gov_span_keys): the first one found on the span counts, of objects each. A business key may hold a JSON list. Without an
-- interface attribute the interface is 'service -> peer'; the peer's names are those of the semantic conventions. A Server span
-- counts only where it names its interface, or every page view would be a call.
CREATE MATERIALIZED VIEW IF NOT EXISTS interface_calls_mv TO interface_calls AS
WITH
    (
        SELECT (groupArray(attribute), groupArray(ranks))
        FROM
        (
            SELECT attribute, groupArray(toUInt32(kind_no * 65536 + position)) AS ranks
            FROM
            (
                SELECT
                    attribute,
                    position,
                    transform(toString(kind), ['interface', 'partner', 'attempt', 'message', 'inventory', 'invoice', 'order',
                        'return', 'shipment'], [1, 2, 3, 4, 6, 7, 8, 9, 10], 0) AS kind_no
                FROM gov_span_keys
                WHERE kind_no != 0
                UNION ALL
                SELECT peer.1 AS attribute, peer.2 AS position, 5 AS kind_no
                FROM
                (
                    SELECT arrayJoin([('peer.service', 1), ('server.address', 2), ('net.peer.name', 3),
                        ('messaging.system', 4), ('db.system.name', 5), ('db.system', 6)]) AS peer
                )
            )
            GROUP BY attribute
        )
    ) AS known,
    arraySort(x -> x.1, arrayFilter(x -> x.2 != '', arrayFlatten(arrayMap(
        (k, v) -> arrayMap(r -> (r, v), known.2[transform(k, known.1, range(1, length(known.1) + 1), 0)]),
        mapKeys(SpanAttributes), mapValues(SpanAttributes))))) AS told,
    arrayFirst(x -> intDiv(x.1, 65536) = 1, told).2 AS named,
    arrayFlatten(arrayMap(x -> arrayMap(id -> (['inventory', 'invoice', 'order', 'return', 'shipment'][intDiv(x.1, 65536) - 5], id),
        if(startsWith(x.2, '['), JSONExtract(x.2, 'Array(String)'), [x.2])),
        arrayFilter(x -> x.1 >= 6 * 65536, told))) AS found,
    arrayDistinct(arrayFilter(o -> o.2 != '', found)) AS objects
SELECT
    toDateTime64(Timestamp, 3, 'UTC') AS at,
    TraceId AS trace_id,
    SpanId AS span_id,
    ParentSpanId AS parent_span_id,
    if(named != '', named, concat(ServiceName, ' -> ', peer)) AS interface,
    ServiceName AS service,
    arrayFirst(x -> intDiv(x.1, 65536) = 5, told).2 AS peer,
    SpanKind AS kind,
    StatusCode = 'Error' AS is_error,
    StatusMessage AS status_message,
    greatest(1, toUInt16OrZero(arrayFirst(x -> intDiv(x.1, 65536) = 3, told).2)) AS attempt,
    arrayFirst(x -> intDiv(x.1, 65536) = 4, told).2 AS message_id,
    Duration AS duration_ns,
    ResourceAttributes['service.version'] AS version,
    arrayFirst(r -> r != '', [
        SpanAttributes['milepost.region'], ResourceAttributes['milepost.region'],
        SpanAttributes['cloud.region'], ResourceAttributes['cloud.region']]) AS region,
    arrayFirst(x -> intDiv(x.1, 65536) = 2, told).2 AS partner,
    arrayMap(o -> o.1, objects) AS object_types,
    arrayMap(o -> o.2, objects) AS object_ids
FROM otel_traces
WHERE SpanKind IN ('Client', 'Producer', 'Consumer') OR (SpanKind = 'Server' AND named != '')
