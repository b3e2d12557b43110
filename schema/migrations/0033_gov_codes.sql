-- What source codes mean.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_codes
(
    list LowCardinality(String),
    element LowCardinality(String),
    partner LowCardinality(String),
    version LowCardinality(String),
    code String,
    state LowCardinality(String),
    classifier LowCardinality(String),
    exception LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY (list, element, partner, version, code)
