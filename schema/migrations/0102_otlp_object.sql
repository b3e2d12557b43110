-- A list of keys and scalars as a JSON object: keys sorted, of equal keys the last one counts, as Go writes a map.
-- Writer: none. (The names of lambda arguments differ from function to function: the engine substitutes text, not scopes.)
CREATE OR REPLACE FUNCTION milepost_otlp_object AS (members) -> concat('{', arrayStringConcat(
    arrayMap(
        member -> concat(toJSONString(member.key), ':', milepost_otlp_json(member.value)),
        arraySort(
            member -> member.key,
            arrayFilter(
                (member, i) -> i = arrayLastIndex(other -> other.key = member.key, members),
                members,
                arrayEnumerate(members)
            )
        )
    ), ','), '}')
