-- Something odd in a message that was stored all the same: a wrong count, an unmapped code, an unknown field.
-- Writer: the sink. Grain: one kind of oddity in one message, `n` times, `place` where it was first met.
-- Sort key: the contract pages ask by source and code; the message and text make the row, so that the same bytes sent again fold.
-- Partition: by month of arrival. Read with FINAL. Retention: catalogue, job `retain`.
CREATE TABLE findings
(
    source      LowCardinality(String),
    code        LowCardinality(String),
    message_id  String CODEC(ZSTD(1)),
    text        String CODEC(ZSTD(1)),
    place       String CODEC(ZSTD(1)),
    n           UInt32,
    format      LowCardinality(String),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toYYYYMM(received_at)
ORDER BY (source, code, message_id, text)
SETTINGS non_replicated_deduplication_window = 1000
