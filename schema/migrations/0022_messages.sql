-- Every message that was acknowledged: what the Intake page shows, and the watermark of each source.
-- Writer: the sink, last in each group commit, so that a row here says that all of the message is stored.
-- Grain: one delivery (a message sent twice is two rows). Sort key: the last arrivals of a source are one short read.
-- Partition: by month of arrival. Retention: catalogue, job `retain`.
CREATE TABLE messages
(
    source      LowCardinality(String),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    stored_at   DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    format      LowCardinality(String),
    message_id  String CODEC(ZSTD(1)),
    name        String CODEC(ZSTD(1)),
    status      LowCardinality(String),
    n_rows      UInt32,
    n_rejects   UInt32,
    n_findings  UInt32,
    bytes       UInt32,
    decode_ms   Float32,
    commit_ms   Float32
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (source, received_at)
SETTINGS non_replicated_deduplication_window = 1000
