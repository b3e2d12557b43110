-- Shipments on the road, carrier x region: how many, and how many whose last new state or new place is older than their mode or their feed allows.
WITH
    (SELECT groupArray(toString(state)) FROM gov_states WHERE object_type = 'shipment' AND is_active) AS active,
    (SELECT mapFromArrays(groupArray(toString(mode)), groupArray(limit_s)) FROM gov_tolerances WHERE name = 'shipment_status') AS limits
SELECT toString(s.carrier) AS carrier, toString(s.region) AS region, count() AS n,
       countIf(s.progressed_at < {as_of:DateTime64(3, 'UTC')} - toIntervalSecond(greatest(s.limit_s, f.allowed_s))) AS n_stale
FROM
(
    SELECT
        carrier, region, if(mapContains(limits, toString(mode)), limits[toString(mode)], limits['']) AS limit_s,
        arrayLast((x, i) -> i = 1 OR (x.2 > 0 AND x.3 != said[i - 1].3) OR (x.4 != '' AND x.4 != said[i - 1].4), said, arrayEnumerate(said)).1 AS progressed_at
    FROM raw_objects(type = 'shipment')
    WHERE has(active, history[-1].3)
) AS s
LEFT JOIN (SELECT carrier, max(cadence_s + grace_s) AS allowed_s FROM gov_feeds WHERE carrier != '' GROUP BY carrier) AS f ON f.carrier = s.carrier
GROUP BY carrier, region
