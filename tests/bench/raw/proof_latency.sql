-- Proof of delivery, by carrier: p90 of what came in the window and of what was open past its limit at its end.
WITH
    toDateTime64(0, 3, 'UTC') AS never, toDateTime64('2299-12-31', 3, 'UTC') AS far,
    (SELECT any(limit_s) FROM gov_tolerances WHERE name = 'proof_of_delivery' AND mode = '') AS limit_s
SELECT carrier AS series, quantileExact(0.9)(elapsed_s) AS value, count() AS n
FROM
(
    SELECT
        toString(o.carrier) AS carrier, arrayFirst(x -> x.3 = 'delivered', said).1 AS began_at,
        arrayFirst(x -> x.3 = 'pod_received', history).1 AS done_at, arrayFirst(x -> x.3 IN ('returned', 'cancelled'), history).1 AS dropped_at,
        least(if(done_at = never, far, done_at), if(dropped_at = never, far, dropped_at)) AS gone_at,
        gone_at >= {to:DateTime64(3, 'UTC')} AS is_open,
        greatest(0, dateDiff('millisecond', began_at, if(is_open, {to:DateTime64(3, 'UTC')}, gone_at)) / 1000) AS elapsed_s
    FROM raw_objects(type = 'shipment') AS o
    WHERE began_at != never AND gone_at >= {from:DateTime64(3, 'UTC')}
      AND if(is_open, began_at < {to:DateTime64(3, 'UTC')} AND elapsed_s > limit_s, gone_at = done_at)
)
GROUP BY series
