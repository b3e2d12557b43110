-- The five workflows, their owner, priority, weight and promise.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_workflows
(
    workflow LowCardinality(String),
    title String,
    owner LowCardinality(String),
    priority UInt8,
    weight Float64,
    object_types Array(String),
    slo_type LowCardinality(String),
    slo_from LowCardinality(String),
    slo_to LowCardinality(String),
    slo_limit_s UInt32,
    slo_clock LowCardinality(String),
    slo_target Float64,
    slo_window_days UInt16
)
ENGINE = MergeTree
ORDER BY (workflow)
