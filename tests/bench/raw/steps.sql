-- Cycle time of each step that orders took: from one state to the next, how often, and mean, median, least and most seconds. From events as
-- they lie. A statement is one number, time and state, so that a case is sorted as numbers are.
WITH
    (SELECT groupArray(name) FROM (SELECT arrayJoin(arrayConcat(groupArray(toString(state)), (SELECT groupArrayArray(arrayConcat([overlay], cleared_by)) FROM gov_overlays WHERE object_type = 'order'))) AS name
     FROM gov_states WHERE object_type = 'order')) AS names
SELECT
    names[intDiv(step.1, 256)] AS a, names[step.1 % 256] AS b, count() AS n,
    avg(step.2) / 1000 AS mean_s, quantileExactInclusive(0.5)(step.2) / 1000 AS median_s, min(step.2) / 1000 AS least_s, max(step.2) / 1000 AS most_s
FROM
(
    SELECT
        arraySort(groupArray(toUInt64(toUnixTimestamp64Milli(occurred_at)) * 256 + transform(state, names, range(1, length(names) + 1), 0))) AS course,
        arrayJoin(arrayMap((x, y) -> ((x % 256) * 256 + y % 256, intDiv(y, 256) - intDiv(x, 256)), arrayPopBack(course), arrayPopFront(course))) AS step
    FROM events
    PREWHERE object_type = 'order' AND object_id < {last:String}
    GROUP BY object_id
)
GROUP BY step.1
