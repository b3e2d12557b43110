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

Whether a wait was in time says the table itself; `due_at` is until when it is, so that nobody who asks whether it is late needs the calendar.
Times may lie after any as_of: who reads them decides at which moment it looks. Business seconds are counted where the rule's clock is business.
One step after the other, each of plain columns: an alias used in an alias is analysed once for every use, which cost a second a statement.
*/
WITH
    ruled AS
    (
        SELECT
            toDateTime64(0, 3, 'UTC') AS zero, toDateTime64('2299-12-31', 3, 'UTC') AS far,
            r.what AS what, r.name AS name, r.kind AS kind, r.kind = 'overlay' AS is_overlay, toString(r.clock) AS clock,
            toString(r.expected) AS rule_expected, r.states AS states, r.reversals AS reversals, r.overlay AS overlay,
            if(has(r.modes, o.mode), r.mode_limits[indexOf(r.modes, o.mode)], r.limit_s) AS limit_s,
            o.object_type AS object_type, o.object_id AS object_id, o.tenant AS tenant, o.region AS region, o.warehouse AS warehouse, o.carrier AS carrier,
            o.customer AS customer, o.order_class AS order_class, o.mode AS mode, o.value AS value, o.sign AS sign, o.ver AS ver,
            o.progress_at AS progress_at, o.h_state AS h_state, o.h_at AS h_at, o.h_level AS h_level, o.h_flags AS h_flags,
            o.guard_for AS guard_for, o.guard_name AS guard_name, o.guard_rank AS guard_rank, o.guard_at AS guard_at,
            o.hold_name AS hold_name, o.hold_from AS hold_from, o.hold_to AS hold_to,
            multiIf(
                startsWith(r.begins, 'plan:'), o.p_at[indexOf(o.p_state, substring(r.begins, 6))],
                startsWith(r.begins, 'guard:'), o.guard_at[indexOf(o.guard_name, substring(r.begins, 7))],
                o.m_at[indexOf(o.m_state, r.begins)]) AS first_at,
            arrayFirst((t, s) -> has(r.done, s), o.h_at, o.h_state) AS done_at,
            arrayFirst((t, s) -> has(r.dropping, s), o.h_at, o.h_state) AS reversed_at,
            arrayFilter((t, h) -> has(r.blocks, h), o.hold_from, o.hold_name) AS block_from,
            arrayFilter((t, h) -> has(r.blocks, h), o.hold_to, o.hold_name) AS block_to,
            arrayMap(s -> has(r.states, s), o.h_state) AS inside,
            arraySort(arrayDistinct(arrayConcat(o.h_at, arrayFilter(t -> t != toDateTime64(0, 3, 'UTC'), o.guard_at)))) AS changes,
            arrayMap(t -> bitTest(o.h_flags[arrayCount(x -> x <= t, o.h_at)], 1), o.progress_at) AS is_moving
        FROM object_state AS o
        INNER JOIN gov_wait_rules AS r ON r.object_type = o.object_type
        WHERE r.kind IN ('wait', 'guards') OR (r.kind = 'overlay' AND has(o.hold_name, r.overlay)) OR (r.kind = 'stay' AND hasAny(o.h_state, r.states))
           OR (r.kind = 'progress' AND arrayExists(f -> bitTest(f, 1), o.h_flags))
    ),
    turned AS
    (
        SELECT
            *,
            arrayFilter(t -> t != zero AND NOT arrayExists((f, u) -> f <= t AND (u = zero OR u > t), block_from, block_to),
                arrayDistinct(arrayConcat([first_at], arrayFilter(u -> u > first_at, block_to)))) AS starts,
            arrayFilter(i -> inside[i] != inside[i - 1], arrayEnumerate(inside)) AS turns,
            -- (from, until, position in the history) of each change
            arrayMap((t, i) -> (t, changes[i + 1], toUInt32(arrayCount(x -> x <= t, h_at))), changes, arrayEnumerate(changes)) AS spans
        FROM ruled
    ),
    run AS
    (
        SELECT
            *,
            arrayMap(k -> (turns[k], turns[k + 1]), arrayFilter(k -> k % 2 = 1, arrayEnumerate(turns))) AS runs,
            -- the first guard that is not met in each span
            arrayMap(z -> if(h_level[z.3] = 0 OR bitTest(h_flags[z.3], 0), 0, arrayFirstIndex((target, met) -> target > h_level[z.3] AND (met = zero OR met > z.1), guard_rank, guard_at)), spans) AS unmet
        FROM turned
    ),
    held AS
    (
        SELECT
            *,
            -- the spans in which somebody waits for a guard: the span, the guard, when the guards before it were met
            arrayFilter(u -> has(states, h_state[(u.1).3]) OR (u.2 > 0 AND (notEmpty(u.3) OR (first_at != zero AND first_at <= (u.1).1))),
                arrayMap((z, g) -> (z, g, arrayFilter(t -> t != zero AND t <= z.1, arraySlice(guard_at, 1, g - 1))), spans, unmet)) AS guarded
        FROM run
    ),
    waited AS
    (
        SELECT
            *,
            arrayJoin(multiIf(
                kind = 'wait', arrayMap(t -> (t, done_at, arrayMin(arrayConcat(if(reversed_at = zero, [], [reversed_at]), arrayFilter(f -> f > t, block_from))), '', t, ''),
                    if(first_at = zero, [], starts)),
                kind = 'overlay', arrayMap((since, until) -> (since, until, zero, 'cleared', since, rule_expected),
                    arrayFilter((t, h) -> h = overlay, hold_from, hold_name), arrayFilter((t, h) -> h = overlay, hold_to, hold_name)),
                kind = 'stay', arrayMap(x -> (h_at[x.1],
                    if(has(reversals, h_state[x.2]), zero, h_at[x.2]), if(has(reversals, h_state[x.2]), h_at[x.2], zero),
                    toString(h_state[x.2]), h_at[x.1], rule_expected), runs),
                kind = 'guards', arrayMap(u -> ((u.1).1, (u.1).2, zero,
                    if(has(states, h_state[(u.1).3]), toString(h_state[(u.1).3]), concat(guard_for[u.2], '|', guard_name[u.2])),
                    if(has(states, h_state[(u.1).3]), h_at[(u.1).3], greatest(h_at[(u.1).3], arrayMax(u.3))), toString(h_state[(u.1).3])), guarded),
                arrayMap((t, i) -> (t,
                    arrayMin(arrayFilter(u -> u != zero, [progress_at[i + 1], arrayFirst((u, f) -> u > t AND NOT bitTest(f, 1), h_at, h_flags)])), zero, '', t, ''),
                    arrayFilter((t, m) -> m, progress_at, is_moving), arrayFilter((i, m) -> m, arrayEnumerate(progress_at), is_moving)))) AS w
        FROM held
    ),
    x AS
    (
        SELECT
            *,
            w.1 AS began_at, least(if(w.2 = zero, far, w.2), if(w.3 = zero, far, w.3)) AS gone_at, w.2 != zero AND gone_at = w.2 AS is_ended,
            w.4 AS next, w.5 AS since, if(kind = 'wait', rule_expected, w.6) AS expected
        FROM waited
    ),
    clocked AS
    (
        SELECT x.*, toFloat64(c.open_before_s) + least(dateDiff('millisecond', c.opens_at, x.since) / 1000, c.open_s) AS open_since_s
        FROM x
        ASOF LEFT JOIN (SELECT 'business' AS clock, opens_at, open_s, open_before_s FROM gov_calendar WHERE calendar = 'business') AS c ON c.clock = x.clock AND x.since >= c.opens_at
    )
SELECT
    y.what AS what, y.name AS name, y.gone_at AS gone_at, y.began_at AS began_at, y.object_type AS object_type, y.object_id AS object_id,
    y.is_ended AS is_ended, y.since AS since, y.open_since_s AS open_since_s,
    -- The end of the business time that it may take lies in the last day that opened before it; beyond the calendar it never comes.
    multiIf(y.clock != 'business', y.since + toIntervalSecond(y.limit_s),
        y.open_since_s + y.limit_s - e.before_s >= e.open_s, y.far,
        e.opens_at + toIntervalMillisecond(toInt64(round(1000 * (y.open_since_s + y.limit_s - e.before_s))))) AS due_at,
    multiIf(y.gone_at = y.far, 0,
        y.clock = 'business', greatest(0, toFloat64(d.open_before_s) + least(dateDiff('millisecond', d.opens_at, y.gone_at) / 1000, d.open_s) - y.open_since_s),
        greatest(0, dateDiff('millisecond', y.since, y.gone_at) / 1000)) AS elapsed_s,
    y.next AS next, y.expected AS expected, y.is_overlay AS is_overlay, y.limit_s AS limit_s, y.clock AS clock,
    y.tenant AS tenant, y.region AS region, y.warehouse AS warehouse, y.carrier AS carrier, y.customer AS customer,
    y.order_class AS order_class, y.mode AS mode, y.value AS value, y.sign AS sign, y.ver AS ver
FROM clocked AS y
ASOF LEFT JOIN (SELECT 'business' AS clock, opens_at, open_s, open_before_s FROM gov_calendar WHERE calendar = 'business') AS d ON d.clock = y.clock AND y.gone_at >= d.opens_at
ASOF LEFT JOIN (SELECT 'business' AS clock, opens_at, open_s, toFloat64(open_before_s) AS before_s FROM gov_calendar WHERE calendar = 'business' AND open_s > 0) AS e
    ON e.clock = y.clock AND y.open_since_s + y.limit_s >= e.before_s
