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
    (SELECT groupArray(toString(state)) FROM (SELECT state FROM gov_states ORDER BY object_type, state)) AS s_names,
    (SELECT groupArray(rank) FROM (SELECT rank FROM gov_states ORDER BY object_type, state)) AS s_ranks,
    (SELECT groupArray(toUInt8(is_reversal)) FROM (SELECT is_reversal FROM gov_states ORDER BY object_type, state)) AS s_reversal,
    (SELECT groupArray(if(empty(roles), '', ',' || arrayStringConcat(roles, ',') || ',')) FROM (SELECT roles FROM gov_states ORDER BY object_type, state)) AS s_roles,
    (SELECT groupArray(toUInt8(is_final) + 2 * is_active + 4 * is_facility + 8 * is_reversal) FROM (SELECT * FROM gov_states ORDER BY object_type, state)) AS s_flags,
    (SELECT groupArray(toUInt8(is_block)) FROM (SELECT * FROM gov_overlays ORDER BY object_type, overlay)) AS o_block,
    (SELECT groupArray(object_type || '.' || overlay) FROM (SELECT * FROM gov_overlays ORDER BY object_type, overlay)) AS o_keys,
    (SELECT groupArray(',' || arrayStringConcat(cleared_by, ',') || ',') FROM (SELECT * FROM gov_overlays ORDER BY object_type, overlay)) AS o_cleared,
    (SELECT mapFromArrays(groupArray(list || '|' || element || '|' || partner || '|' || code), groupArray((state, classifier))) FROM gov_codes WHERE version = '') AS c_map,
    (SELECT any(limit_s) FROM gov_tolerances WHERE name = 'future_clock' AND mode = '') AS future_s,
    toDateTime64(0, 3, 'UTC') AS never,
    role -> bitAnd(cityHash64(role), 0x7FFFFFFF) AS role_hash,
    x -> fromUnixTimestamp64Milli(toInt64(bitShiftRight(x, 84)), 'UTC') AS at_of,
    x -> toUInt16(bitAnd(bitShiftRight(x, 74), 1023)) AS rank_of,
    x -> toUInt16(bitAnd(bitShiftRight(x, 64), 1023)) AS index_of,
    x -> toUInt32(bitAnd(x, 0x7FFFFFFF)) AS role_of,
    x -> toUInt32(bitAnd(bitShiftRight(x, 32), 0xFFFFFFFF)) AS place_of,
    arrived AS MATERIALIZED
    (
        SELECT
            object_type, object_id, event_id, event_version, received_at, occurred_at, recorded_at, classifier, state, system_role AS role, location,
            related.object_type AS r_type, related.object_id AS r_id, keys, tenant, region, warehouse, carrier, customer, order_class, mode,
            amount, currency, quantity, unit, is_retracted, source_code, code_list, code_element, system, trace_id,
            murmurHash3_128(object_type, object_id, event_id) AS event,
            -- the last one counts: by number, retraction, when it was recorded, and where two agree in these by what they say (copies are alike)
            bitShiftLeft(toUInt256(event_version), 172) + bitShiftLeft(toUInt256(is_retracted), 171) + bitShiftLeft(toUInt256(toUnixTimestamp64Milli(recorded_at)), 127)
                + bitShiftLeft(toUInt256(cityHash64(occurred_at, classifier, state, role, location, r_id, keys, tenant, region, warehouse,
                                                    carrier, customer, order_class, mode, amount, currency, quantity, source_code)), 63)
                + bitShiftRight(cityHash64(r_type, unit, code_list, code_element, system, trace_id), 1) AS version
        FROM events
        PREWHERE {ids}
    ),
    -- By numbers, and the chosen rows taken as they lie: an aggregate that holds a row of two dozen texts takes ten times as long.
    told AS
    (
        SELECT
            a.object_type AS object_type, a.object_id AS object_id, a.event_id AS event_id, c.n AS n, c.first_received_at AS first_received_at,
            occurred_at, recorded_at, classifier, state, role, location, r_type, r_id, keys, tenant, region, warehouse, carrier, customer, order_class, mode,
            amount, currency, quantity, unit, is_retracted, trace_id,
            if(state IN ('', 'unknown') AND source_code != '',
                arrayFirst(m -> m.1 != '', [c_map[concat(code_list, '|', code_element, '|', system, '|', source_code)], c_map[concat(code_list, '|', code_element, '||', source_code)]]), ('', '')) AS meaning
        FROM arrived AS a
        ANY INNER JOIN
        (
            SELECT
                murmurHash3_128(event, max(version)) AS chosen, count() AS n,
                -- of the last version
                fromUnixTimestamp64Milli(toInt64(bitNot(toUInt64(max(bitShiftLeft(toUInt128(event_version), 64) + bitNot(toUInt64(toUnixTimestamp64Milli(received_at))))))), 'UTC') AS first_received_at
            FROM arrived
            GROUP BY event
        ) AS c ON c.chosen = murmurHash3_128(a.event, a.version)
    ),
    meant AS
    (
        SELECT
            * EXCEPT (occurred_at, classifier, state),
            if(meaning.1 != '', meaning.1, told.state) AS state, if(meaning.1 != '', meaning.2, told.classifier) AS classifier,
            if(told.classifier = 'ACT' AND occurred_at > first_received_at + toIntervalSecond(future_s), first_received_at, occurred_at) AS at,
            toUInt16(indexOf(s_keys, concat(object_type, '.', state))) AS s_index,
            has(o_keys, concat(object_type, '.', state)) AS is_overlay
        FROM told
    ),
    said AS
    (
        SELECT
            *,
            NOT is_retracted AND classifier = 'ACT' AS is_act,
            NOT is_retracted AND currency != '' AS has_money,
            NOT is_retracted AND (quantity != 0 OR unit != '') AS has_size,
            toUInt128(toUnixTimestamp64Milli(at)) AS at_ms,
            toUInt128(toUnixTimestamp64Milli(recorded_at)) AS recorded_ms,
            bitAnd(cityHash64(event_id), 0xFFFFFFFFFF) AS tie,
            bitShiftLeft(at_ms, 84) + bitShiftLeft(recorded_ms, 40) + tie AS by_at,
            bitShiftLeft(recorded_ms, 84) + bitShiftLeft(at_ms, 40) + tie AS by_record,
            -- one milestone as one number, so that sorting and folding are cheap: at, rank, state | place, authority, role
            bitShiftLeft(at_ms, 84) + bitShiftLeft(toUInt128(if(s_index = 0, 0, s_ranks[s_index])), 74) + bitShiftLeft(toUInt128(s_index), 64)
                + bitShiftLeft(toUInt128(if(location = '', 0, bitAnd(cityHash64(location), 0xFFFFFFFF))), 32)
                + bitShiftLeft(toUInt128(s_index = 0 OR s_roles[s_index] = '' OR position(s_roles[s_index], concat(',', role, ',')) > 0), 31) + role_hash(role) AS packed
        FROM meant
    ),
    folded AS
    (
        SELECT
            object_type, object_id,
            argMaxIf(tenant, by_at, tenant != '' AND NOT is_retracted) AS tenant,
            argMaxIf(region, by_at, region != '' AND NOT is_retracted) AS region,
            argMaxIf(warehouse, by_at, warehouse != '' AND NOT is_retracted) AS warehouse,
            argMaxIf(carrier, by_at, carrier != '' AND NOT is_retracted) AS carrier,
            argMaxIf(customer, by_at, customer != '' AND NOT is_retracted) AS customer,
            argMaxIf(order_class, by_at, order_class != '' AND NOT is_retracted) AS order_class,
            argMaxIf(mode, by_at, mode != '' AND NOT is_retracted) AS mode,
            argMaxIf(amount, by_record, has_money) AS amount,
            argMaxIf(currency, by_record, has_money) AS currency,
            argMaxIf(quantity, by_record, has_size) AS quantity,
            argMaxIf(unit, by_record, has_size) AS unit,
            argMaxIf(trace_id, by_at, trace_id != '' AND NOT is_retracted) AS trace_id,
            minIf(at, NOT is_retracted) AS first_at,
            maxIf(at, is_act) AS last_act_at,
            arraySlice(arraySort(arrayDistinct(groupArrayIf(packed, is_act AND (s_index > 0 OR location != '')))), -256) AS log,
            arraySort(groupUniqArrayIf(role, is_act AND s_index > 0)) AS roles,
            arraySort(groupUniqArrayIf((at, state), is_act AND is_overlay)) AS overlays_set,
            arraySort(groupUniqArrayIf((at, state), is_act AND s_index = 0 AND NOT is_overlay AND state NOT IN ('', 'unknown'))) AS words,
            groupArrayIf((state, recorded_at, event_id, at), NOT is_retracted AND classifier = 'PLN' AND state != '') AS plans,
            groupArrayIf((state, recorded_at, event_id, at), NOT is_retracted AND classifier = 'EST' AND state != '') AS estimates,
            arraySort(groupUniqArrayArrayIf(arrayMap((t, i) -> t || '|' || i, r_type, r_id), NOT is_retracted)) AS links,
            arraySlice(arraySort(groupUniqArrayArrayIf(keys, NOT is_retracted)), 1, 64) AS keys,
            countIf(NOT is_retracted) AS n_events,
            sum(n) AS n_raw
        FROM said
        GROUP BY object_type, object_id
    ),
    sorted AS
    (
        SELECT
            *,
            arrayFilter(x -> index_of(x) > 0, log) AS milestones,
            arraySort(arrayDistinct(arrayMap(x -> x.1, plans))) AS planned,
            arraySort(arrayDistinct(arrayMap(x -> x.1, estimates))) AS estimated,
            arraySort(arrayDistinct(arrayMap(x -> x.2, overlays_set))) AS overlays
        FROM folded
    ),
    judged AS
    (
        SELECT
            *,
            arrayFilter(x -> bitTest(toUInt64(bitAnd(x, 0xFFFFFFFF)), 31), milestones) AS auth,
            arrayMap(r -> arrayFilter(x -> role_of(x) = role_hash(r), milestones), roles) AS by_role,
            if(empty(overlays), [], arraySort(arrayConcat(words, overlays_set, arrayMap(x -> (at_of(x), s_names[index_of(x)]), milestones)))) AS acts,
            arrayMap(o -> o_cleared[indexOf(o_keys, concat(object_type, '.', o))], overlays) AS cleared_by
        FROM sorted
    ),
    ranked AS
    (
        SELECT
            *,
            arrayMap((x, epoch) -> epoch * 1024 + rank_of(x), auth, arrayCumSum(x -> s_reversal[index_of(x)], auth)) AS scores,
            arrayMap(c -> arrayMap(x -> x.1, arrayFilter(x -> position(c, concat(',', x.2, ',')) > 0, acts)), cleared_by) AS clears,
            arrayMap(o -> arrayMap(x -> x.1, arrayFilter(x -> x.2 = o, overlays_set)), overlays) AS sets
        FROM judged
    ),
    kept AS
    (
        SELECT
            *,
            arrayFilter((x, score, i) -> score >= arrayMax(arraySlice(scores, 1, i)), auth, scores, arrayEnumerate(auth)) AS high,
            arrayMap((s, c) -> arrayMap(t -> arrayFirst(u -> u >= t, c), s), sets, clears) AS ends
        FROM ranked
    ),
    scored AS
    (
        SELECT
            *,
            arrayFilter((x, i) -> i = 1 OR index_of(x) != index_of(high[i - 1]), high, arrayEnumerate(high)) AS history,
            arrayFilter((x, i) -> i = 1 OR (index_of(x) != index_of(log[i - 1]) AND index_of(x) > 0) OR (place_of(x) > 0 AND place_of(x) != place_of(log[i - 1])),
                log, arrayEnumerate(log)) AS moves,
            arrayMap(l -> arrayReduce('argMax', l, arrayMap((x, epoch, i) -> (epoch * 1024 + rank_of(x)) * 65536 + i,
                l, arrayCumSum(x -> s_reversal[index_of(x)], l), arrayEnumerate(l))), by_role) AS asserted,
            arrayFlatten(arrayMap((o, s, e) -> arrayMap(u -> (o, arrayMin(arrayFilter((t, v) -> v = u, s, e)), u), arrayDistinct(e)), overlays, sets, ends)) AS holds
        FROM kept
    )
SELECT
    object_type, object_id, tenant, region, warehouse, carrier, customer, order_class, mode, amount, currency, quantity, unit,
    if(n_events = 0, never, first_at), if(n_events = 0, never, last_act_at),
    arrayMap(x -> at_of(x), moves),
    arrayMap(x -> s_names[index_of(x)], history), arrayMap(x -> at_of(x), history),
    arrayMap(x -> if(s_reversal[index_of(x)] = 1, 0, rank_of(x)), history), arrayMap(x -> rank_of(x), history), arrayMap(x -> s_flags[index_of(x)], history),
    arrayMap(x -> s_names[index_of(x)], milestones),
    arrayMap(x -> arrayFirst(r -> role_hash(r) = role_of(x), roles), milestones),
    arrayMap(x -> at_of(x), milestones),
    roles, arrayMap(x -> s_names[index_of(x)], asserted), arrayMap(x -> at_of(x), asserted),
    planned, arrayMap(s -> arrayReduce('argMax', arrayMap(x -> x.4, arrayFilter(x -> x.1 = s, plans) AS f), arrayMap(x -> (x.2, x.3), f)), planned),
    estimated, arrayMap(s -> arrayReduce('argMax', arrayMap(x -> x.4, arrayFilter(x -> x.1 = s, estimates) AS f), arrayMap(x -> (x.2, x.3), f)), estimated),
    arrayMap(x -> x.1, holds), arrayMap(x -> x.2, holds), arrayMap(x -> x.3, holds),
    arrayMap(x -> o_block[indexOf(o_keys, concat(object_type, '.', x.1))], holds),
    arrayMap(l -> splitByChar('|', l)[1], links), arrayMap(l -> substring(l, position(l, '|') + 1), links),
    keys, trace_id, n_events, n_raw, {ver:UInt64}
FROM scored
