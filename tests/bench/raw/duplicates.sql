-- Share of the window's distinct events that say what another one said, under another id.
SELECT (count() - uniqExact(content)) / count() AS value, count() AS n
FROM
(
    SELECT
        object_type, object_id,
        argMax(
            (occurred_at, sipHash128(object_type, object_id, event_type, classifier, occurred_at, state, source_code, system, location, amount, quantity), is_retracted),
            (event_version, is_retracted, recorded_at)) AS e,
        e.1 AS at, e.2 AS content
    FROM events
    GROUP BY object_type, object_id, event_id
    HAVING NOT e.3 AND at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')}
)
