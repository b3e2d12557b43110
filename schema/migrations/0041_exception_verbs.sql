-- What people did with an exception. Append only: every transition with its actor and time.
-- Writer: schema/exceptions.py, from the inbox page and the command line. Grain: one verb. Sort key: read with its exception.
CREATE TABLE exception_verbs
(
    code        LowCardinality(String),
    fingerprint String CODEC(ZSTD(1)),
    detected_at DateTime64(3, 'UTC') COMMENT 'which episode',
    at          DateTime64(3, 'UTC'),
    verb        LowCardinality(String),
    actor       LowCardinality(String),
    comment     String CODEC(ZSTD(1)),
    team        LowCardinality(String) COMMENT 'assign: to whom',
    until       DateTime64(3, 'UTC') COMMENT 'postpone, wait, suppress: until when; 1970: open ended'
)
ENGINE = MergeTree
ORDER BY (code, fingerprint, detected_at, at)
