-- Which catalogue was loaded when; the last is in force.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_catalogue
(
    version String,
    digest String,
    base_currency LowCardinality(String),
    loaded_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (loaded_at)
