-- The variants of orders: which states one after another, and how many orders went that way. From events as they lie.
WITH
    (SELECT groupArray(name) FROM (SELECT arrayJoin(arrayConcat(groupArray(toString(state)), (SELECT groupArrayArray(arrayConcat([overlay], cleared_by)) FROM gov_overlays WHERE object_type = 'order'))) AS name
     FROM gov_states WHERE object_type = 'order')) AS names
SELECT arrayMap(code -> names[code], course) AS variant, n
FROM
(
    SELECT course, count() AS n
    FROM
    (
        SELECT arrayMap(x -> toUInt8(x % 256), arraySort(groupArray(toUInt64(toUnixTimestamp64Milli(occurred_at)) * 256 + transform(state, names, range(1, length(names) + 1), 0)))) AS course
        FROM events
        PREWHERE object_type = 'order' AND object_id < {last:String}
        GROUP BY object_id
    )
    GROUP BY course
)
