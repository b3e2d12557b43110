-- Business time: seconds open on a day and before it. Business seconds to t: open_before_s + clamp(t - opens_at, 0, open_s).
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_calendar
(
    calendar LowCardinality(String),
    day Date,
    opens_at DateTime64(3, 'UTC'),
    open_s UInt32,
    open_before_s UInt64
)
ENGINE = MergeTree
ORDER BY (calendar, day)
