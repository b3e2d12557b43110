-- Where the business stands: the funnel of the catalogue's stages at as_of, with the flow of the hour before and the share past tolerance.
-- Parameters: as_of, scope, by. Grain: stage x series (a stage where nothing is and nothing moved has no row).
-- `entered` is when an object came into the stage for the last time; where the tolerance counts business time only that is counted.
-- Objects that ended before that hour cannot be in a stage or move, so they are left out before the arrays are looked at.
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    days AS (SELECT 1 AS j, opens_at, open_s, open_before_s FROM gov_calendar WHERE calendar = 'business'),
    (
        SELECT argMax(open_before_s + least(greatest(dateDiff('second', opens_at, {as_of:DateTime64(3, 'UTC')}), 0), open_s), opens_at)
        FROM days WHERE opens_at <= {as_of:DateTime64(3, 'UTC')}
    ) AS asked_s,
    (SELECT groupArray(concat(object_type, '.', state)) FROM gov_states WHERE is_final) AS finals,
    stages AS
    (
        SELECT s.position AS position, s.stage AS stage, s.object_type AS object_type, s.states AS states, s.overlay AS overlay,
               s.limit_s AS limit_s, t.clock = 'business' AS is_business
        FROM gov_stages AS s
        LEFT JOIN gov_tolerances AS t ON t.name = s.tolerance AND t.mode = ''
    ),
    living AS
    (
        SELECT
            *, arrayCount(t -> t <= {as_of:DateTime64(3, 'UTC')}, h_at) AS k,
            arrayFilter((name, since, until) -> since <= {as_of:DateTime64(3, 'UTC')} AND (until = never OR until > {as_of:DateTime64(3, 'UTC')}),
                hold_name, hold_from, hold_to) AS holds
        FROM histories(types = ['order', 'shipment', 'invoice'], since = {as_of:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR,
            scope = {scope:Array(String)}, by = {by:String})
    ),
    moved AS
    (
        SELECT
            g.position AS position, g.stage AS stage, g.object_type AS object_type, o.series AS series, o.value AS value,
            g.limit_s AS limit_s, g.is_business AS is_business, 1 AS j,
            arrayMap(s -> has(g.states, s), arraySlice(o.h_state, 1, o.k)) AS inside,
            arrayPopBack(arrayPushFront(inside, 0)) AS before,
            arrayMap(t -> t > {as_of:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR, arraySlice(o.h_at, 1, o.k)) AS recent,
            if(g.overlay = '', o.k > 0 AND inside[-1] = 1, has(o.holds, g.overlay)) AS is_in,
            if(g.overlay = '',
                o.h_at[arrayLastIndex((i, b) -> i AND NOT b, inside, before)],
                arrayMax(arrayFilter((t, name) -> name = g.overlay AND t <= {as_of:DateTime64(3, 'UTC')}, o.hold_from, o.hold_name))) AS entered,
            if(g.overlay = '',
                arrayCount((i, b, r) -> i AND NOT b AND r, inside, before, recent),
                arrayCount((t, name) -> name = g.overlay AND t > {as_of:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR AND t <= {as_of:DateTime64(3, 'UTC')}, o.hold_from, o.hold_name)) AS n_in,
            if(g.overlay = '',
                arrayCount((i, b, r) -> NOT i AND b AND r, inside, before, recent),
                arrayCount((t, name) -> name = g.overlay AND t > {as_of:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR AND t <= {as_of:DateTime64(3, 'UTC')}, o.hold_to, o.hold_name)) AS n_out
        FROM living AS o
        INNER JOIN stages AS g ON g.object_type = o.object_type
        WHERE o.k = 0 OR o.h_at[o.k] > {as_of:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR OR NOT has(finals, concat(o.object_type, '.', o.h_state[o.k]))
    )
SELECT
    position, stage, object_type, series, limit_s,
    countIf(is_in) AS n,
    sumIf(value, is_in) AS worth,
    sum(n_in) AS inflow_1h,
    sum(n_out) AS outflow_1h,
    countIf(is_in AND waited_s > limit_s) AS n_past,
    nullIf(minIf(entered, is_in), never) AS oldest_at
FROM
(
    SELECT m.*, if(m.is_business, asked_s - (d.open_before_s + least(dateDiff('second', d.opens_at, m.entered), d.open_s)),
                   dateDiff('second', m.entered, {as_of:DateTime64(3, 'UTC')})) AS waited_s
    FROM moved AS m
    ASOF LEFT JOIN days AS d ON d.j = m.j AND d.opens_at <= m.entered
)
GROUP BY position, stage, object_type, series, limit_s
HAVING n > 0 OR inflow_1h > 0 OR outflow_1h > 0
