-- The inbox: what a detector found wrong, from when it was first seen until the condition cleared.
-- Writer: schema/exceptions.py (job `detect`). Grain: one episode of one fingerprint; the newest `ver` counts.
-- Sort key: the fold asks for open episodes by code and fingerprint. People's verbs are rows of exception_verbs. Retention: catalogue.
CREATE TABLE exceptions
(
    code        LowCardinality(String),
    fingerprint String CODEC(ZSTD(1)),
    detected_at DateTime64(3, 'UTC'),
    began_at    DateTime64(3, 'UTC'),
    closed_at   DateTime64(3, 'UTC') COMMENT '1970: still open',
    reason      String CODEC(ZSTD(1)),
    value       Float64 COMMENT 'in the base currency',
    object_type LowCardinality(String),
    object_id   String CODEC(ZSTD(1)),
    tenant      LowCardinality(String),
    region      LowCardinality(String),
    warehouse   LowCardinality(String),
    carrier     LowCardinality(String),
    customer    LowCardinality(String),
    order_class LowCardinality(String),
    mode        LowCardinality(String),
    interface   LowCardinality(String),
    trace_id    String CODEC(ZSTD(1)),
    place       LowCardinality(String) COMMENT 'what groups exceptions of a code into one incident',
    owner       LowCardinality(String),
    severity    UInt8,
    workflow    LowCardinality(String),
    sla_s       UInt32,
    ver         UInt64
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY (code, fingerprint, detected_at)
SETTINGS index_granularity = 1024
