-- Traces that these traces are linked with across queues, both ways, one hop: what their spans name, and what names their spans.
-- Parameters: traces. `way` is 'before' (they came out of it) or 'after' (it came out of them). Those that come after are looked for
-- from the beginning of the traces until a week after their end, so that not every day is read.
WITH
    (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId IN {traces:Array(String)}) AS first_at,
    (SELECT max(End) FROM otel_traces_trace_id_ts WHERE TraceId IN {traces:Array(String)}) AS last_at
SELECT DISTINCT TraceId AS trace, link AS other, 'before' AS way
FROM otel_traces ARRAY JOIN `Links.TraceId` AS link
WHERE TraceId IN {traces:Array(String)} AND Timestamp >= first_at AND Timestamp < last_at + INTERVAL 2 SECOND AND link NOT IN ('', TraceId)
UNION DISTINCT
SELECT DISTINCT link, TraceId, 'after'
FROM otel_traces ARRAY JOIN `Links.TraceId` AS link
WHERE Timestamp >= first_at AND Timestamp < last_at + INTERVAL 7 DAY
  AND hasAny(`Links.TraceId`, {traces:Array(String)}) AND link IN {traces:Array(String)} AND TraceId != link
