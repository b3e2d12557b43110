-- Which span attributes carry business keys, the interface, the partner, the attempt and the message.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_span_keys
(
    kind LowCardinality(String),
    position UInt16,
    attribute String
)
ENGINE = MergeTree
ORDER BY (kind, position)
