-- The start of the bucket in which a time lies; buckets of `width_s` seconds are counted from `origin`. Writer: none.
CREATE OR REPLACE FUNCTION milepost_bucket AS (origin, width_s, happened) ->
    origin + toIntervalMillisecond(intDiv(dateDiff('millisecond', origin, happened), width_s * 1000) * width_s * 1000)
