-- The parts of the three composites of the scorecard: each a share within a limit of the catalogue, with its weight and what it counts.
-- Parameters: from, as_of (the end of the period), scope. Grain: composite x part. A part with n = 0 has no score and takes no weight.
--   synchronisation   K48, a part a workflow, weighted as the catalogue weighs the workflows
--   exceptions        K32, K33, K35 at the end of the period: within their age limit; taken by a person before it ran out; owned by anybody
--   recovery          K34, K37 in the period: exceptions closed within their age limit; incidents (code and place) drained within it.
--                     What is open past its limit counts as missed. The parts of the last two weigh the same.
-- `typical_s` is the p90 in seconds behind the share: age, time to own, time to resolve, time until nothing of the incident was left.
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    known AS
    (
        SELECT
            *,
            NOT is_open AND closed_at >= {from:DateTime64(3, 'UTC')} AS is_ended,
            n_verbs > 0 AS is_owned,
            dateDiff('second', detected_at, multiIf(is_owned, first_verb_at, is_open, {as_of:DateTime64(3, 'UTC')}, closed_at)) AS own_s,
            dateDiff('second', detected_at, if(is_open, {as_of:DateTime64(3, 'UTC')}, closed_at)) AS resolve_s,
            detected_at >= {from:DateTime64(3, 'UTC')} AND (is_owned OR own_s > sla_s) AS is_due,
            is_ended OR (is_open AND resolve_s > sla_s) AS is_counted
        FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)})
    ),
    counted AS
    (
        SELECT
            countIf(is_open) AS n_open, countIf(is_open AND NOT is_past_sla) AS n_within, quantileExactIf(0.9)(age_s, is_open) AS typical_age,
            countIf(is_due) AS n_due, countIf(is_due AND is_owned AND own_s <= sla_s) AS n_in_time, quantileExactIf(0.9)(own_s, is_due) AS typical_own,
            countIf(is_open AND is_owned) AS n_taken,
            countIf(is_counted) AS n_counted, countIf(is_ended AND resolve_s <= sla_s) AS n_resolved, quantileExactIf(0.9)(resolve_s, is_counted) AS typical_resolve
        FROM known
    ),
    drained AS
    (
        SELECT
            incident, countIf(is_open) = 0 AS is_done, max(sla_s) AS limit_s,
            dateDiff('second', min(detected_at), if(is_done, max(closed_at), {as_of:DateTime64(3, 'UTC')})) AS took_s
        FROM known
        WHERE is_open OR is_ended
        GROUP BY incident
        HAVING is_done OR took_s > limit_s
    )
SELECT
    'synchronisation' AS composite, toString(g.workflow) AS part, g.title AS title, g.weight AS weight, if(k.n > 0, k.value, NULL) AS score, k.n AS n, NULL AS typical_s
FROM gov_workflows AS g
LEFT JOIN
(
    SELECT series, value, n FROM kpi_slo_attainment(
        from = {from:DateTime64(3, 'UTC')}, to = {as_of:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
        bucket_s = toUInt32(dateDiff('second', {from:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')})),
        by = 'workflow', scope = {scope:Array(String)})
) AS k ON k.series = g.workflow
UNION ALL
SELECT p.1, p.2, p.3, p.4, if(p.6 > 0, p.5 / p.6, NULL), p.6, if(p.6 > 0, nullIf(p.7, -1), NULL)
FROM
(
    SELECT arrayJoin([
        ('exceptions', 'age', 'open, within their age limit', 1 / 3, n_within, n_open, toInt64(typical_age)),
        ('exceptions', 'own', 'detected, taken before their age limit', 1 / 3, n_in_time, n_due, toInt64(typical_own)),
        ('exceptions', 'unowned', 'open, taken by a person', 1 / 3, n_taken, n_open, toInt64(-1)),
        ('recovery', 'resolve', 'resolved within their age limit', 1 / 2, n_resolved, n_counted, toInt64(typical_resolve))]) AS p
    FROM counted
)
UNION ALL
SELECT 'recovery', 'drain', 'incidents drained within their age limit', 1 / 2, if(n > 0, countIf(is_done AND took_s <= limit_s) / n, NULL),
    count() AS n, if(n > 0, quantileExact(0.9)(took_s), NULL)
FROM drained
