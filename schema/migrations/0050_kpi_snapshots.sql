-- The KPIs' headlines minute by minute: the trend of what can only be read as of a moment, and last month's scorecard.
-- Writer: schema/kpi.py (job `snapshot`). Grain: one KPI, cut, value of the cut and minute; a second snapshot of a minute replaces it.
-- Sort key: one KPI's trend by one cut is one short read. Read with FINAL. Retention: catalogue, job `retain`.
CREATE TABLE kpi_snapshots
(
    kpi    LowCardinality(String),
    `by`   LowCardinality(String) COMMENT 'the cut; empty: none',
    at     DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    series LowCardinality(String),
    value  Float64 CODEC(Gorilla, ZSTD(1)),
    n      UInt64 CODEC(T64, ZSTD(1)),
    ver    UInt64
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY (kpi, `by`, at, series)
