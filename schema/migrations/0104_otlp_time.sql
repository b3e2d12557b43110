-- Nanoseconds since 1970 as a time. Writer: none.
CREATE OR REPLACE FUNCTION milepost_otlp_time AS (ns) -> fromUnixTimestamp64Nano(toInt64(ns), 'UTC')
