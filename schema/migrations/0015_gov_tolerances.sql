-- Limits and targets; a mode of transport may have a limit of its own, '' is the rest.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_tolerances
(
    name LowCardinality(String),
    mode LowCardinality(String),
    title String,
    unit LowCardinality(String),
    target Float64,
    watch Float64,
    limit_s UInt32,
    clock LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY (name, mode)
