-- Messages on one interface that took more than one attempt or failed in a window, as their last attempt left them.
-- Parameters: interface, from, as_of, scope as in edges. Grain: message (its id, or else its trace). `is_retrying`: it failed last, and
-- that was within the limit of `retry_amplification`, so that another attempt may still come.
SELECT
    if(message_id != '', message_id, trace_id) AS message, max(at) AS last_at, min(at) AS first_at, toUInt32(max(attempt)) AS attempts,
    argMax(is_error, (at, attempt)) = 1 AS is_failed, argMaxIf(status_message, at, is_error) AS said, argMax(c.trace_id, (at, attempt)) AS trace,
    argMax(toString(service), (at, attempt)) AS service, argMax(toString(c.region), (at, attempt)) AS region_of,
    arrayMap(o -> (toString(o.1), o.2), groupUniqArrayArray(arrayZip(object_types, object_ids))) AS objects,
    is_failed AND last_at > {as_of:DateTime64(3, 'UTC')}
        - toIntervalSecond((SELECT any(limit_s) FROM gov_tolerances WHERE name = 'retry_amplification' AND mode = '')) AS is_retrying
FROM interface_calls AS c
WHERE interface = {interface:String} AND at >= {from:DateTime64(3, 'UTC')} AND at <= {as_of:DateTime64(3, 'UTC')}
  AND milepost_in({scope:Array(String)}, 'region', region)
GROUP BY message
HAVING attempts > 1 OR is_failed
