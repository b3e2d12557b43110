/*
id         = "K17"
title      = "Backlog: days to drain"
definition = "How many days the backlog at that moment takes to drain at the rate at which objects left its stages in the window (where none left: as if one had); n is the backlog itself. An object that is delayed also counts under its own stage."
unit       = "count"
good       = "low"
target     = "stage_backlog"
by         = ["stage", "region", "carrier", "warehouse", "customer", "order_class", "mode", "tenant"]
owner      = "platform"
shape      = "gauge"
source     = "domain.md K17"
*/
WITH
    least({to:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')}) AS until,
    (SELECT any(limit_s) FROM gov_tolerances WHERE name = 'stage_backlog' AND mode = '') AS drain_s,
    dateDiff('millisecond', {from:DateTime64(3, 'UTC')}, until) / 1000 AS window_s
SELECT
    {from:DateTime64(3, 'UTC')} AS bucket,
    cut AS series,
    assumeNotNull(n * window_s / greatest(1, countIf(gone_at <= until)) / drain_s) AS value,
    countIf(began_at <= {as_of:DateTime64(3, 'UTC')} AND gone_at > {as_of:DateTime64(3, 'UTC')}) AS n
FROM
(
    SELECT began_at, gone_at, if({by:String} = 'stage', name, series) AS cut
    FROM waits(what = 'stages', since = {from:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})
    WHERE NOT is_overlay OR {by:String} IN ('stage', 'transition')
)
WHERE {from:DateTime64(3, 'UTC')} < {to:DateTime64(3, 'UTC')} AND {bucket_s:UInt32} > 0
GROUP BY series
HAVING n > 0
