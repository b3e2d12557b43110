-- Where the business stands: the funnel of the catalogue's stages at as_of, with the flow of the hour before and the share past tolerance.
-- Parameters: as_of, scope, by. Grain: stage x series (a stage where nothing is and nothing moved has no row).
-- `oldest_at` is when the one that is there longest came in; where the tolerance counts business time only that is counted.
WITH
    {as_of:DateTime64(3, 'UTC')} AS seen_at,
    seen_at - INTERVAL 1 HOUR AS since,
    (SELECT seconds FROM business_seconds(moment = {as_of:DateTime64(3, 'UTC')})) AS open_seen
SELECT
    g.position AS position, w.name AS stage, w.object_type AS object_type, w.series AS series, w.limit_s AS limit_s,
    countIf(w.is_in) AS n,
    sumIf(w.value, w.is_in) AS worth,
    countIf(w.began_at > since) AS inflow_1h,
    countIf(w.gone_at > since AND w.gone_at <= seen_at) AS outflow_1h,
    countIf(w.is_in AND w.waited_s > w.limit_s) AS n_past,
    if(n > 0, minIf(w.began_at, w.is_in), NULL) AS oldest_at
FROM
(
    SELECT
        *, gone_at > seen_at AS is_in,
        if(clock = 'business', open_seen - open_since_s, dateDiff('millisecond', began_at, seen_at) / 1000) AS waited_s
    FROM waits(what = 'stages', since = {as_of:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR, scope = {scope:Array(String)}, by = {by:String})
    WHERE began_at <= seen_at
) AS w
INNER JOIN (SELECT stage, position FROM gov_stages) AS g ON g.stage = w.name
GROUP BY position, stage, object_type, series, limit_s
HAVING n > 0 OR inflow_1h > 0 OR outflow_1h > 0
