-- What could not be stored as meant, with its bytes and the reason, so that it can be replayed once the cause is mended.
-- Writer: the sink, and `replay` which adds a row that says how it went. Grain: one rejected message or part of one; the newest row counts.
-- Sort key: a source's rejects lie together; reject_id comes from source, format and bytes, so that the same bytes sent again fold.
-- Partition: by month of arrival, which a replay keeps. Read with FINAL. Retention: catalogue, job `retain`.
CREATE TABLE rejects
(
    source       LowCardinality(String),
    reject_id    String CODEC(ZSTD(1)),
    message_id   String CODEC(ZSTD(1)),
    format       LowCardinality(String),
    name         String CODEC(ZSTD(1)),
    content_type LowCardinality(String),
    headers      Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    received_at  DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    reason       String CODEC(ZSTD(1)),
    body         String CODEC(ZSTD(3)),
    status       LowCardinality(String),
    written_at   DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(written_at)
PARTITION BY toYYYYMM(received_at)
ORDER BY (source, reject_id)
SETTINGS non_replicated_deduplication_window = 1000
