-- On-time delivery, by carrier: of what was delivered in the window and what was open past its commitment at its end.
WITH toDateTime64(0, 3, 'UTC') AS never, toDateTime64('2299-12-31', 3, 'UTC') AS far
SELECT carrier AS series, countIf(elapsed_s <= 0) / count() AS value, count() AS n
FROM
(
    SELECT
        toString(o.carrier) AS carrier, planned_at AS began_at,
        arrayFirst(x -> x.2 >= 70 AND x.6 = 0, history).1 AS done_at, arrayFirst(x -> x.3 IN ('returned', 'cancelled'), history).1 AS dropped_at,
        least(if(done_at = never, far, done_at), if(dropped_at = never, far, dropped_at)) AS gone_at,
        gone_at >= {to:DateTime64(3, 'UTC')} AS is_open,
        greatest(0, dateDiff('millisecond', began_at, if(is_open, {to:DateTime64(3, 'UTC')}, gone_at)) / 1000) AS elapsed_s
    FROM raw_objects(type = 'shipment') AS o
    WHERE began_at != never AND gone_at >= {from:DateTime64(3, 'UTC')}
      AND if(is_open, began_at < {to:DateTime64(3, 'UTC')} AND elapsed_s > 0, gone_at = done_at)
)
GROUP BY series
