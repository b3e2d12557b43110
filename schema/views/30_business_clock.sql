-- The days of the business calendar by when they open: business seconds up to a time are those of the last day that had opened,
-- open_before_s + least(seconds since it opened, open_s). Joined ASOF, or asked for one moment by business_seconds.
SELECT 'business' AS clock, opens_at, open_s, open_before_s FROM gov_calendar WHERE calendar = 'business'
