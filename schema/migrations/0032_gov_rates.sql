-- One unit of the currency in the base currency.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_rates
(
    currency LowCardinality(String),
    rate Float64
)
ENGINE = MergeTree
ORDER BY (currency)
