-- Who waits, or waited, for what: one row a wait of an object, from where it begins to where it ends or is dropped.
-- Writer: object_waits_mv, with each row of object_state that is added or cancelled; schema/state.py, whole, when the rules change.
-- Grain: one wait; the sum of `sign` over it is 1. Read with FINAL.
-- Sort key: one rule's waits by when they are gone, so that those that are open (gone far ahead) and those of a window are one short read;
-- what was in time apart, for most waits are, and are only counted.
-- Retention: as events.
CREATE TABLE object_waits
(
    what        LowCardinality(String),
    name        LowCardinality(String),
    gone_at     DateTime64(3, 'UTC') COMMENT 'ended or dropped; 2299 while it lasts' CODEC(Delta, ZSTD(1)),
    began_at    DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    object_type LowCardinality(String),
    object_id   String CODEC(ZSTD(1)),
    is_ended    Bool COMMENT 'gone because what was waited for came',
    since       DateTime64(3, 'UTC') COMMENT 'from when its age counts' CODEC(Delta, ZSTD(1)),
    open_since_s Float64 COMMENT 'business seconds of the calendar up to since' CODEC(ZSTD(1)),
    elapsed_s   Float64 COMMENT 'from since to gone_at by the clock of its rule; 0 while it lasts' CODEC(ZSTD(1)),
    next        LowCardinality(String) COMMENT 'the state after a stage, where it came; the guard that is waited for',
    is_in_time  Bool MATERIALIZED gone_at < toDateTime64('2299-12-31', 3, 'UTC') AND elapsed_s <= limit_s COMMENT 'gone within its limit',
    expected    LowCardinality(String) COMMENT 'the state that should come after a stage; the state in which a guard is waited for',
    is_overlay  Bool COMMENT 'a stage that lies over others',
    limit_s     UInt32,
    clock       LowCardinality(String),
    tenant      LowCardinality(String),
    region      LowCardinality(String),
    warehouse   LowCardinality(String),
    carrier     LowCardinality(String),
    customer    LowCardinality(String),
    order_class LowCardinality(String),
    mode        LowCardinality(String),
    value       Decimal(18, 2),
    sign        Int8,
    ver         UInt64
)
ENGINE = VersionedCollapsingMergeTree(sign, ver)
ORDER BY (what, is_in_time, name, gone_at, began_at, object_type, object_id)
SETTINGS index_granularity = 2048, non_replicated_deduplication_window = 1000
