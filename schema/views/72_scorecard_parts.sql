-- The parts of two composites of the scorecard: each a share within a limit of the catalogue, with its weight and what it counts.
-- Parameters: from, as_of (the end of the period), scope. Grain: composite x part. A part with n = 0 has no score and takes no weight.
--   exceptions        K32, K33, K35 at the end of the period: within their age limit; taken by a person before it ran out; owned by anybody
--   recovery          K34, K37 in the period: exceptions closed within their age limit; incidents (code and place) drained within it.
--                     What is open past its limit counts as missed. The two parts weigh the same.
-- The parts of the third, synchronisation (K48), are the workflows with their attainment: workflow_scores says them.
-- `typical_s` is the p90 in seconds behind the share: age, time to own, time to resolve, time until nothing of the incident was left.
-- Incident by incident and then over all, for the exceptions are read once so.
WITH
    known AS
    (
        SELECT
            *,
            n_verbs > 0 AS is_owned,
            NOT is_open AND closed_at >= {from:DateTime64(3, 'UTC')} AS is_ended,
            if(is_open, {as_of:DateTime64(3, 'UTC')}, closed_at) AS until
        FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)})
    ),
    timed AS
    (
        SELECT
            incident, is_open, is_past_sla, is_owned, is_ended, detected_at, until, sla_s, age_s,
            dateDiff('second', detected_at, if(is_owned, first_verb_at, until)) AS own_s,
            dateDiff('second', detected_at, until) AS resolve_s
        FROM known
    ),
    judged AS
    (
        SELECT
            *,
            detected_at >= {from:DateTime64(3, 'UTC')} AND (is_owned OR own_s > sla_s) AS is_due,
            is_ended OR (is_open AND resolve_s > sla_s) AS is_counted
        FROM timed
    ),
    by_incident AS
    (
        SELECT
            countIf(is_open) AS n_open, countIf(is_open AND NOT is_past_sla) AS n_within, quantileExactStateIf(0.9)(age_s, is_open) AS ages,
            countIf(is_due) AS n_due, countIf(is_due AND is_owned AND own_s <= sla_s) AS n_in_time, quantileExactStateIf(0.9)(own_s, is_due) AS owns,
            countIf(is_open AND is_owned) AS n_taken,
            countIf(is_counted) AS n_counted, countIf(is_ended AND resolve_s <= sla_s) AS n_resolved, quantileExactStateIf(0.9)(resolve_s, is_counted) AS resolves,
            dateDiff('second', minIf(detected_at, is_open OR is_ended), maxIf(until, is_open OR is_ended)) AS took_s,
            took_s <= maxIf(sla_s, is_open OR is_ended) AS is_in_time,
            n_open > 0 AND NOT is_in_time OR n_open = 0 AND countIf(is_ended) > 0 AS is_measured
        FROM judged
        GROUP BY incident
    ),
    counted AS
    (
        SELECT
            sum(by_incident.n_open) AS n_open, sum(n_within) AS n_within, toInt64(quantileExactMerge(0.9)(ages)) AS typical_age,
            sum(n_due) AS n_due, sum(n_in_time) AS n_in_time, toInt64(quantileExactMerge(0.9)(owns)) AS typical_own,
            sum(n_taken) AS n_taken,
            sum(n_counted) AS n_counted, sum(n_resolved) AS n_resolved, toInt64(quantileExactMerge(0.9)(resolves)) AS typical_resolve,
            countIf(is_measured) AS n_measured, countIf(is_measured AND is_in_time) AS n_drained,
            toInt64(quantileExactIf(0.9)(took_s, is_measured)) AS typical_drain
        FROM by_incident
    )
SELECT
    p.1 AS composite, p.2 AS part, p.3 AS title, p.4 AS weight, if(p.6 > 0, p.5 / p.6, NULL) AS score, p.6 AS n,
    if(p.6 > 0, nullIf(p.7, -1), NULL) AS typical_s
FROM
(
    SELECT arrayJoin([
        ('exceptions', 'age', 'open, within their age limit', 1 / 3, n_within, n_open, typical_age),
        ('exceptions', 'own', 'detected, taken before their age limit', 1 / 3, n_in_time, n_due, typical_own),
        ('exceptions', 'unowned', 'open, taken by a person', 1 / 3, n_taken, n_open, toInt64(-1)),
        ('recovery', 'drain', 'incidents drained within their age limit', 1 / 2, n_drained, n_measured, typical_drain),
        ('recovery', 'resolve', 'resolved within their age limit', 1 / 2, n_resolved, n_counted, typical_resolve)]) AS p
    FROM counted
)
