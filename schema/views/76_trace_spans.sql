-- The spans of one trace, each once whatever was delivered twice, with the business objects that their attributes name.
-- Parameters: trace. Times are nanoseconds since 1970, for a waterfall is drawn in differences. Which attributes are business keys is the
-- catalogue's to say. The exporter's lookup table says which days to read; where a crash kept the trace out of it all days are read.
WITH
    (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = {trace:String}) AS first_at,
    (SELECT max(End) FROM otel_traces_trace_id_ts WHERE TraceId = {trace:String}) AS last_at,
    (
        SELECT arraySort(groupArray((toString(kind), position, attribute)))
        FROM gov_span_keys WHERE kind IN ('order', 'shipment', 'invoice', 'return', 'inventory')
    ) AS object_keys,
    (SELECT arrayMap(x -> x.2, arraySort(groupArray((position, attribute)))) FROM gov_span_keys WHERE kind = 'interface') AS interface_keys,
    (SELECT arrayMap(x -> x.2, arraySort(groupArray((position, attribute)))) FROM gov_span_keys WHERE kind = 'attempt') AS attempt_keys,
    arrayFlatten(arrayMap(k -> arrayMap(id -> (k.1, id), if(startsWith(SpanAttributes[k.3], '['),
        JSONExtract(SpanAttributes[k.3], 'Array(String)'), [SpanAttributes[k.3]])),
        arrayFilter(k -> SpanAttributes[k.3] != '', object_keys))) AS named
SELECT
    toUnixTimestamp64Nano(Timestamp) AS start_ns, Duration AS duration_ns,
    toDateTime64(Timestamp, 3, 'UTC') AS at, SpanId AS span, ParentSpanId AS parent, toString(ServiceName) AS service, toString(SpanName) AS name,
    toString(SpanKind) AS kind, StatusCode = 'Error' AS is_error, StatusMessage AS message,
    toString(SpanAttributes[arrayFirst(k -> SpanAttributes[k] != '', interface_keys)]) AS interface,
    greatest(1, toUInt16OrZero(SpanAttributes[arrayFirst(k -> SpanAttributes[k] != '', attempt_keys)])) AS attempt,
    arrayDistinct(arrayFilter(o -> o.2 != '', named)) AS objects,
    SpanAttributes AS attributes, ResourceAttributes AS resource,
    arrayMap((t, n, a) -> (toUnixTimestamp64Nano(t), toString(n), a), `Events.Timestamp`, `Events.Name`, `Events.Attributes`) AS happened,
    arrayZip(`Links.TraceId`, `Links.SpanId`) AS links
FROM otel_traces
WHERE TraceId = {trace:String} AND (last_at = 0 OR (Timestamp >= first_at AND Timestamp < last_at + INTERVAL 2 SECOND))
ORDER BY start_ns, duration_ns DESC, span
LIMIT 1 BY span
