-- The log records of one trace, each once, in the order of time. Parameters: trace. Logs may be written a little after their span ended.
WITH
    (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = {trace:String}) AS first_at,
    (SELECT max(End) FROM otel_traces_trace_id_ts WHERE TraceId = {trace:String}) AS last_at
SELECT
    toUnixTimestamp64Nano(Timestamp) AS at_ns, toDateTime64(Timestamp, 3, 'UTC') AS at, SpanId AS span, toString(ServiceName) AS service,
    if(SeverityText != '', upper(SeverityText), multiIf(SeverityNumber >= 17, 'ERROR', SeverityNumber >= 13, 'WARN', SeverityNumber >= 9, 'INFO', 'DEBUG')) AS severity,
    SeverityNumber >= 17 OR upper(SeverityText) IN ('ERROR', 'FATAL', 'CRITICAL') AS is_error, Body AS body
FROM otel_logs
WHERE TraceId = {trace:String} AND (last_at = 0 OR (Timestamp >= first_at - INTERVAL 10 MINUTE AND Timestamp < last_at + INTERVAL 1 HOUR))
ORDER BY at_ns, span, body
LIMIT 1 BY at_ns, span, body
