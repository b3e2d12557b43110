-- Interfaces that fail by the catalogue's measure: in the last `interface_failure` more than `interface_error_share` of their messages, and at
-- least `interface_min_failures`, ended in failure, over all or in one region. A message ends as its last attempt did.
-- Parameters: as_of. Grain: interface. `is_regional`: one region alone is over the share and the rest is not; `failing_region` names it.
WITH
    (SELECT any(limit_s) FROM gov_tolerances WHERE name = 'interface_failure' AND mode = '') AS window_s,
    assumeNotNull((SELECT any(target) FROM gov_tolerances WHERE name = 'interface_error_share')) AS allowed,
    assumeNotNull((SELECT any(target) FROM gov_tolerances WHERE name = 'interface_min_failures')) AS at_least
SELECT
    interface, sum(n) AS n_all, sum(n_failed) AS failed_all,
    groupArrayIf(region, is_failing) AS failing, sumIf(n, NOT is_failing) AS n_rest, sumIf(n_failed, NOT is_failing) AS failed_rest,
    failing[1] AS failing_region,
    length(failing) = 1 AND failing_region != '' AND n_rest > 0 AND NOT (failed_rest >= at_least AND failed_rest > allowed * n_rest) AS is_regional
FROM
(
    SELECT interface, region, count() AS n, sum(is_failed) AS n_failed, n_failed >= at_least AND n_failed > allowed * n AS is_failing
    FROM
    (
        SELECT
            interface, if(message_id != '', message_id, trace_id) AS message,
            argMax(is_error, (at, attempt)) AS is_failed, argMax(calls.region, (at, attempt))::String AS region
        FROM interface_calls AS calls
        WHERE at > {as_of:DateTime64(3, 'UTC')} - toIntervalSecond(window_s) AND at <= {as_of:DateTime64(3, 'UTC')}
        GROUP BY interface, message
    )
    GROUP BY interface, region
)
GROUP BY interface
HAVING notEmpty(failing) OR (failed_all >= at_least AND failed_all > allowed * n_all)
