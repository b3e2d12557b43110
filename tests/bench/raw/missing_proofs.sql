-- The exceptions BIL.MISSING_POD that hold: region and carrier, how many, and since when.
WITH (SELECT any(limit_s) FROM gov_tolerances WHERE name = 'blocked_invoice' AND mode = '') AS limit_s
SELECT concat(region, '|', carrier) AS place, count() AS n, min(delivered_at + toIntervalSecond(limit_s)) AS oldest_at
FROM raw_held_invoices
WHERE waits_for = 'proof of delivery' AND delivered_at + toIntervalSecond(limit_s) < {as_of:DateTime64(3, 'UTC')}
GROUP BY place
