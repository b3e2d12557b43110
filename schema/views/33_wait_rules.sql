-- What counts as a wait, from the catalogue. Grain: one wait that an object of a type may have. Parameters: types, and what is waited for:
--   what = a tolerance     from the state `begins` to the state `ends`; 'plan:' before `begins`: from when that state was
--                          planned; 'guard:' and a guard's name: from when that guard was met
--   what = 'workflows'     the transition that each workflow promises (begins and ends are not looked at)
--   what = 'stages'        each stay in a stage of the funnel; stages that lie over others (delayed) only by = 'stage' or 'transition'
WITH
    life AS
    (
        SELECT
            object_type, groupArray((rank, toString(state))) AS ranks,
            groupArrayIf(toString(state), is_reversal) AS reversals,
            groupArrayIf(toString(state), is_reversal AND is_final) AS dropping
        FROM gov_states WHERE object_type IN {types:Array(String)} GROUP BY object_type
    ),
    rules AS
    (
        SELECT arrayJoin({types:Array(String)}) AS object_type, toString(name) AS name, {begins:String} AS begins, {ends:String} AS ends,
               [] AS states, '' AS overlay, limit_s, toString(clock) AS clock, 0 AS position
        FROM gov_tolerances WHERE name = {what:String} AND mode = ''
        UNION ALL
        SELECT slo_type, toString(workflow), toString(slo_from), toString(slo_to), [], '', slo_limit_s, toString(slo_clock), 0
        FROM gov_workflows WHERE {what:String} = 'workflows'
        UNION ALL
        SELECT g.object_type, toString(g.stage), '', '', g.states, toString(g.overlay), g.limit_s, toString(t.clock), g.position
        FROM gov_stages AS g
        LEFT JOIN (SELECT name, clock FROM gov_tolerances WHERE mode = '') AS t ON t.name = g.tolerance
        WHERE {what:String} = 'stages' AND (g.overlay = '' OR {by:String} IN ('stage', 'transition'))
    )
SELECT
    r.object_type AS object_type, r.name AS name, r.begins AS begins, r.states AS states, r.overlay AS overlay, r.limit_s AS limit_s, r.clock AS clock,
    l.dropping AS dropping, l.reversals AS reversals, b.blocks AS blocks,
    arrayFirst(x -> x.2 = r.ends, l.ranks).1 AS end_rank,
    arrayMap(x -> x.2, arrayFilter(x -> x.1 >= end_rank AND NOT has(l.reversals, x.2), l.ranks)) AS done,
    arrayMax(arrayMap(x -> x.1, arrayFilter(x -> has(r.states, x.2), l.ranks))) AS last_rank,
    multiIf({what:String} != 'stages', '', r.overlay != '', 'cleared',
        arrayMin(arrayFilter(x -> x.1 > last_rank AND NOT has(l.reversals, x.2), l.ranks)).2) AS expected,
    t.modes AS modes, t.mode_limits AS mode_limits
FROM rules AS r
INNER JOIN life AS l ON l.object_type = r.object_type
LEFT JOIN (SELECT object_type, groupArray(toString(overlay)) AS blocks FROM gov_overlays WHERE is_block GROUP BY object_type) AS b ON b.object_type = r.object_type
LEFT JOIN (SELECT name, groupArray(toString(mode)) AS modes, groupArray(limit_s) AS mode_limits FROM gov_tolerances WHERE mode != '' GROUP BY name) AS t ON t.name = r.name
