-- How often a source is expected to speak.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_feeds
(
    source LowCardinality(String),
    title String,
    cadence_s UInt32,
    grace_s UInt32,
    owner LowCardinality(String),
    calendar LowCardinality(String),
    carrier LowCardinality(String),
    region LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY (source)
