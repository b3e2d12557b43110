-- When a trace began and ended, so that one trace is found without reading every day: the exporter's lookup table.
-- Writer: otel_traces_trace_id_ts_mv. Grain: one trace (several rows until merged: read min(Start), max(End)).
-- Sort key: the trace id, which is what is asked. Retention: the retention job drops weeks.
CREATE TABLE IF NOT EXISTS otel_traces_trace_id_ts
(
    TraceId String CODEC(ZSTD(1)),
    Start SimpleAggregateFunction(min, DateTime('UTC')) CODEC(ZSTD(1)),
    End SimpleAggregateFunction(max, DateTime('UTC')) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toStartOfWeek(Start)
ORDER BY (TraceId)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000
