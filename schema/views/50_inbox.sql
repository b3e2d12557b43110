-- Exceptions known at as_of, open or closed, with what people have done with them until then.
-- Parameters: as in known. `status` is the lifecycle's word; `is_open` the condition still holds; `needs_us` nobody has put it aside.
SELECT
    e.code AS code, e.fingerprint AS fingerprint, e.detected_at AS detected_at, e.began_at AS began_at, e.closed_at AS closed_at,
    e.reason AS reason, e.value AS value, e.object_type AS object_type, e.object_id AS object_id,
    e.tenant AS tenant, e.region AS region, e.warehouse AS warehouse, e.carrier AS carrier, e.customer AS customer,
    e.order_class AS order_class, e.mode AS mode, e.interface AS interface, e.trace_id AS trace_id, e.place AS place,
    e.severity AS severity, e.workflow AS workflow, e.sla_s AS sla_s, e.incident AS incident, e.id AS id,
    if(v.team != '', v.team, e.owner) AS owner,
    v.assignee AS assignee, v.n_verbs AS n_verbs, v.last_at AS verb_at, v.last_verb AS last_verb, v.first_at AS first_verb_at,
    e.is_open AS is_open, v.is_aside AS is_aside,
    is_open AND NOT is_aside AND v.last_verb NOT IN ('resolve', 'confirm') AS needs_us,
    multiIf(
        NOT is_open AND v.last_verb IN ('resolve', 'confirm'), 'confirmed',
        NOT is_open, 'cleared',
        is_aside, transform(v.last_verb, ['postpone', 'wait', 'suppress'], ['postponed', 'waiting', 'suppressed'], ''),
        v.last_verb IN ('resolve', 'confirm'), 'resolved',
        v.last_verb = 'reopen', 'reopened',
        v.team != '', 'assigned',
        v.n_verbs > 0, 'acknowledged',
        'detected') AS status,
    e.age_s AS age_s, e.is_past_sla AS is_past_sla
FROM known(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}) AS e
LEFT JOIN
(
    SELECT
        code, fingerprint, detected_at, n_verbs, first_at, last_at, last_verb, team, assignee,
        last_verb IN ('postpone', 'wait', 'suppress') AND (last_until = toDateTime64(0, 3, 'UTC') OR last_until > {as_of:DateTime64(3, 'UTC')}) AS is_aside
    FROM
    (
        SELECT
            code, fingerprint, detected_at, count() AS n_verbs, min(at) AS first_at, max(at) AS last_at,
            argMaxIf(verb, at, verb != 'comment') AS last_verb, argMaxIf(until, at, verb != 'comment') AS last_until,
            argMaxIf(team, at, verb = 'assign' AND team != '') AS team, argMaxIf(actor, at, verb IN ('acknowledge', 'assign')) AS assignee
        FROM exception_verbs
        WHERE at <= {as_of:DateTime64(3, 'UTC')}
        GROUP BY code, fingerprint, detected_at
    )
) AS v ON v.code = e.code AND v.fingerprint = e.fingerprint AND v.detected_at = e.detected_at
