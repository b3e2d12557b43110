-- The business calendar as one value for milepost_open_s: when each day opens, for how long, open seconds before it, the first day.
SELECT (groupArray(opens_at), groupArray(open_s), groupArray(open_before_s), min(day)) AS hours
FROM (SELECT opens_at, open_s, open_before_s, day FROM gov_calendar WHERE calendar = 'business' ORDER BY day)
