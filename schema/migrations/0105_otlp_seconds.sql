-- Nanoseconds since 1970 as a time in whole seconds, which is what the exporter's metric tables hold; past 2106 it stays there.
-- Writer: none.
CREATE OR REPLACE FUNCTION milepost_otlp_seconds AS (ns) -> toDateTime(toUInt32(least(intDiv(ns, 1000000000), 4294967295)), 'UTC')
