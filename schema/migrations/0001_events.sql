-- Business events, as they were said, every arrival kept.
-- Writer: the sink. Grain: one arrival of one event (duplicates and retractions are rows of their own; readers fold by event_id).
-- Sort key: an object's whole history lies together, because state is recomputed from the history of touched objects.
-- Partition: by month of ingestion, so that a sender's wrong clock cannot open a thousand partitions.
-- by_time: what KPIs over a window of time read; a projection, because it is atomic with its part. Retention: catalogue, job `retain`.
CREATE TABLE events
(
    event_id             String CODEC(ZSTD(1)),
    event_version        UInt64 CODEC(ZSTD(1)),
    event_type           LowCardinality(String),
    occurred_at          DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    recorded_at          DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    received_at          DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    ingested_at          DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    classifier           LowCardinality(String),
    object_type          LowCardinality(String),
    object_id            String CODEC(ZSTD(1)),
    `related.object_type` Array(LowCardinality(String)),
    `related.object_id`  Array(String) CODEC(ZSTD(1)),
    keys                 Array(String) CODEC(ZSTD(1)),
    state                LowCardinality(String),
    source_code          LowCardinality(String),
    code_list            LowCardinality(String),
    code_element         LowCardinality(String),
    code_version         LowCardinality(String),
    system               LowCardinality(String),
    system_role          LowCardinality(String),
    source               LowCardinality(String),
    message_id           String CODEC(ZSTD(1)),
    tenant               LowCardinality(String),
    region               LowCardinality(String),
    warehouse            LowCardinality(String),
    carrier              LowCardinality(String),
    customer             LowCardinality(String),
    order_class          LowCardinality(String),
    mode                 LowCardinality(String),
    location             LowCardinality(String),
    amount               Decimal(18, 2),
    currency             LowCardinality(String),
    quantity             Float64,
    unit                 LowCardinality(String),
    trace_id             String CODEC(ZSTD(1)),
    span_id              String CODEC(ZSTD(1)),
    correlation_id       String CODEC(ZSTD(1)),
    exception_code       LowCardinality(String),
    is_retracted         Bool,
    attributes           Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    INDEX ingested ingested_at TYPE minmax GRANULARITY 1,
    INDEX by_key keys TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 4,
    PROJECTION by_time
    (
        SELECT
            occurred_at, ingested_at, event_id, event_version, event_type, classifier, object_type, object_id, state,
            source_code, code_list, code_element, system, system_role, source, tenant, region, warehouse, carrier, customer,
            order_class, mode, location, amount, quantity, trace_id, is_retracted
        ORDER BY occurred_at
    )
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ingested_at)
ORDER BY (object_type, object_id, occurred_at)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000
