-- Holds and delays that lie over a state, and what clears them.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_overlays
(
    object_type LowCardinality(String),
    overlay LowCardinality(String),
    cleared_by Array(String),
    is_block Bool
)
ENGINE = MergeTree
ORDER BY (object_type, overlay)
