-- The likeliest cause of each open incident, as the last round of the detectors left it: what a page asks all the time, and what takes
-- far longer to find out than to say. Of a moment of the past, or of a part of the data, incident_causes is asked.
-- Writer: schema/exceptions.py, with each round of all detectors. Grain: incident; where its cause has gone, a row without an interface.
CREATE TABLE causes
(
    incident         String,
    interface        LowCardinality(String),
    how              LowCardinality(String) COMMENT 'spans, edge, silence: see incident_causes',
    n_failed         UInt64,
    n_retries        UInt64,
    first_at         DateTime64(3, 'UTC'),
    trace_id         String,
    message          String,
    version          String,
    changed_at       DateTime64(3, 'UTC'),
    is_change_before Bool,
    ver              UInt64
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY incident
