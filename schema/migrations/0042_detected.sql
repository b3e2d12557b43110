-- What the detectors returned in this round, before it is held against the inbox. Emptied at each round.
CREATE TABLE detected
(
    code        LowCardinality(String),
    fingerprint String,
    object_type LowCardinality(String),
    object_id   String,
    began_at    DateTime64(3, 'UTC'),
    reason      String,
    value       Float64,
    tenant      LowCardinality(String),
    region      LowCardinality(String),
    warehouse   LowCardinality(String),
    carrier     LowCardinality(String),
    customer    LowCardinality(String),
    order_class LowCardinality(String),
    mode        LowCardinality(String),
    interface   LowCardinality(String),
    trace_id    String,
    place       LowCardinality(String),
    owner       LowCardinality(String)
)
ENGINE = Memory
