-- When each job ran, how long it took and how it ended. Writer: the runner. Grain: one run. Retention: 30 days.
-- `mark` is how far a job has got, where it works through time (the refresh: events ingested before it are in the state).
CREATE TABLE job_runs
(
    job         LowCardinality(String),
    started_at  DateTime64(3, 'UTC'),
    duration_ms UInt32,
    ok          Bool,
    n           UInt64 COMMENT 'what it worked through: objects, exceptions, points',
    mark        DateTime64(3, 'UTC'),
    detail      String
)
ENGINE = MergeTree
ORDER BY (job, started_at)
TTL toDateTime(started_at) + INTERVAL 30 DAY
