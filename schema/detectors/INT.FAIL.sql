/*
title = "Interface fails"
definition = """
An interface on which, in the last `interface_failure`, more than the share `interface_error_share` of the messages and at least
`interface_min_failures` of them ended in failure; a message ends as its last attempt did, so that a retry that went through is no
failure. Where one region alone is over the share and the rest is not, it is that region's exception. It began with the first failure
after the last good period: failures less the allowed share are added up over a day, never below nothing and never above the minimum
number, and a period is good when the sum is back at nothing. Value: the objects on the failed messages."""
sentence = "{interface} in {region} has failed for {oldest} ({value}): {reason}"
action = "Open the latest failing trace, restore the interface or its partner, then replay the failed messages."
kind = "interface"
source = "domain.md 2.4 INT.FAIL, 2.5, 3 scenario 1"
*/
WITH
    {as_of:DateTime64(3, 'UTC')} AS asked_at,
    toDateTime64(0, 3, 'UTC') AS never,
    assumeNotNull((SELECT any(limit_s) FROM gov_tolerances WHERE name = 'interface_failure' AND mode = '')) AS window_s,
    assumeNotNull((SELECT any(target) FROM gov_tolerances WHERE name = 'interface_error_share')) AS allowed,
    assumeNotNull((SELECT any(target) FROM gov_tolerances WHERE name = 'interface_min_failures')) AS at_least,
    messages AS
    (
        SELECT
            interface, if(message_id != '', message_id, trace_id) AS message, max(at) AS ended_at,
            argMax(is_error, (at, attempt)) AS is_failed, argMax(calls.region, (at, attempt))::String AS region,
            argMax(trace_id, (at, attempt)) AS last_trace, argMax(status_message, (at, attempt)) AS said,
            groupUniqArrayArray(arrayZip(object_types, object_ids)) AS objects
        FROM interface_calls AS calls
        WHERE at > asked_at - toIntervalSecond(window_s) AND at <= asked_at
        GROUP BY interface, message
    ),
    verdicts AS MATERIALIZED
    (
        SELECT interface, failing_region, is_regional FROM failing_interfaces(as_of = {as_of:DateTime64(3, 'UTC')})
    ),
    failed AS MATERIALIZED
    (
        SELECT m.*, v.is_regional AS is_regional
        FROM messages AS m
        INNER JOIN verdicts AS v ON v.interface = m.interface
        WHERE NOT v.is_regional OR m.region = v.failing_region
    ),
    told AS
    (
        SELECT
            interface, any(is_regional) AS is_regional, count() AS n, sum(is_failed) AS n_failed,
            if(uniqExactIf(region, is_failed) = 1, anyIf(region, is_failed), '') AS one_region,
            argMaxIf(last_trace, ended_at, is_failed) AS trace_id, argMaxIf(said, ended_at, is_failed) AS message
        FROM failed
        GROUP BY interface
    ),
    hit AS
    (
        SELECT DISTINCT interface, object.1::String AS object_type, object.2 AS object_id FROM failed ARRAY JOIN objects AS object WHERE is_failed
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
        SELECT interface, toStartOfFiveMinutes(ended_at) AS slice, sum(is_failed) - allowed * count() AS excess, minIf(ended_at, is_failed) AS first_at
        FROM
        (
            SELECT
                interface, if(message_id != '', message_id, trace_id) AS message,
                max(at) AS ended_at, argMax(is_error, (at, attempt)) AS is_failed, argMax(calls.region, (at, attempt)) AS region
            FROM interface_calls AS calls
            WHERE at > asked_at - toIntervalDay(1) AND at <= asked_at AND interface IN (SELECT interface FROM verdicts)
            GROUP BY interface, message
        ) AS m
        INNER JOIN verdicts AS v ON v.interface = m.interface
        WHERE NOT v.is_regional OR m.region = v.failing_region
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
    t.interface::String || if(t.is_regional, '|' || t.one_region, '') AS fingerprint,
    '' AS object_type,
    '' AS object_id,
    s.began_at AS began_at,
    t.n_failed || ' of ' || t.n || ' messages failed in the last ' || intDiv(window_s, 60) || ' min' || if(t.message = '', '', ': ' || t.message) AS reason,
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
