-- Our own jobs: the last run of each, how long it took against its usual, and the last failure. Parameters: from, as_of. Grain: job.
SELECT
    toString(job) AS name, max(r.started_at) AS last_at, argMax(r.ok, r.started_at) AS is_ok, argMax(r.duration_ms, r.started_at) / 1000 AS took_s,
    quantileExact(0.95)(r.duration_ms) / 1000 AS p95_s, count() AS n_runs, countIf(NOT r.ok) AS n_failed, argMax(r.n, r.started_at) AS n_done,
    argMaxIf(r.detail, r.started_at, NOT r.ok) AS last_failure, maxIf(r.started_at, NOT r.ok) AS failed_at
FROM job_runs AS r
WHERE r.started_at >= {from:DateTime64(3, 'UTC')} AND r.started_at <= {as_of:DateTime64(3, 'UTC')}
GROUP BY name
