/*
title = "Retries accumulate"
definition = """
An interface whose messages, in the last window of `retry_amplification`, took more attempts each than its `watch` says, with at least
`interface_min_failures` retries, while most went through in the end (share of failures within `interface_error_share`) and it is not
INT.FAIL. An attempt is what the sender numbered, or else a span of its own by the same service under the same message id; spans stored
twice and the two sides of one message are no retries. It began with the first retried message after the last good period, reckoned as
for INT.FAIL. Value: the objects on the retried messages."""
sentence = "{interface} has got messages through only after retries for {oldest} ({value}): {reason}"
action = "Look at the partner's answers behind the first attempts before the retries run out or overload it."
kind = "interface"
source = "domain.md 1 K41, 2.4 INT.RETRY, 3 scenario 10"
*/
WITH
    {as_of:DateTime64(3, 'UTC')} AS asked_at,
    toDateTime64(0, 3, 'UTC') AS never,
    assumeNotNull((SELECT any(limit_s) FROM gov_tolerances WHERE name = 'retry_amplification' AND mode = '')) AS window_s,
    assumeNotNull((SELECT any(watch) FROM gov_tolerances WHERE name = 'retry_amplification')) AS amplification,
    assumeNotNull((SELECT any(target) FROM gov_tolerances WHERE name = 'interface_error_share')) AS allowed,
    assumeNotNull((SELECT any(target) FROM gov_tolerances WHERE name = 'interface_min_failures')) AS at_least,
    sent AS MATERIALIZED
    (
        SELECT
            interface, message, max(side_at) AS ended_at, argMax(is_failed, side_at) AS is_failed, argMax(sides.region, side_at) AS region,
            argMax(retry_trace, n_attempts) AS retry_trace, argMax(said, n_attempts) AS said, max(n_attempts) AS attempts,
            groupUniqArrayArray(objects) AS objects
        FROM
        (
            SELECT
                interface, if(message_id != '', message_id, trace_id) AS message, service, kind,
                max(at) AS side_at, argMax(is_error, (at, attempt)) AS is_failed, argMax(calls.region, (at, attempt))::String AS region,
                argMaxIf(trace_id, at, attempt > 1 OR is_error) AS retry_trace, argMaxIf(status_message, at, is_error) AS said,
                greatest(max(attempt), if(any(message_id) != '', uniqExact(trace_id, span_id), 1)) AS n_attempts,
                groupUniqArrayArray(arrayZip(object_types, object_ids)) AS objects
            FROM interface_calls AS calls
            WHERE at > asked_at - toIntervalSecond(window_s) AND at <= asked_at
            GROUP BY interface, message, service, kind
        ) AS sides
        GROUP BY interface, message
    ),
    told AS MATERIALIZED
    (
        SELECT
            interface, count() AS n, sum(attempts) AS n_attempts, sum(is_failed) AS n_failed,
            if(uniqExactIf(region, attempts > 1) = 1, anyIf(region, attempts > 1), '') AS one_region,
            argMaxIf(retry_trace, ended_at, attempts > 1) AS trace_id,
            argMaxIf(said, ended_at, attempts > 1 AND said != '') AS message
        FROM sent
        GROUP BY interface
        HAVING n_attempts > amplification * n AND n_attempts - n >= at_least AND n_failed <= allowed * n
    ),
    hit AS
    (
        SELECT DISTINCT interface, object.1::String AS object_type, object.2 AS object_id
        FROM sent ARRAY JOIN objects AS object
        WHERE attempts > 1 AND interface IN (SELECT interface FROM told)
    ),
    worth AS
    (
        SELECT h.interface AS interface, sum(toFloat64(s.value)) AS value
        FROM hit AS h
        INNER JOIN (SELECT object_type, object_id, value FROM object_state FINAL PREWHERE (object_type, object_id) IN (SELECT object_type, object_id FROM hit)) AS s
            ON s.object_type = h.object_type AND s.object_id = h.object_id
        GROUP BY interface
    ),
    slices AS
    (
        SELECT interface, toStartOfFiveMinutes(ended_at) AS slice, sum(attempts) - amplification * count() AS excess, minIf(ended_at, attempts > 1) AS first_at
        FROM
        (
            SELECT interface, message, max(side_at) AS ended_at, max(n_attempts) AS attempts
            FROM
            (
                SELECT
                    interface, if(message_id != '', message_id, trace_id) AS message, service, kind, max(at) AS side_at,
                    greatest(max(attempt), if(any(message_id) != '', uniqExact(trace_id, span_id), 1)) AS n_attempts
                FROM interface_calls
                WHERE at > asked_at - toIntervalDay(1) AND at <= asked_at AND interface IN (SELECT interface FROM told)
                GROUP BY interface, message, service, kind
            )
            GROUP BY interface, message
        )
        GROUP BY interface, slice
    ),
    starts AS
    (
        SELECT
            interface,
            arraySort(groupArray((slice, excess, first_at))) AS track,
            arrayFold((acc, x) -> (least(greatest(acc.1 + x.2, 0), at_least), if(acc.1 + x.2 <= 0, never, if(acc.2 = never, x.3, acc.2))), track, (toFloat64(0), never)).2 AS began_at
        FROM slices
        GROUP BY interface
    )
SELECT
    t.interface::String AS fingerprint,
    '' AS object_type,
    '' AS object_id,
    s.began_at AS began_at,
    t.n_attempts || ' attempts for ' || t.n || ' messages in the last ' || intDiv(window_s, 60) || ' min, ' || t.n_failed || ' failed in the end'
        || if(t.message = '', '', ': ' || t.message) AS reason,
    w.value AS value,
    '' AS tenant,
    t.one_region AS region,
    '' AS warehouse,
    g.carrier::String AS carrier,
    '' AS customer,
    '' AS order_class,
    '' AS mode,
    t.interface::String AS interface,
    t.trace_id AS trace_id,
    fingerprint AS place,
    g.owner::String AS owner
FROM told AS t
INNER JOIN starts AS s ON s.interface = t.interface
LEFT JOIN worth AS w ON w.interface = t.interface
LEFT JOIN gov_interfaces AS g ON g.interface = t.interface
WHERE t.interface NOT IN (SELECT interface FROM failing_interfaces(as_of = {as_of:DateTime64(3, 'UTC')}))
