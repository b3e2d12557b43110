-- What an object's own events say: the fold of its non-retracted events, nothing from other objects.
-- Writer: schema/state.py, for touched objects. Grain: one object; the newest `ver` counts.
-- Sort key: looked up by object, in batches. Retention: as events.
CREATE TABLE object_own
(
    object_type  LowCardinality(String),
    object_id    String CODEC(ZSTD(1)),
    tenant       LowCardinality(String),
    region       LowCardinality(String),
    warehouse    LowCardinality(String),
    carrier      LowCardinality(String),
    customer     LowCardinality(String),
    order_class  LowCardinality(String),
    mode         LowCardinality(String),
    amount       Decimal(18, 2),
    currency     LowCardinality(String),
    quantity     Float64,
    unit         LowCardinality(String),
    first_at     DateTime64(3, 'UTC'),
    last_at      DateTime64(3, 'UTC'),
    progress_at  Array(DateTime64(3, 'UTC')) COMMENT 'when it moved on: new state or new place',
    h_state      Array(LowCardinality(String)) COMMENT 'canonical history: the states it entered',
    h_at         Array(DateTime64(3, 'UTC')),
    h_rank       Array(UInt16) COMMENT '0 for a reversal',
    h_level      Array(UInt16) COMMENT 'the rank, reversals too',
    h_flags      Array(UInt8) COMMENT '1 final, 2 active, 4 at a facility, 8 reversal',
    m_state      Array(LowCardinality(String)) COMMENT 'every actual milestone, by (occurred_at, rank)',
    m_role       Array(LowCardinality(String)),
    m_at         Array(DateTime64(3, 'UTC')),
    a_role       Array(LowCardinality(String)) COMMENT 'what each system asserts now',
    a_state      Array(LowCardinality(String)),
    a_at         Array(DateTime64(3, 'UTC')),
    p_state      Array(LowCardinality(String)) COMMENT 'planned: the last plan of each milestone',
    p_at         Array(DateTime64(3, 'UTC')),
    e_state      Array(LowCardinality(String)) COMMENT 'estimated: the last estimate of each milestone',
    e_at         Array(DateTime64(3, 'UTC')),
    hold_name    Array(LowCardinality(String)) COMMENT 'overlays as intervals',
    hold_from    Array(DateTime64(3, 'UTC')),
    hold_to      Array(DateTime64(3, 'UTC')) COMMENT '1970: still on',
    hold_block   Array(UInt8) COMMENT '1: nobody waits while it is on',
    link_type    Array(LowCardinality(String)) COMMENT 'objects that its events name',
    link_id      Array(String) CODEC(ZSTD(1)),
    keys         Array(String) CODEC(ZSTD(1)),
    trace_id     String COMMENT 'of its latest event that has one' CODEC(ZSTD(1)),
    n_events     UInt32 COMMENT 'distinct, not retracted',
    n_raw        UInt32 COMMENT 'stored rows, to see whether anything came',
    ver          UInt64
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY (object_type, object_id)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000
