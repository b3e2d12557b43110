-- Where the business stands: the funnel of the catalogue's stages at as_of, with the flow of the hour before and the share past tolerance.
-- Parameters: as_of, scope, by. Grain: stage x series (a stage where nothing is and nothing moved has no row).
-- `oldest_at` is when the one that is there longest came in; where the tolerance counts business time only that is counted.
WITH
    {as_of:DateTime64(3, 'UTC')} AS seen_at,
    seen_at - INTERVAL 1 HOUR AS an_hour_before
SELECT
    g.position AS position, w.name AS stage, w.object_type AS object_type, w.series AS series, w.limit_s AS limit_s,
    w.n AS n, w.worth AS worth, w.inflow_1h AS inflow_1h, w.outflow_1h AS outflow_1h, w.n_past AS n_past, if(n > 0, w.oldest_at, NULL) AS oldest_at
FROM
(
    SELECT
        name, object_type, series, limit_s,
        countIf(is_in) AS n,
        sumIf(value, is_in) AS worth,
        countIf(began_at > an_hour_before) AS inflow_1h,
        countIf(gone_at > an_hour_before AND gone_at <= seen_at) AS outflow_1h,
        countIf(is_in AND due_at < seen_at) AS n_past,
        minIf(began_at, is_in) AS oldest_at
    FROM
    (
        SELECT *, gone_at > seen_at AS is_in
        FROM waits(what = 'stages', since = {as_of:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR, scope = {scope:Array(String)}, by = {by:String})
        WHERE began_at <= seen_at
    )
    GROUP BY name, object_type, series, limit_s
    HAVING n > 0 OR inflow_1h > 0 OR outflow_1h > 0
) AS w
INNER JOIN (SELECT stage, position FROM gov_stages) AS g ON g.stage = w.name
