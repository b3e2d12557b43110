-- The technical half in business words: who called whom over which interface, about which order or shipment, and how it went.
-- Writer: interface_calls_mv, and telemetry.heal() for what a crash between table and view left out.
-- Grain: one span that leaves or enters a system; a healed span may be there twice: readers fold by (trace_id, span_id).
-- Sort key: one interface over time is what detectors and pages ask. Retention: the retention job drops days.
CREATE TABLE IF NOT EXISTS interface_calls
(
    at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    parent_span_id String CODEC(ZSTD(1)),
    interface LowCardinality(String) CODEC(ZSTD(1)),
    service LowCardinality(String) CODEC(ZSTD(1)),
    peer LowCardinality(String) CODEC(ZSTD(1)),
    kind LowCardinality(String) CODEC(ZSTD(1)),
    is_error UInt8,
    status_message String CODEC(ZSTD(1)),
    attempt UInt16,
    message_id String CODEC(ZSTD(1)),
    duration_ns UInt64 CODEC(T64, ZSTD(1)),
    version LowCardinality(String) CODEC(ZSTD(1)),
    region LowCardinality(String) CODEC(ZSTD(1)),
    partner LowCardinality(String) CODEC(ZSTD(1)),
    object_types Array(LowCardinality(String)) CODEC(ZSTD(1)),
    object_ids Array(String) CODEC(ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_object object_ids TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(at)
ORDER BY (interface, at)
SETTINGS index_granularity = 8192, non_replicated_deduplication_window = 1000
