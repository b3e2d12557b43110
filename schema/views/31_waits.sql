-- Who waits, or waited, for what: one row an object and wait, from where it begins to where it ends or is dropped.
-- Parameters: type; as_of, scope, by as in objects; and what is waited for:
--   what = a tolerance     from the state `begins` ('plan:' before it: from when that state was planned) to the state `ends`
--   what = 'workflows'     the transition that each workflow of this type promises (begins and ends are not looked at)
--   what = 'stages'        each stay in a stage of the funnel (begins and ends are not looked at)
-- A wait begins with the milestone itself and ends with the first state of its rank or a higher one; a final reversal (cancelled,
-- returned) drops it; while a block lies over the object nobody waits, and its time counts from when the last block was cleared.
-- Times are 1970 where they have not come, and may lie after as_of: who reads it decides at which moment it looks.
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    (SELECT groupArray(toString(state)) FROM gov_states WHERE object_type = {type:String} AND is_reversal AND is_final) AS dropping,
    (SELECT groupArray(toString(state)) FROM gov_states WHERE object_type = {type:String} AND is_reversal) AS reversals,
    (SELECT groupArray(toString(overlay)) FROM gov_overlays WHERE object_type = {type:String} AND is_block) AS blocks,
    (SELECT groupArray(toString(mode)) FROM (SELECT mode FROM gov_tolerances WHERE name = {what:String} AND mode != '' ORDER BY mode)) AS modes,
    (SELECT groupArray(limit_s) FROM (SELECT limit_s FROM gov_tolerances WHERE name = {what:String} AND mode != '' ORDER BY mode)) AS mode_limits,
    promises AS
    (
        SELECT p.name AS name, p.begins AS begins, p.limit_s AS limit_s, p.clock AS clock, groupArray(toString(s.state)) AS done
        FROM
        (
            SELECT toString(name) AS name, {begins:String} AS begins, {ends:String} AS ends, limit_s, toString(clock) AS clock
            FROM gov_tolerances WHERE name = {what:String} AND mode = ''
            UNION ALL
            SELECT toString(workflow), toString(slo_from), toString(slo_to), slo_limit_s, toString(slo_clock)
            FROM gov_workflows WHERE {what:String} = 'workflows' AND slo_type = {type:String}
        ) AS p
        INNER JOIN (SELECT toString(state) AS state, rank FROM gov_states WHERE object_type = {type:String}) AS e ON e.state = p.ends
        CROSS JOIN (SELECT state, rank FROM gov_states WHERE object_type = {type:String} AND NOT is_reversal) AS s
        WHERE s.rank >= e.rank
        GROUP BY name, begins, limit_s, clock
    ),
    stages AS
    (
        SELECT
            toString(g.stage) AS name, g.states AS states, toString(g.overlay) AS overlay, g.limit_s AS limit_s, toString(t.clock) AS clock,
            (SELECT groupArray((rank, toString(state))) FROM gov_states WHERE object_type = {type:String}) AS ranks,
            arrayMax(arrayMap(r -> r.1, arrayFilter(r -> has(g.states, r.2), ranks))) AS last_rank,
            if(overlay != '', 'cleared', arrayMin(arrayFilter(r -> r.1 > last_rank AND NOT has(reversals, r.2), ranks)).2) AS expected
        FROM gov_stages AS g
        LEFT JOIN (SELECT name, clock FROM gov_tolerances WHERE mode = '') AS t ON t.name = g.tolerance
        WHERE g.object_type = {type:String} AND {what:String} = 'stages'
    )
SELECT
    p.name AS name, o.object_id AS object_id, toString(o.series) AS series,
    if(startsWith(p.begins, 'plan:'), o.p_at[indexOf(o.p_state, replaceOne(p.begins, 'plan:', ''))], o.m_at[indexOf(o.m_state, p.begins)]) AS began_at,
    arrayFirst((t, s) -> has(p.done, s), o.h_at, o.h_state) AS ended_at,
    arrayFirst((t, s) -> has(dropping, s), o.h_at, o.h_state) AS dropped_at,
    if(has(modes, o.mode), mode_limits[indexOf(modes, o.mode)], p.limit_s) AS limit_s,
    p.clock AS clock, '' AS next, '' AS expected,
    arrayFilter((t, h) -> has(blocks, h), o.hold_from, o.hold_name) AS block_from,
    arrayFilter((t, h) -> has(blocks, h), o.hold_to, o.hold_name) AS block_to
FROM objects(type = {type:String}, as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String}) AS o
CROSS JOIN promises AS p
WHERE {what:String} != 'stages' AND began_at != never
UNION ALL
SELECT
    name, object_id, cut, stay.1,
    if(has(reversals, stay.3), never, stay.2), if(has(reversals, stay.3), stay.2, never),
    limit_s, clock, stay.3, expected, [], []
FROM
(
    SELECT
        g.name AS name, o.object_id AS object_id, toString(o.series) AS cut, g.limit_s AS limit_s, g.clock AS clock, g.expected AS expected,
        arrayFilter(i -> has(g.states, o.h_state[i]) AND (i = 1 OR NOT has(g.states, o.h_state[i - 1])), arrayEnumerate(o.h_at)) AS entries,
        arrayMap(i -> (i, arrayFirst(j -> j > i AND NOT has(g.states, o.h_state[j]), arrayEnumerate(o.h_at))), entries) AS runs,
        arrayJoin(if(g.overlay = '',
            arrayMap(r -> (o.h_at[r.1], o.h_at[r.2], toString(o.h_state[r.2])), runs),
            arrayMap((since, until) -> (since, until, 'cleared'),
                arrayFilter((t, h) -> h = g.overlay, o.hold_from, o.hold_name), arrayFilter((t, h) -> h = g.overlay, o.hold_to, o.hold_name)))) AS stay
    FROM objects(type = {type:String}, as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String}) AS o
    CROSS JOIN stages AS g
    WHERE {what:String} = 'stages'
)
