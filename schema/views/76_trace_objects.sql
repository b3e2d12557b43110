-- The business objects of one trace: those that its calls name and those whose events carry it, with their state now.
-- Parameters: trace. Grain: object.
WITH
    named AS
    (
        SELECT object.1::String AS object_type, object.2 AS object_id, count() AS n_calls, max(is_error) AS is_failed, 0 AS n_events
        FROM (SELECT * FROM interface_calls WHERE trace_id = {trace:String} LIMIT 1 BY span_id)
        ARRAY JOIN arrayZip(object_types, object_ids) AS object
        GROUP BY object_type, object_id
        UNION ALL
        SELECT object_type::String, object_id, 0, 0, uniqExact(event_id) FROM events WHERE trace_id = {trace:String} GROUP BY object_type, object_id
    ),
    found AS
    (
        SELECT object_type, object_id, sum(n_calls) AS calls, sum(n_events) AS said, max(is_failed) AS failed FROM named GROUP BY object_type, object_id
    )
SELECT
    f.object_type AS object_type, f.object_id AS object_id, f.calls AS n_calls, f.said AS n_events, f.failed = 1 AS is_failed,
    if(empty(s.h_state), '', toString(s.h_state[-1])) AS state, if(empty(s.h_at), toDateTime64(0, 3, 'UTC'), s.h_at[-1]) AS state_at,
    s.value AS value, s.customer AS customer, s.region AS region, s.carrier AS carrier
FROM found AS f
LEFT JOIN (SELECT * FROM object_state FINAL PREWHERE (object_type, object_id) GLOBAL IN (SELECT object_type, object_id FROM found)) AS s
    ON s.object_type = f.object_type AND s.object_id = f.object_id
