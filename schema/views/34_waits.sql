-- Who waits, or waited, for what: one row a wait of an object, from where it begins to where it ends or is dropped.
-- Parameters: types, what, begins, ends as in wait_rules; since as in histories; scope, by as in objects.
-- A wait begins with the milestone itself and ends with the first state of its rank or a higher one; a final reversal (cancelled,
-- returned) drops it. A block over the object drops it too, and another wait begins when the last block is cleared. A stay in a stage
-- ends with the first state outside it and is dropped if that is a reversal; `turns` are the positions of entry, exit, entry ...
-- Times are 1970 where they have not come, and may lie after as_of: who reads them decides at which moment it looks. `gone_at` is when
-- a wait ended or was dropped.
WITH toDateTime64(0, 3, 'UTC') AS never
SELECT
    name, object_id, series, limit_s, clock, expected, w.4 AS next, w.1 AS began_at, w.2 AS ended_at, w.3 AS dropped_at,
    multiIf(ended_at = never, dropped_at, dropped_at = never, ended_at, least(ended_at, dropped_at)) AS gone_at
FROM
(
    SELECT
        r.name AS name, o.object_id AS object_id, o.series AS series, r.clock AS clock, r.expected AS expected,
        if(has(r.modes, o.mode), r.mode_limits[indexOf(r.modes, o.mode)], r.limit_s) AS limit_s,
        multiIf(
            startsWith(r.begins, 'plan:'), o.p_at[indexOf(o.p_state, substring(r.begins, 6))],
            startsWith(r.begins, 'guard:'), o.guard_at[indexOf(o.guard_name, substring(r.begins, 7))],
            o.m_at[indexOf(o.m_state, r.begins)]) AS first_at,
        arrayFirst((t, s) -> has(r.done, s), o.h_at, o.h_state) AS done_at,
        arrayFirst((t, s) -> has(r.dropping, s), o.h_at, o.h_state) AS reversed_at,
        arrayFilter((t, h) -> has(r.blocks, h), o.hold_from, o.hold_name) AS block_from,
        arrayFilter((t, h) -> has(r.blocks, h), o.hold_to, o.hold_name) AS block_to,
        arrayFilter(t -> t != never AND NOT arrayExists((f, u) -> f <= t AND (u = never OR u > t), block_from, block_to),
            arrayDistinct(arrayConcat([first_at], arrayFilter(u -> u > first_at, block_to)))) AS starts,
        arrayMap(s -> has(r.states, s), o.h_state) AS inside,
        arrayFilter(i -> inside[i] != inside[i - 1], arrayEnumerate(inside)) AS turns,
        arrayMap(k -> (turns[k], turns[k + 1]), arrayFilter(k -> k % 2 = 1, arrayEnumerate(turns))) AS runs,
        arrayJoin(multiIf(
            r.begins != '', arrayMap(t -> (t, done_at, arrayMin(arrayConcat(if(reversed_at = never, [], [reversed_at]), arrayFilter(f -> f > t, block_from))), ''), if(first_at = never, [], starts)),
            r.overlay != '', arrayMap((since, until) -> (since, until, never, 'cleared'),
                arrayFilter((t, h) -> h = r.overlay, o.hold_from, o.hold_name), arrayFilter((t, h) -> h = r.overlay, o.hold_to, o.hold_name)),
            arrayMap(x -> (o.h_at[x.1],
                if(has(r.reversals, o.h_state[x.2]), never, o.h_at[x.2]), if(has(r.reversals, o.h_state[x.2]), o.h_at[x.2], never),
                toString(o.h_state[x.2])), runs))) AS w
    FROM histories(types = {types:Array(String)}, since = {since:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String}) AS o
    INNER JOIN wait_rules(types = {types:Array(String)}, what = {what:String}, begins = {begins:String}, ends = {ends:String}, by = {by:String}) AS r
        ON r.object_type = o.object_type
    WHERE r.begins != '' OR r.overlay != '' OR hasAny(o.h_state, r.states)
)
