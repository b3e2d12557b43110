-- Edges of the middleware: owner, and the milestones that travel over them.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_interfaces
(
    interface LowCardinality(String),
    title String,
    owner LowCardinality(String),
    carrier LowCardinality(String),
    carries Array(Tuple(object_type String, state String))
)
ENGINE = MergeTree
ORDER BY (interface)
