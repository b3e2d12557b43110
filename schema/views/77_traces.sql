-- Traces of a window that match a search, newest first is the reader's to say: one row a trace, summed over all of its spans.
-- Parameters: from, as_of; trace, key (a business key), service, interface ('' is any), is_error, min_s; most (how many of the newest);
-- scope: 'region=' as calls say it. Milepost's own traces are left out unless its service is asked for.
WITH
    told AS
    (
        SELECT object_type, object_id FROM object_state FINAL WHERE {key:String} != '' AND (object_id = {key:String} OR has(keys, {key:String}))
        UNION DISTINCT
        SELECT arrayJoin(['order', 'shipment', 'invoice', 'return', 'inventory']), {key:String} WHERE {key:String} != ''
    ),
    keyed AS
    (
        SELECT trace_id FROM interface_calls
        WHERE {key:String} != '' AND hasAny(object_ids, (SELECT groupArray(object_id) FROM told))
        UNION DISTINCT
        SELECT trace_id FROM events
        PREWHERE (object_type, object_id) GLOBAL IN (SELECT object_type, object_id FROM told) WHERE trace_id != ''
    ),
    called AS
    (
        SELECT DISTINCT trace_id FROM interface_calls
        WHERE at >= {from:DateTime64(3, 'UTC')} AND at <= {as_of:DateTime64(3, 'UTC')}
          AND ({interface:String} = '' OR interface = {interface:String}) AND (NOT {is_error:Bool} OR is_error OR {interface:String} = '')
          AND milepost_in({scope:Array(String)}, 'region', region)
    ),
    picked AS
    (
        SELECT TraceId, max(Timestamp) AS last_at
        FROM otel_traces
        WHERE TraceId != '' AND Timestamp <= {as_of:DateTime64(3, 'UTC')}
          AND ({key:String} != '' OR {trace:String} != '' OR Timestamp >= {from:DateTime64(3, 'UTC')})
          AND ({trace:String} = '' OR TraceId = {trace:String})
          AND ({key:String} = '' OR TraceId GLOBAL IN (SELECT trace_id FROM keyed))
          AND (if({service:String} = '', ServiceName != 'milepost' OR {trace:String} != '', ServiceName = {service:String}))
          AND (({interface:String} = '' AND NOT arrayExists(s -> startsWith(s, 'region='), {scope:Array(String)})) OR TraceId IN (SELECT trace_id FROM called))
          AND (NOT {is_error:Bool} OR StatusCode = 'Error') AND Duration >= {min_s:Float64} * 1e9
        GROUP BY TraceId
        ORDER BY last_at DESC
        LIMIT {most:UInt32}
    ),
    (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId IN (SELECT TraceId FROM picked)) AS first_at,
    calls_of AS
    (
        SELECT trace_id, groupUniqArray(5)(toString(interface)) AS interfaces, arraySlice(arrayDistinct(arrayFlatten(groupArray(object_ids))), 1, 5) AS ids
        FROM interface_calls WHERE trace_id IN (SELECT TraceId FROM picked) AND at >= first_at - INTERVAL 1 SECOND
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
WHERE s.TraceId IN (SELECT TraceId FROM picked) AND s.Timestamp >= first_at
GROUP BY trace
