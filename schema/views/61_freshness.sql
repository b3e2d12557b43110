-- Freshness of shipments under way, carrier x region: how many there are, and how many have shown no progress for too long.
-- Parameters: as_of, scope. A shipment is not stale before its feed could have spoken: the limit is its mode's, or the feed's cadence
-- and grace where those are longer. `oldest_at` is the last progress of the one that is stale longest.
WITH fresh AS
(
    SELECT
        s.carrier AS carrier, s.region AS region, s.value AS value, s.began_at AS progressed_at,
        s.began_at < {as_of:DateTime64(3, 'UTC')} - toIntervalSecond(greatest(s.limit_s, f.allowed_s)) AS is_stale
    FROM waits(what = 'shipment_status', since = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = '') AS s
    LEFT JOIN
    (
        SELECT carrier, max(cadence_s + grace_s) AS allowed_s FROM gov_feeds WHERE carrier != '' GROUP BY carrier
    ) AS f ON f.carrier = s.carrier
    WHERE s.began_at <= {as_of:DateTime64(3, 'UTC')} AND s.gone_at > {as_of:DateTime64(3, 'UTC')}
)
SELECT
    carrier, region, count() AS n, countIf(is_stale) AS n_stale, n_stale / n AS share, sumIf(value, is_stale) AS worth,
    minIf(progressed_at, is_stale) AS oldest_at, max(progressed_at) AS newest_at
FROM fresh
GROUP BY carrier, region
