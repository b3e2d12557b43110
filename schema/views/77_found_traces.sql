-- Which traces of a window match a search, the newest ones; what each of them was says trace_summaries. Grain: trace.
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
    )
SELECT TraceId AS trace, max(Timestamp) AS last_at
FROM otel_traces
WHERE TraceId != '' AND Timestamp <= {as_of:DateTime64(3, 'UTC')}
  AND ({key:String} != '' OR {trace:String} != '' OR Timestamp >= {from:DateTime64(3, 'UTC')})
  AND ({trace:String} = '' OR TraceId = {trace:String})
  AND ({key:String} = '' OR TraceId GLOBAL IN (SELECT trace_id FROM keyed))
  AND (if({service:String} = '', ServiceName != 'milepost' OR {trace:String} != '', ServiceName = {service:String}))
  AND (({interface:String} = '' AND NOT arrayExists(s -> startsWith(s, 'region='), {scope:Array(String)})) OR TraceId IN (SELECT trace_id FROM called))
  AND (NOT {is_error:Bool} OR StatusCode = 'Error') AND Duration >= {min_s:Float64} * 1e9
GROUP BY trace
ORDER BY last_at DESC
LIMIT {most:UInt32}
