-- What Milepost says of itself: its own spans by name, how many, how long and how many failed. Parameters: from, as_of. Grain: act.
SELECT
    toString(SpanName) AS act, uniqExact(TraceId, SpanId) AS n, uniqExactIf(TraceId, SpanId, StatusCode = 'Error') AS n_errors,
    quantileTDigest(0.5)(Duration / 1e9) AS p50_s, quantileTDigest(0.95)(Duration / 1e9) AS p95_s, toDateTime64(max(Timestamp), 3, 'UTC') AS last_at,
    argMaxIf(StatusMessage, Timestamp, StatusCode = 'Error') AS said
FROM otel_traces
WHERE ServiceName = 'milepost' AND Timestamp >= {from:DateTime64(3, 'UTC')} AND Timestamp <= {as_of:DateTime64(3, 'UTC')}
GROUP BY act
