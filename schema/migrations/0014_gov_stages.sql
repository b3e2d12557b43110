-- The funnel of the Operations page.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_stages
(
    position UInt16,
    stage LowCardinality(String),
    object_type LowCardinality(String),
    states Array(String),
    overlay LowCardinality(String),
    tolerance LowCardinality(String),
    limit_s UInt32
)
ENGINE = MergeTree
ORDER BY (position)
