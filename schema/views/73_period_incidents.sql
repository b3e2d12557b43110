-- What happened in a period: one row an incident (code and place) that was open in it, also when it is over, with what it cost.
-- Parameters: from, as_of (the end of the period), scope. `value` counts an object once, whatever comes and goes; `ended_at` is 1970
-- while anything of it is open.
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    once AS
    (
        SELECT
            incident, fingerprint, any(i.code) AS code, any(i.place) AS place, any(i.workflow) AS workflow, min(i.severity) AS severity,
            max(i.value) AS value, min(i.began_at) AS began_at, max(i.is_open) AS is_open, max(i.closed_at) AS closed_at,
            argMax(i.owner, i.detected_at) AS owner, argMax(i.reason, i.detected_at) AS reason, argMax(i.interface, i.detected_at) AS interface
        FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}) AS i
        WHERE i.is_open OR i.closed_at >= {from:DateTime64(3, 'UTC')}
        GROUP BY incident, fingerprint
    )
SELECT
    o.incident AS incident, any(o.code) AS code, any(g.title) AS title, any(o.place) AS place, any(o.workflow) AS workflow, min(o.severity) AS severity,
    count() AS n, countIf(o.is_open) AS n_open, sum(o.value) AS value,
    min(o.began_at) AS began_at, if(n_open > 0, never, max(o.closed_at)) AS ended_at,
    dateDiff('second', began_at, if(n_open > 0, {as_of:DateTime64(3, 'UTC')}, ended_at)) AS lasted_s,
    topK(1)(o.owner)[1] AS owner, argMax(o.reason, o.value) AS reason, any(o.interface) AS interface
FROM once AS o
LEFT JOIN gov_exceptions AS g ON g.code = o.code
GROUP BY incident
