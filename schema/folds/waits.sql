/*
The waits of a row of object_state, as rows of object_waits with its sign and version: what is cancelled cancels its waits.

    wait      begins with a milestone, a plan or a guard that was met, and ends with the first state of the rank of what is waited for, or
              a higher one; a final reversal (cancelled, returned) drops it. A block over the object drops it too, and another wait begins
              when the last block is cleared.
    stay      in a stage: ends with the first state outside it and is dropped if that is a reversal; `turns` are the positions of entry,
              exit, entry ...
    overlay   from where it is set to where it is cleared.
    guards    for the first unmet guard once anything has come (an earlier guard, or the state `begins`), or in one of `states`; a row from
              one change to the next, `since` the last thing that did come. `next` names the guard, `expected` is the state meanwhile.
    progress  while the object is active: from one sign of progress to the next.

Times may lie after any as_of: who reads them decides at which moment it looks. Business seconds are counted where the rule's clock is business.
*/
SELECT
    x.what AS what, x.name AS name, x.gone_at AS gone_at, x.began_at AS began_at, x.object_type AS object_type, x.object_id AS object_id,
    x.is_ended AS is_ended, x.since AS since, toFloat64(c.open_before_s) + least(dateDiff('millisecond', c.opens_at, x.since) / 1000, c.open_s) AS open_since_s,
    multiIf(x.gone_at = x.far, 0,
        x.clock = 'business', greatest(0, toFloat64(d.open_before_s) + least(dateDiff('millisecond', d.opens_at, x.gone_at) / 1000, d.open_s) - open_since_s),
        greatest(0, dateDiff('millisecond', x.since, x.gone_at) / 1000)) AS elapsed_s,
    x.next AS next, x.expected AS expected, x.is_overlay AS is_overlay, x.limit_s AS limit_s, x.clock AS clock,
    x.tenant AS tenant, x.region AS region, x.warehouse AS warehouse, x.carrier AS carrier, x.customer AS customer,
    x.order_class AS order_class, x.mode AS mode, x.value AS value, x.sign AS sign, x.ver AS ver
FROM
(
    WITH toDateTime64(0, 3, 'UTC') AS zero
    SELECT
        zero AS never, toDateTime64('2299-12-31', 3, 'UTC') AS far,
        r.what AS what, r.name AS name, r.kind = 'overlay' AS is_overlay, toString(r.clock) AS clock,
        if(has(r.modes, o.mode), r.mode_limits[indexOf(r.modes, o.mode)], r.limit_s) AS limit_s,
        o.object_type AS object_type, o.object_id AS object_id, o.tenant AS tenant, o.region AS region, o.warehouse AS warehouse, o.carrier AS carrier,
        o.customer AS customer, o.order_class AS order_class, o.mode AS mode, o.value AS value, o.sign AS sign, o.ver AS ver,
        multiIf(
            startsWith(r.begins, 'plan:'), o.p_at[indexOf(o.p_state, substring(r.begins, 6))],
            startsWith(r.begins, 'guard:'), o.guard_at[indexOf(o.guard_name, substring(r.begins, 7))],
            o.m_at[indexOf(o.m_state, r.begins)]) AS first_at,
        arrayFirst((t, s) -> has(r.done, s), o.h_at, o.h_state) AS done_at,
        arrayFirst((t, s) -> has(r.dropping, s), o.h_at, o.h_state) AS reversed_at,
        arrayFilter((t, h) -> has(r.blocks, h), o.hold_from, o.hold_name) AS block_from,
        arrayFilter((t, h) -> has(r.blocks, h), o.hold_to, o.hold_name) AS block_to,
        arrayFilter(t -> t != zero AND NOT arrayExists((f, u) -> f <= t AND (u = zero OR u > t), block_from, block_to),
            arrayDistinct(arrayConcat([first_at], arrayFilter(u -> u > first_at, block_to)))) AS starts,
        arrayMap(s -> has(r.states, s), o.h_state) AS inside,
        arrayFilter(i -> inside[i] != inside[i - 1], arrayEnumerate(inside)) AS turns,
        arrayMap(k -> (turns[k], turns[k + 1]), arrayFilter(k -> k % 2 = 1, arrayEnumerate(turns))) AS runs,
        arraySort(arrayDistinct(arrayConcat(o.h_at, arrayFilter(t -> t != zero, o.guard_at)))) AS changes,
        -- (from, until, position in the history) of each change, with the first guard that is not met then
        arrayMap((t, i) -> (t, changes[i + 1], toUInt32(arrayCount(x -> x <= t, o.h_at))), changes, arrayEnumerate(changes)) AS spans,
        arrayMap(z -> if(o.h_level[z.3] = 0 OR bitTest(o.h_flags[z.3], 0), 0, arrayFirstIndex((target, met) -> target > o.h_level[z.3] AND (met = zero OR met > z.1), o.guard_rank, o.guard_at)), spans) AS unmet,
        arrayMap((z, g) -> arrayFilter(t -> t != zero AND t <= z.1, arraySlice(o.guard_at, 1, g - 1)), spans, unmet) AS come,
        arrayJoin(multiIf(
            r.kind = 'wait', arrayMap(t -> (t, done_at, arrayMin(arrayConcat(if(reversed_at = zero, [], [reversed_at]), arrayFilter(f -> f > t, block_from))), '', t, ''),
                if(first_at = zero, [], starts)),
            r.kind = 'overlay', arrayMap((since, until) -> (since, until, zero, 'cleared', since, toString(r.expected)),
                arrayFilter((t, h) -> h = r.overlay, o.hold_from, o.hold_name), arrayFilter((t, h) -> h = r.overlay, o.hold_to, o.hold_name)),
            r.kind = 'stay', arrayMap(x -> (o.h_at[x.1],
                if(has(r.reversals, o.h_state[x.2]), zero, o.h_at[x.2]), if(has(r.reversals, o.h_state[x.2]), o.h_at[x.2], zero),
                toString(o.h_state[x.2]), o.h_at[x.1], toString(r.expected)), runs),
            r.kind = 'guards', arrayMap((z, g, met) -> (z.1, z.2, zero,
                if(has(r.states, o.h_state[z.3]), toString(o.h_state[z.3]), concat(o.guard_for[g], '|', o.guard_name[g])),
                if(has(r.states, o.h_state[z.3]), o.h_at[z.3], greatest(o.h_at[z.3], arrayMax(met))), toString(o.h_state[z.3])),
                arrayFilter((z, g, met) -> has(r.states, o.h_state[z.3]) OR (g > 0 AND (notEmpty(met) OR (first_at != zero AND first_at <= z.1))), spans, unmet, come) AS held,
                arrayFilter((g, z, met) -> has(r.states, o.h_state[z.3]) OR (g > 0 AND (notEmpty(met) OR (first_at != zero AND first_at <= z.1))), unmet, spans, come),
                arrayFilter((met, z, g) -> has(r.states, o.h_state[z.3]) OR (g > 0 AND (notEmpty(met) OR (first_at != zero AND first_at <= z.1))), come, spans, unmet)),
            arrayMap((t, i) -> (t,
                arrayMin(arrayFilter(u -> u != zero, [o.progress_at[i + 1], arrayFirst((u, f) -> u > t AND NOT bitTest(f, 1), o.h_at, o.h_flags)])), zero, '', t, ''),
                arrayFilter(t -> bitTest(o.h_flags[arrayCount(x -> x <= t, o.h_at)], 1), o.progress_at) AS moves,
                arrayFilter((i, t) -> bitTest(o.h_flags[arrayCount(x -> x <= t, o.h_at)], 1), arrayEnumerate(o.progress_at), o.progress_at)))) AS w,
        w.1 AS began_at, least(if(w.2 = zero, far, w.2), if(w.3 = zero, far, w.3)) AS gone_at, w.2 != zero AND gone_at = w.2 AS is_ended,
        w.4 AS next, w.5 AS since, if(r.kind = 'wait', toString(r.expected), w.6) AS expected
    FROM object_state AS o
    INNER JOIN gov_wait_rules AS r ON r.object_type = o.object_type
    WHERE r.kind IN ('wait', 'guards') OR (r.kind = 'overlay' AND has(o.hold_name, r.overlay)) OR (r.kind = 'stay' AND hasAny(o.h_state, r.states))
       OR (r.kind = 'progress' AND arrayExists(f -> bitTest(f, 1), o.h_flags))
) AS x
ASOF LEFT JOIN (SELECT 'business' AS clock, opens_at, open_s, open_before_s FROM gov_calendar WHERE calendar = 'business') AS c ON c.clock = x.clock AND x.since >= c.opens_at
ASOF LEFT JOIN (SELECT 'business' AS clock, opens_at, open_s, open_before_s FROM gov_calendar WHERE calendar = 'business') AS d ON d.clock = x.clock AND x.gone_at >= d.opens_at
