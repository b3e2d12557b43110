-- Fills interface_calls from whatever writes otel_traces. Which attributes name an interface, a partner, an attempt, a message
-- and the business objects is the catalogue's to say (gov_span_keys): the first one found on the span counts, of objects each.
-- A business key may hold a JSON list. Without an interface attribute the interface is 'service -> peer'; the peer's names are
-- those of the semantic conventions. A Server span counts only where it names its interface, or every page view would be a call.
CREATE MATERIALIZED VIEW IF NOT EXISTS interface_calls_mv TO interface_calls AS
WITH
    (
        SELECT arrayMap(x -> x.2, arraySort(groupArray((position, attribute))))
        FROM gov_span_keys
        WHERE kind = 'interface'
    ) AS interface_keys,
    (
        SELECT arrayMap(x -> x.2, arraySort(groupArray((position, attribute))))
        FROM gov_span_keys
        WHERE kind = 'partner'
    ) AS partner_keys,
    (
        SELECT arrayMap(x -> x.2, arraySort(groupArray((position, attribute))))
        FROM gov_span_keys
        WHERE kind = 'attempt'
    ) AS attempt_keys,
    (
        SELECT arrayMap(x -> x.2, arraySort(groupArray((position, attribute))))
        FROM gov_span_keys
        WHERE kind = 'message'
    ) AS message_keys,
    (
        SELECT arraySort(groupArray((toString(kind), position, attribute)))
        FROM gov_span_keys
        WHERE kind IN ('order', 'shipment', 'invoice', 'return', 'inventory')
    ) AS object_keys,
    ['peer.service', 'server.address', 'net.peer.name', 'messaging.system', 'db.system.name', 'db.system'] AS peer_keys,
    SpanAttributes[arrayFirst(k -> SpanAttributes[k] != '', interface_keys)] AS named,
    arrayFlatten(arrayMap(k -> arrayMap(id -> (k.1, id), if(startsWith(SpanAttributes[k.3], '['),
        JSONExtract(SpanAttributes[k.3], 'Array(String)'), [SpanAttributes[k.3]])),
        arrayFilter(k -> SpanAttributes[k.3] != '', object_keys))) AS found,
    arrayDistinct(arrayFilter(o -> o.2 != '', found)) AS objects
SELECT
    toDateTime64(Timestamp, 3, 'UTC') AS at,
    TraceId AS trace_id,
    SpanId AS span_id,
    ParentSpanId AS parent_span_id,
    if(named != '', named, concat(ServiceName, ' -> ', peer)) AS interface,
    ServiceName AS service,
    SpanAttributes[arrayFirst(k -> SpanAttributes[k] != '', peer_keys)] AS peer,
    SpanKind AS kind,
    StatusCode = 'Error' AS is_error,
    StatusMessage AS status_message,
    greatest(1, toUInt16OrZero(SpanAttributes[arrayFirst(k -> SpanAttributes[k] != '', attempt_keys)])) AS attempt,
    SpanAttributes[arrayFirst(k -> SpanAttributes[k] != '', message_keys)] AS message_id,
    Duration AS duration_ns,
    ResourceAttributes['service.version'] AS version,
    arrayFirst(r -> r != '', [
        SpanAttributes['milepost.region'], ResourceAttributes['milepost.region'],
        SpanAttributes['cloud.region'], ResourceAttributes['cloud.region']]) AS region,
    SpanAttributes[arrayFirst(k -> SpanAttributes[k] != '', partner_keys)] AS partner,
    arrayMap(o -> o.1, objects) AS object_types,
    arrayMap(o -> o.2, objects) AS object_ids
FROM otel_traces
WHERE SpanKind IN ('Client', 'Producer', 'Consumer') OR (SpanKind = 'Server' AND named != '')
