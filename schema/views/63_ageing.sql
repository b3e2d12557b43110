-- Open exceptions by age and team: under 4 h, 4 to 24 h, 1 to 3 d, over 3 d, with number and value.
-- Parameters: as_of, scope. Grain: owner x bucket. What people have put aside still ages, so it counts.
SELECT
    owner,
    multiIf(age_s < 14400, '< 4 h', age_s < 86400, '4 – 24 h', age_s < 259200, '1 – 3 d', '> 3 d') AS bucket,
    count() AS n, sum(value) AS worth, max(age_s) AS oldest_s
FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)})
WHERE is_open
GROUP BY owner, bucket
