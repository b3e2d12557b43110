-- How each workflow did in a period: attainment now and in the period before, budget of misses left, what opened, closed and is open.
-- Parameters: from, as_of (the end of the period), before (where the one before it begins), length_s (of either), scope. What could be
-- computed of the first two is given, for a computed argument is analysed wherever it is named. Grain: workflow of the catalogue, also
-- where nothing was measured (n = 0).
-- `budget_left` is 1 minus misses had over misses allowed by the target, below nothing when overdrawn. `status` is watch while the
-- misses lie between what the workflow's target and what the watch line of `workflow_attainment` allows, in the same proportion.
-- `recover_s` is the p90 from detected to closed, of those closed in the period and those open past their age limit, with their age.
WITH
    (SELECT (1 - watch) / (1 - target) FROM gov_tolerances WHERE name = 'workflow_attainment' AND mode = '' AND target < 1) AS slack,
    attained AS
    (
        SELECT
            series AS workflow,
            maxIf(value, bucket >= {from:DateTime64(3, 'UTC')}) AS attainment, sumIf(n, bucket >= {from:DateTime64(3, 'UTC')}) AS n_now,
            maxIf(value, bucket < {from:DateTime64(3, 'UTC')}) AS before, sumIf(n, bucket < {from:DateTime64(3, 'UTC')}) AS n_then
        FROM kpi_slo_attainment(
            from = {before:DateTime64(3, 'UTC')}, to = {as_of:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')}, bucket_s = {length_s:UInt32},
            by = 'workflow', scope = {scope:Array(String)})
        GROUP BY workflow
    ),
    marked AS
    (
        SELECT
            *,
            NOT is_open AND closed_at >= {from:DateTime64(3, 'UTC')} AS is_ended,
            is_ended OR (is_open AND is_past_sla) AS is_counted,
            dateDiff('second', detected_at, if(is_open, {as_of:DateTime64(3, 'UTC')}, closed_at)) AS known_s
        FROM known(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)})
    ),
    exceptions_of AS
    (
        SELECT
            workflow,
            countIf(detected_at >= {from:DateTime64(3, 'UTC')}) AS opened, countIf(is_ended) AS closed,
            countIf(is_open) AS open_now, sumIf(value, is_open) AS value_open, maxIf(age_s, is_open) AS oldest,
            countIf(is_counted) AS n_recovered, quantileExactIf(0.9)(known_s, is_counted) AS recovered_s
        FROM marked
        GROUP BY workflow
    )
SELECT
    toString(g.workflow) AS workflow, g.title AS title, toString(g.owner) AS owner, g.priority AS priority, g.weight AS weight, g.slo_target AS target,
    if(a.n_now > 0, a.attainment, NULL) AS attainment, a.n_now AS n,
    if(a.n_then > 0, a.before, NULL) AS attainment_before, a.n_then AS n_before,
    attainment - attainment_before AS change,
    if(g.slo_target < 1, 1 - (1 - attainment) / (1 - g.slo_target), NULL) AS budget_left,
    multiIf(a.n_now = 0, 'no_data', attainment >= g.slo_target, 'on_target', 1 - attainment <= (1 - g.slo_target) * slack, 'watch', 'off_target') AS status,
    e.opened AS n_opened, e.closed AS n_closed, e.open_now AS n_open, e.value_open AS value, if(e.open_now > 0, e.oldest, NULL) AS oldest_s,
    if(e.n_recovered > 0, e.recovered_s, NULL) AS recover_s, e.n_recovered AS n_recovered
FROM gov_workflows AS g
LEFT JOIN attained AS a ON a.workflow = g.workflow
LEFT JOIN exceptions_of AS e ON e.workflow = g.workflow
