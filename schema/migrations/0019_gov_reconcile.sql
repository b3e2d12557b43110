-- Where one system must follow another.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_reconcile
(
    name LowCardinality(String),
    object_type LowCardinality(String),
    leader LowCardinality(String),
    follower LowCardinality(String),
    states Array(String),
    expects LowCardinality(String) COMMENT 'state of the follower; empty: the same as the leader',
    expects_rank UInt16,
    tolerance_s UInt32,
    owner LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY (name)
