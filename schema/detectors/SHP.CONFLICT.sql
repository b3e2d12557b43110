/*
title = "Systems disagree on an object"
definition = """
For each rule under `reconcile`: the leader has asserted one of the rule's states, the rule's tolerance has passed, and the follower
has asserted nothing of at least the rank expected. A follower that rejected or cancelled does not agree, and what it said before that
no longer counts; a leader that rejected or cancelled has withdrawn its claim, so that nothing is raised once both have let go. Objects
that ended well (closed, proof of delivery received) raise nothing. It began when the tolerance ran out. One row an object and rule."""
sentence = "{n} objects ({value}) in {region} stand differently in two systems; oldest {oldest} ({object}): {reason}"
action = "Send the missing message again from the system that leads, and mend the interface that lost it."
kind = "object"
source = "domain.md 1 K51, 2.2 rule 4, 2.4 SHP.CONFLICT, 3 scenario 4"
*/
WITH
    {as_of:DateTime64(3, 'UTC')} AS asked_at,
    (SELECT CAST((groupArray(object_type || '.' || state), groupArray(rank)), 'Map(String, UInt16)') FROM gov_states) AS ranks,
    (SELECT groupArray((object_type || '.' || state)::String) FROM gov_states WHERE is_reversal AND is_final) AS voids,
    (SELECT groupArray((object_type || '.' || state)::String) FROM gov_states WHERE is_final AND NOT is_reversal) AS ends,
    s -> if(s < 3600, intDiv(s, 60) || ' min', intDiv(s, 3600) || ' h') AS spell,
    held AS
    (
        SELECT
            s.*, r.name AS rule, r.leader AS leader, r.follower AS follower, r.tolerance_s AS tolerance_s, r.owner AS rule_owner,
            arrayMap((t, role, state) -> (t, role::String, (s.object_type || '.' || state)::String), s.m_at, s.m_role, s.m_state) AS log,
            arrayFilter(x -> x.1 <= asked_at AND x.2 = leader, log) AS led,
            arrayFilter(x -> x.1 <= asked_at AND x.2 = follower, log) AS followed,
            arrayMax(arrayMap(x -> x.1, arrayFilter(x -> has(voids, x.3), led))) AS led_void_at,
            arrayMax(arrayMap(x -> x.1, arrayFilter(x -> has(voids, x.3), followed))) AS followed_void_at,
            arrayMap(x -> x.3, followed) AS followed_keys,
            arrayMax(arrayMap(x -> ranks[x.3], arrayFilter(x -> x.1 > followed_void_at AND NOT has(voids, x.3), followed))) AS followed_rank,
            arrayFilter(x -> has(r.states, substring(x.3, position(x.3, '.') + 1)) AND x.1 <= asked_at - toIntervalSecond(tolerance_s)
                AND (x.1 > led_void_at OR has(voids, x.3)), led) AS claims,
            arrayFilter(x -> if(has(voids, x.3), NOT has(followed_keys, x.3), if(r.expects_rank > 0, r.expects_rank, ranks[x.3]) > followed_rank), claims) AS unmet
        FROM
        (
            SELECT object_type, object_id, tenant, region, warehouse, carrier, customer, order_class, mode, value, trace_id, m_at, m_role, m_state
            FROM object_state
            WHERE rests_at >= {as_of:DateTime64(3, 'UTC')} AND sign = 1
              AND (object_type, object_id, ver) NOT IN
                  (SELECT object_type, object_id, ver FROM object_state WHERE sign = -1 AND rests_at >= {as_of:DateTime64(3, 'UTC')})
              AND object_type IN (SELECT object_type FROM gov_reconcile) AND hasAny(m_role, (SELECT groupUniqArray(leader) FROM gov_reconcile))
              AND NOT has(ends, (object_type || '.' || h_state[arrayCount(t -> t <= asked_at, h_at)])::String)
        ) AS s
        INNER JOIN gov_reconcile AS r ON r.object_type = s.object_type
        WHERE has(s.m_role, r.leader) AND notEmpty(unmet)
    )
SELECT
    (h.object_type || '|' || h.object_id || '|' || h.rule)::String AS fingerprint,
    h.object_type::String AS object_type,
    h.object_id AS object_id,
    arrayMin(arrayMap(x -> x.1, h.unmet)) + toIntervalSecond(h.tolerance_s) AS began_at,
    h.leader || ' says ' || replaceAll(substring(h.unmet[-1].3, length(h.object_type) + 2), '_', ' ') || ' since '
        || spell(dateDiff('second', h.unmet[-1].1, {as_of:DateTime64(3, 'UTC')})) || ', ' || h.follower || ' says '
        || if(empty(h.followed), 'nothing', replaceAll(substring(h.followed[-1].3, length(h.object_type) + 2), '_', ' '))
        || '; tolerance ' || spell(h.tolerance_s) AS reason,
    toFloat64(h.value) AS value,
    h.tenant::String AS tenant,
    h.region::String AS region,
    h.warehouse::String AS warehouse,
    h.carrier::String AS carrier,
    h.customer::String AS customer,
    h.order_class::String AS order_class,
    h.mode::String AS mode,
    '' AS interface,
    h.trace_id AS trace_id,
    (h.rule || '|' || h.region)::String AS place,
    h.rule_owner::String AS owner
FROM held AS h
