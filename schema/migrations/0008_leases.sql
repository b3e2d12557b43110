-- Which process may run the jobs, and until when. Writer: schema/lease.py. Grain: one term of one lease; the newest `n` counts.
-- Sort key: the last term of a lease is what is asked. Retention: none, for a term is a row and ends with its process.
-- The window matters: the claim of a term carries it as its token, so that of two claims the engine keeps the first.
CREATE TABLE leases
(
    name   LowCardinality(String),
    term   UInt64,
    n      UInt64 COMMENT 'how often it was renewed',
    holder String,
    until  DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(n)
ORDER BY (name, term)
SETTINGS non_replicated_deduplication_window = 1000
