-- The current state: what an object's own events say, with what it inherits from the objects it is linked to.
-- Writer: schema/state.py. Grain: one object; the sum of `sign` over an object is 1, or 0 when all its events were retracted.
-- VersionedCollapsing, the cancelling row carrying the old row's own version: plain Collapsing drops pairs inside one block.
-- Read with sum(sign) and no FINAL where it is a sum, with FINAL where it is a row. Retention: as events.
-- `rests_at` is when it came to its final state, which a reversal is not (systems may still disagree on it); far ahead while it is under way.
-- Those under way lie in a partition of their own, so that what is asked of now costs what is under way and not what ever was; the row
-- that cancels another is its copy, and lies with it.
CREATE TABLE object_state
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
    value        Decimal(18, 2) COMMENT 'amount in the base currency; 0 where the catalogue has no rate',
    quantity     Float64,
    unit         LowCardinality(String),
    first_at     DateTime64(3, 'UTC'),
    last_at      DateTime64(3, 'UTC'),
    progress_at  Array(DateTime64(3, 'UTC')),
    h_state      Array(LowCardinality(String)),
    h_at         Array(DateTime64(3, 'UTC')),
    h_rank       Array(UInt16),
    h_level      Array(UInt16) COMMENT 'the rank, reversals too',
    h_flags      Array(UInt8) COMMENT '1 final, 2 active, 4 at a facility, 8 reversal',
    m_state      Array(LowCardinality(String)),
    m_role       Array(LowCardinality(String)),
    m_at         Array(DateTime64(3, 'UTC')),
    a_role       Array(LowCardinality(String)),
    a_state      Array(LowCardinality(String)),
    a_at         Array(DateTime64(3, 'UTC')),
    p_state      Array(LowCardinality(String)),
    p_at         Array(DateTime64(3, 'UTC')),
    e_state      Array(LowCardinality(String)),
    e_at         Array(DateTime64(3, 'UTC')),
    hold_name    Array(LowCardinality(String)),
    hold_from    Array(DateTime64(3, 'UTC')),
    hold_to      Array(DateTime64(3, 'UTC')),
    hold_block   Array(UInt8) COMMENT '1: nobody waits while it is on',
    guard_for    Array(LowCardinality(String)) COMMENT 'guards of its lifecycle, in order',
    guard_rank   Array(UInt16) COMMENT 'rank of the state that it guards',
    guard_name   Array(LowCardinality(String)),
    guard_at     Array(DateTime64(3, 'UTC')) COMMENT 'when it was met; 1970: not met',
    link_type    Array(LowCardinality(String)) COMMENT 'both ways: what it names and what names it',
    link_id      Array(String) CODEC(ZSTD(1)),
    keys         Array(String) CODEC(ZSTD(1)),
    trace_id     String COMMENT 'of its latest event that has one' CODEC(ZSTD(1)),
    n_events     UInt32 COMMENT '0: a shell, known only by what others say of it',
    digest       UInt64,
    sign         Int8,
    ver          UInt64,
    rests_at     DateTime64(3, 'UTC') MATERIALIZED if(bitAnd(h_flags[-1], 9) = 1, h_at[-1], toDateTime64('2299-12-31', 3, 'UTC')),
    INDEX by_rest rests_at TYPE minmax GRANULARITY 1,
    INDEX by_key keys TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = VersionedCollapsingMergeTree(sign, ver)
PARTITION BY rests_at < toDateTime64('2299-12-31', 3, 'UTC')
ORDER BY (object_type, object_id)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000
