-- Until when a wait is in time, by the clock of its rule: who asks what is late at a moment compares two times and needs no calendar.
-- Times without entropy coding: pages read these of every wait in a window, and unpacking them was half of that.
ALTER TABLE object_waits
    ADD COLUMN due_at DateTime64(3, 'UTC') COMMENT 'in time until then; far ahead where its limit lies beyond the calendar' CODEC(Delta, LZ4) AFTER open_since_s,
    MODIFY COLUMN gone_at CODEC(Delta, LZ4),
    MODIFY COLUMN began_at CODEC(Delta, LZ4),
    MODIFY COLUMN since CODEC(Delta, LZ4)
