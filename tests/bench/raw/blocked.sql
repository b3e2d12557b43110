-- Blocked invoices: region x what they wait for, how many, and the p90 of their age.
WITH (SELECT any(limit_s) FROM gov_tolerances WHERE name = 'blocked_invoice' AND mode = '') AS limit_s
SELECT toString(region) AS region, waits_for, count() AS n, quantileExact(0.9)(dateDiff('millisecond', since, {as_of:DateTime64(3, 'UTC')}) / 1000) AS age_s
FROM raw_held_invoices
WHERE is_query OR dateDiff('millisecond', since, {as_of:DateTime64(3, 'UTC')}) / 1000 > limit_s
GROUP BY region, waits_for
