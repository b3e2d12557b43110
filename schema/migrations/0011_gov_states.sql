-- The states of each lifecycle with their rank.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_states
(
    object_type LowCardinality(String),
    state LowCardinality(String),
    rank UInt16,
    roles Array(String),
    is_reversal Bool,
    is_final Bool,
    is_active Bool,
    is_facility Bool
)
ENGINE = MergeTree
ORDER BY (object_type, rank, state)
