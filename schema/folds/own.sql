/*
The fold of an object's own events into one row of object_own.

Rules (docs/state.md): of the versions of an event the last counts, and a retraction takes it away; state is the highest rank
by (occurred_at, rank) since the last reversal; a time ahead of our clock is held back to when we received it; an overlay is an
interval from where it is set to the first milestone that clears it; of plans and estimates the last recorded counts.
Everything is a function of the set of events: neither order of arrival nor copies can change a row.
*/
INSERT INTO {own}
WITH
    (SELECT groupArray(object_type || '.' || state) FROM (SELECT object_type, state FROM gov_states ORDER BY object_type, state)) AS s_keys,
    (SELECT groupArray(rank) FROM (SELECT rank FROM gov_states ORDER BY object_type, state)) AS s_ranks,
    (SELECT groupArray(toUInt8(is_reversal)) FROM (SELECT is_reversal FROM gov_states ORDER BY object_type, state)) AS s_reversal,
    (SELECT groupArray(if(empty(roles), '', ',' || arrayStringConcat(roles, ',') || ',')) FROM (SELECT roles FROM gov_states ORDER BY object_type, state)) AS s_roles,
    (SELECT groupArray(object_type || '.' || overlay) FROM (SELECT * FROM gov_overlays ORDER BY object_type, overlay)) AS o_keys,
    (SELECT groupArray(',' || arrayStringConcat(cleared_by, ',') || ',') FROM (SELECT * FROM gov_overlays ORDER BY object_type, overlay)) AS o_cleared,
    (SELECT mapFromArrays(groupArray(list || '|' || element || '|' || partner || '|' || code), groupArray((state, classifier))) FROM gov_codes WHERE version = '') AS c_map,
    (SELECT any(limit_s) FROM gov_tolerances WHERE name = 'future_clock' AND mode = '') AS future_s,
    toDateTime64(0, 3, 'UTC') AS never,
    last AS
    (
        SELECT
            object_type, object_id, event_id, count() AS n, min(received_at) AS first_received_at,
            argMax(
                (occurred_at, recorded_at, classifier, state, system_role, location, related.object_type, related.object_id, keys,
                 tenant, region, warehouse, carrier, customer, order_class, mode, amount, currency, quantity, unit, is_retracted,
                 source_code, code_list, code_element, system),
                (event_version, is_retracted, recorded_at,
                 cityHash64(occurred_at, classifier, state, system_role, location, related.object_id, keys, tenant, region, warehouse,
                            carrier, customer, order_class, mode, amount, currency, quantity, source_code))
            ) AS e
        FROM events
        PREWHERE {ids}
        GROUP BY object_type, object_id, event_id
    ),
    said AS
    (
        SELECT
            object_type, object_id, event_id, n,
            if(e.1 > first_received_at + toIntervalSecond(future_s), first_received_at, e.1) AS at,
            e.2 AS recorded_at,
            e.4 IN ('', 'unknown') AND e.22 != '' AS is_raw,
            if(is_raw, if(mapContains(c_map, e.23 || '|' || e.24 || '|' || e.25 || '|' || e.22), c_map[e.23 || '|' || e.24 || '|' || e.25 || '|' || e.22], c_map[e.23 || '|' || e.24 || '||' || e.22]), ('', '')) AS meaning,
            if(meaning.1 != '', meaning.1, e.4) AS state,
            if(meaning.1 != '', meaning.2, e.3) AS classifier,
            e.5 AS role, e.6 AS location, e.7 AS r_type, e.8 AS r_id, e.9 AS keys,
            e.10 AS tenant, e.11 AS region, e.12 AS warehouse, e.13 AS carrier, e.14 AS customer, e.15 AS order_class, e.16 AS mode,
            e.17 AS amount, e.18 AS currency, e.19 AS quantity, e.20 AS unit, e.21 AS is_retracted,
            transform(object_type || '.' || state, s_keys, s_ranks, 0) AS rank,
            transform(object_type || '.' || state, s_keys, s_reversal, 0) AS is_reversal,
            transform(object_type || '.' || state, s_keys, s_roles, '') AS roles,
            roles = '' OR position(roles, ',' || role || ',') > 0 AS is_authoritative
        FROM last
    ),
    folded AS
    (
        SELECT
            object_type, object_id,
            argMaxIf(tenant, (at, recorded_at, event_id), tenant != '' AND NOT is_retracted) AS tenant,
            argMaxIf(region, (at, recorded_at, event_id), region != '' AND NOT is_retracted) AS region,
            argMaxIf(warehouse, (at, recorded_at, event_id), warehouse != '' AND NOT is_retracted) AS warehouse,
            argMaxIf(carrier, (at, recorded_at, event_id), carrier != '' AND NOT is_retracted) AS carrier,
            argMaxIf(customer, (at, recorded_at, event_id), customer != '' AND NOT is_retracted) AS customer,
            argMaxIf(order_class, (at, recorded_at, event_id), order_class != '' AND NOT is_retracted) AS order_class,
            argMaxIf(mode, (at, recorded_at, event_id), mode != '' AND NOT is_retracted) AS mode,
            argMaxIf((amount, currency), (recorded_at, at, event_id), currency != '' AND NOT is_retracted) AS money,
            argMaxIf((quantity, unit), (recorded_at, at, event_id), (quantity != 0 OR unit != '') AND NOT is_retracted) AS size,
            minIf(at, NOT is_retracted) AS first_at,
            maxIf(at, NOT is_retracted AND classifier = 'ACT') AS last_act_at,
            arraySlice(arraySort(groupUniqArrayIf((at, rank, state, role, is_reversal, is_authoritative, location),
                NOT is_retracted AND classifier = 'ACT' AND (rank > 0 OR location != ''))), -256) AS log,
            arraySort(groupUniqArrayIf((at, state), NOT is_retracted AND classifier = 'ACT' AND state != '')) AS acts,
            groupArrayIf((state, recorded_at, event_id, at), NOT is_retracted AND classifier = 'PLN' AND state != '') AS plans,
            groupArrayIf((state, recorded_at, event_id, at), NOT is_retracted AND classifier = 'EST' AND state != '') AS estimates,
            arraySort(groupUniqArrayArrayIf(arrayZip(r_type, r_id), NOT is_retracted)) AS links,
            arraySlice(arraySort(groupUniqArrayArrayIf(keys, NOT is_retracted)), 1, 64) AS keys,
            countIf(NOT is_retracted) AS n_events,
            sum(n) AS n_raw
        FROM said
        GROUP BY object_type, object_id
    ),
    scored AS
    (
        SELECT
            *,
            arrayFilter(x -> x.2 > 0, log) AS milestones,
            arrayFilter(x -> x.6, milestones) AS auth,
            arrayMap((x, epoch) -> toUInt64(epoch) * 1000 + x.2, auth, arrayCumSum(x -> x.5, auth)) AS scores,
            arrayFilter((x, score, i) -> score >= arrayMax(arraySlice(scores, 1, i)), auth, scores, arrayEnumerate(auth)) AS kept,
            arrayFilter((x, i) -> i = 1 OR x.3 != kept[i - 1].3, kept, arrayEnumerate(kept)) AS history,
            arrayFilter((x, i) -> i = 1 OR (x.3 != log[i - 1].3 AND x.3 != '') OR (x.7 != '' AND x.7 != log[i - 1].7), log, arrayEnumerate(log)) AS moves,
            arraySort(arrayDistinct(arrayMap(x -> x.4, milestones))) AS roles,
            arrayMap(r -> arrayFilter(x -> x.4 = r, milestones), roles) AS by_role,
            arrayMap(l -> arrayReduce('argMax', l, arrayMap((x, epoch, i) -> (toUInt64(epoch) * 1000 + x.2, i), l, arrayCumSum(x -> x.5, l), arrayEnumerate(l))), by_role) AS asserted,
            arraySort(arrayDistinct(arrayMap(x -> x.1, plans))) AS planned,
            arraySort(arrayDistinct(arrayMap(x -> x.1, estimates))) AS estimated,
            arraySort(arrayDistinct(arrayMap(x -> x.2, arrayFilter(x -> has(o_keys, object_type || '.' || x.2), acts)))) AS overlays,
            arrayMap(o -> transform(object_type || '.' || o, o_keys, o_cleared, ''), overlays) AS cleared_by,
            arrayMap((o, c) -> arrayMap(x -> x.1, arrayFilter(x -> position(c, ',' || x.2 || ',') > 0, acts)), overlays, cleared_by) AS clears,
            arrayMap(o -> arrayMap(x -> x.1, arrayFilter(x -> x.2 = o, acts)), overlays) AS sets,
            arrayMap((s, c) -> arrayMap(t -> arrayFirst(u -> u >= t, c), s), sets, clears) AS ends,
            arrayFlatten(arrayMap((o, s, e) -> arrayMap(u -> (o, arrayMin(arrayFilter((t, v) -> v = u, s, e)), u), arrayDistinct(e)), overlays, sets, ends)) AS holds
        FROM folded
    )
SELECT
    object_type, object_id, tenant, region, warehouse, carrier, customer, order_class, mode,
    money.1, money.2, size.1, size.2,
    if(n_events = 0, never, first_at), if(n_events = 0, never, last_act_at),
    arrayMap(x -> x.1, moves),
    arrayMap(x -> x.3, history), arrayMap(x -> x.1, history), arrayMap(x -> if(x.5 = 1, 0, x.2), history),
    arrayMap(x -> x.3, milestones), arrayMap(x -> x.4, milestones), arrayMap(x -> x.1, milestones),
    roles, arrayMap(x -> x.3, asserted), arrayMap(x -> x.1, asserted),
    planned, arrayMap(s -> arrayReduce('argMax', arrayMap(x -> x.4, arrayFilter(x -> x.1 = s, plans) AS f), arrayMap(x -> (x.2, x.3), f)), planned),
    estimated, arrayMap(s -> arrayReduce('argMax', arrayMap(x -> x.4, arrayFilter(x -> x.1 = s, estimates) AS f), arrayMap(x -> (x.2, x.3), f)), estimated),
    arrayMap(x -> x.1, holds), arrayMap(x -> x.2, holds), arrayMap(x -> x.3, holds),
    arrayMap(x -> x.1, links), arrayMap(x -> x.2, links),
    keys, n_events, n_raw, {ver:UInt64}
FROM scored
