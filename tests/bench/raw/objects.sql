-- Objects of one type from raw events alone, by the rules of docs/state.md and by none of the project's folds: what a person would write
-- who has the events, the catalogue and a SQL prompt. Parameters: type. Grain: object with an event that holds.
-- Of an event the last version counts and a retraction takes it away; a time ahead of our clock is held back to when it was first heard.
-- `said`: (at, rank, state, place, whether its sender's word counts, reversal) of each statement of a state or a place, in order of time;
-- `history`: those that raise the state since the last reversal; `words`: (at, word) of what is no milestone.
WITH
    (SELECT groupArray(toString(state)) FROM (SELECT * FROM gov_states WHERE object_type = {type:String} ORDER BY state)) AS names,
    (SELECT groupArray(toInt64(rank)) FROM (SELECT * FROM gov_states WHERE object_type = {type:String} ORDER BY state)) AS ranks,
    (SELECT groupArray(toInt64(is_reversal)) FROM (SELECT * FROM gov_states WHERE object_type = {type:String} ORDER BY state)) AS reversals,
    (SELECT groupArray(state || '|' || role) FROM (SELECT state, arrayJoin(roles) AS role FROM gov_states WHERE object_type = {type:String} AND notEmpty(roles))) AS spoken,
    (SELECT groupUniqArray(toString(state)) FROM gov_states WHERE object_type = {type:String} AND notEmpty(roles)) AS reserved,
    (SELECT any(limit_s) FROM gov_tolerances WHERE name = 'future_clock' AND mode = '') AS ahead_s
SELECT
    object_id,
    argMaxIf(region, latest, region != '') AS region,
    argMaxIf(carrier, latest, carrier != '') AS carrier,
    argMaxIf(mode, latest, mode != '') AS mode,
    groupUniqArrayArray(related) AS links,
    arraySort(groupArrayIf((at, rank, state, place, counts, reversal), classifier = 'ACT' AND (rank > 0 OR place != ''))) AS said,
    groupArrayIf((at, state), classifier = 'ACT' AND rank = 0) AS words,
    argMaxIf(at, (recorded_at, event_id), classifier = 'PLN' AND state = 'delivered') AS planned_at,
    arrayFilter(x -> x.2 > 0 AND x.5, said) AS milestones,
    arrayMap((x, turn) -> turn * 1024 + x.2, milestones, arrayCumSum(x -> x.6, milestones)) AS heights,
    arrayFilter((x, h, i) -> h = arrayMax(arraySlice(heights, 1, i)), milestones, heights, arrayEnumerate(milestones)) AS history
FROM
(
    SELECT
        object_id, event_id, recorded_at, toString(v_classifier) AS classifier, toString(v_state) AS state, region, carrier, mode,
        toString(location) AS place, related,
        if(classifier = 'ACT' AND happened_at > heard_at + toIntervalSecond(ahead_s), heard_at, happened_at) AS at,
        (at, recorded_at, bitAnd(cityHash64(event_id), 0xFFFFFFFFFF)) AS latest,
        transform(state, names, ranks, toInt64(0)) AS rank, transform(state, names, reversals, toInt64(0)) AS reversal,
        NOT has(reserved, state) OR has(spoken, state || '|' || role) AS counts
    FROM
    (
        SELECT
            object_id, event_id, argMin(e.received_at, (bitNot(e.event_version), e.received_at)) AS heard_at,
            argMax(e.occurred_at, version) AS happened_at, argMax(e.recorded_at, version) AS recorded_at, argMax(e.classifier, version) AS v_classifier,
            argMax(e.state, version) AS v_state, argMax(e.system_role, version) AS role, argMax(e.region, version) AS region,
            argMax(e.carrier, version) AS carrier, argMax(e.mode, version) AS mode, argMax(e.location, version) AS location,
            argMax(arrayZip(e.related.object_type, e.related.object_id), version) AS related, argMax(e.is_retracted, version) AS is_void
        FROM
        (
            SELECT
                *, bitShiftLeft(toUInt128(event_version), 64) + bitShiftLeft(toUInt128(is_retracted), 63) + toUInt64(toUnixTimestamp64Milli(events.recorded_at)) AS version
            FROM events
            WHERE object_type = {type:String}
        ) AS e
        GROUP BY object_id, event_id
    )
    WHERE NOT is_void
)
GROUP BY object_id
