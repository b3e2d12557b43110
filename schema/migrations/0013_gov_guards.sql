-- What must hold before a state, in order; who owes it.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_guards
(
    object_type LowCardinality(String),
    position UInt16,
    for_state LowCardinality(String),
    for_rank UInt16,
    name LowCardinality(String),
    on_type LowCardinality(String),
    state LowCardinality(String),
    rank UInt16,
    no_hold LowCardinality(String),
    owed_by LowCardinality(String),
    owner LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY (object_type, position)
