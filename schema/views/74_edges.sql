-- Every interface in a window against its usual: calls, failures, attempts, latency, what is behind it in objects, customers and money.
-- Parameters: from, as_of, scope ('region=' cuts calls as spans say it; the other cuts hold for what is behind). Grain: interface; one of
-- the catalogue without a call is there too (n_calls = 0). Usual: the same hours of the seven days before, or, for a window longer than a
-- day, the stretch of whole days before it. `status` off_target: a detector has something open on it; watch: more attempts or slower than the
-- catalogue's `retry_amplification` and `partner_latency` want, or objects wait behind it; no_data: no call. What a healing wrote twice is
-- counted once; quantiles, which are estimates, take it as often as it is there.
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    dateDiff('millisecond', {from:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')}) AS length_ms,
    toInt64(ceil(length_ms / 86400000)) * 86400000 AS step_ms,
    if(step_ms = 86400000, 7, 1) AS n_steps,
    (SELECT (anyIf(target, name = 'retry_amplification'), anyIf(target, name = 'partner_latency')) FROM gov_tolerances WHERE mode = '') AS wanted,
    calls_of AS
    (
        SELECT
            interface, service, peer, is_error, duration_ns, at,
            -- Numbers are told apart in less time than texts, and by two threads where LIMIT BY has one.
            cityHash64(trace_id, span_id) AS call, cityHash64(if(message_id != '', message_id, trace_id)) AS message, cityHash64(message, attempt) AS tried,
            intDiv(dateDiff('millisecond', at, {as_of:DateTime64(3, 'UTC')}), step_ms) = 0 AS is_now
        FROM interface_calls
        WHERE at <= {as_of:DateTime64(3, 'UTC')} AND at > {as_of:DateTime64(3, 'UTC')} - toIntervalMillisecond(n_steps * step_ms + length_ms)
          AND dateDiff('millisecond', at, {as_of:DateTime64(3, 'UTC')}) % step_ms < length_ms
          AND milepost_in({scope:Array(String)}, 'region', region)
    ),
    measured AS MATERIALIZED
    (
        SELECT
            interface, topK(1)(service)[1] AS service, topK(1)(peer)[1] AS peer,
            uniqExactIf(call, is_now) AS n_calls, uniqExactIf(call, is_now AND is_error) AS n_errors, n_errors / n_calls AS error_share,
            uniqExactIf(message, is_now) AS n_messages, uniqExactIf(tried, is_now) / n_messages AS attempts,
            quantilesTDigestIf(0.5, 0.95)(duration_ns / 1e9, is_now) AS latency,
            uniqExactIf(call, NOT is_now) AS n_usual, uniqExactIf(call, NOT is_now AND is_error) / n_usual AS usual_error_share,
            uniqExactIf(tried, NOT is_now) / uniqExactIf(message, NOT is_now) AS usual_attempts,
            quantilesTDigestIf(0.5, 0.95)(duration_ns / 1e9, NOT is_now) AS usual_latency,
            max(at) AS last_at
        FROM calls_of
        GROUP BY interface
    ),
    changes AS
    (
        SELECT interface, argMax(version, since) AS version, max(since) AS changed_at, count() AS n_versions
        FROM
        (
            SELECT interface, version, min(at) AS since FROM interface_calls WHERE version != ''
            GROUP BY interface, version HAVING since <= {as_of:DateTime64(3, 'UTC')} -- as the projection first_seen has it
        )
        GROUP BY interface
    ),
    behind AS MATERIALIZED
    (
        SELECT interface, count() AS n_objects, countIf(how = 'failed') AS n_failed, uniqExactIf(customer, customer != '') AS n_customers, sum(value) AS worth
        FROM interface_impact(from = {from:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)})
        GROUP BY interface
    ),
    raised AS
    (
        SELECT interface, min(severity) AS worst, argMin(reason, severity) AS said, argMin(code, severity) AS raised_as
        FROM known(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)})
        WHERE is_open AND startsWith(code, 'INT.') AND interface != ''
        GROUP BY interface
    ),
    names AS
    (
        SELECT toString(interface) AS interface FROM measured
        UNION DISTINCT
        SELECT toString(interface) FROM behind
        UNION DISTINCT
        SELECT toString(interface) FROM gov_interfaces
    )
SELECT
    n.interface AS interface, if(g.title = '', n.interface, g.title) AS title, toString(g.owner) AS owner, m.service AS service, m.peer AS peer,
    m.n_calls AS n_calls, m.n_errors AS n_errors, if(n_calls > 0, m.error_share, NULL) AS error_share,
    m.n_messages AS n_messages, if(n_calls > 0, m.attempts - 1, NULL) AS retries,
    if(n_calls > 0, m.latency[1], NULL) AS p50_s, if(n_calls > 0, m.latency[2], NULL) AS p95_s,
    m.n_usual AS n_usual, if(n_usual > 0, n_usual / n_steps, NULL) AS usual_calls,
    if(n_usual > 0, m.usual_error_share, NULL) AS usual_error_share, if(n_usual > 0, m.usual_attempts - 1, NULL) AS usual_retries,
    if(n_usual > 0, m.usual_latency[1], NULL) AS usual_p50_s, if(n_usual > 0, m.usual_latency[2], NULL) AS usual_p95_s,
    b.n_objects AS n_objects, b.n_failed AS n_failed_objects, b.n_customers AS n_customers, b.worth AS value,
    c.version AS version, if(c.n_versions > 1, c.changed_at, never) AS changed_at, m.last_at AS last_at,
    toString(r.raised_as) AS code, r.said AS reason,
    multiIf(
        code != '', 'off_target',
        n_calls = 0, 'no_data',
        m.attempts > wanted.1 OR p95_s > wanted.2 OR n_objects > 0, 'watch',
        'on_target') AS status
FROM names AS n
LEFT JOIN measured AS m ON m.interface = n.interface
LEFT JOIN changes AS c ON c.interface = n.interface
LEFT JOIN behind AS b ON b.interface = n.interface
LEFT JOIN raised AS r ON r.interface = n.interface
LEFT JOIN gov_interfaces AS g ON g.interface = n.interface
