-- Business seconds up to one moment, in one row. Parameters: moment.
SELECT toFloat64(open_before_s) + least(dateDiff('millisecond', opens_at, {moment:DateTime64(3, 'UTC')}) / 1000, open_s) AS seconds
FROM business_clock
WHERE opens_at <= {moment:DateTime64(3, 'UTC')}
ORDER BY opens_at DESC
LIMIT 1
