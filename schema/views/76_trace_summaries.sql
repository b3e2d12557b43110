-- What traces were: one row a trace, summed over all of its spans, whenever they were.
-- Parameters: traces. `root` is the span without a parent, or the first one; `said` is what the last span that failed says.
WITH
    (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId IN {traces:Array(String)}) AS first_at,
    calls_of AS
    (
        SELECT trace_id, groupUniqArray(5)(toString(interface)) AS interfaces, arraySlice(arrayDistinct(arrayFlatten(groupArray(object_ids))), 1, 5) AS ids
        FROM interface_calls WHERE trace_id IN {traces:Array(String)} AND at >= first_at - INTERVAL 1 SECOND
        GROUP BY trace_id
    )
SELECT
    s.TraceId AS trace, toDateTime64(min(s.Timestamp), 3, 'UTC') AS at,
    (max(toUnixTimestamp64Nano(s.Timestamp) + s.Duration) - min(toUnixTimestamp64Nano(s.Timestamp))) / 1e9 AS took_s,
    argMin(toString(s.SpanName), (s.ParentSpanId != '', s.Timestamp)) AS root, argMin(toString(s.ServiceName), (s.ParentSpanId != '', s.Timestamp)) AS service,
    uniqExact(s.SpanId) AS n_spans, uniqExactIf(s.SpanId, s.StatusCode = 'Error') AS n_errors, uniqExact(s.ServiceName) AS n_services,
    argMaxIf(s.StatusMessage, s.Timestamp, s.StatusCode = 'Error') AS said, any(c.interfaces) AS interfaces, any(c.ids) AS keys
FROM otel_traces AS s
LEFT JOIN calls_of AS c ON c.trace_id = s.TraceId
WHERE s.TraceId IN {traces:Array(String)} AND s.Timestamp >= first_at
GROUP BY trace
