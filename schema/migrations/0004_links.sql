-- Which objects may be neighbours: an index of candidates, both ways, never shrunk; a link holds only while an event says so.
-- Writer: schema/state.py. Grain: one ordered pair. Sort key: asked for the neighbours of a set of objects.
CREATE TABLE links
(
    a_type LowCardinality(String),
    a_id   String CODEC(ZSTD(1)),
    b_type LowCardinality(String),
    b_id   String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (a_type, a_id, b_type, b_id)
SETTINGS index_granularity = 1024
