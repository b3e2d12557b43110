-- One interface over a window, by bucket, beside its usual (see `edges`): calls, share of failed ones, retries a message, latency.
-- Parameters: interface, from, as_of, bucket_s, scope as in edges. Buckets are counted from `from`, so that none is partly filled; a
-- bucket without a call has no row.
WITH
    dateDiff('millisecond', {from:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')}) AS length_ms,
    toInt64(ceil(length_ms / 86400000)) * 86400000 AS step_ms,
    if(step_ms = 86400000, 7, 1) AS n_steps
SELECT
    milepost_bucket({from:DateTime64(3, 'UTC')}, {bucket_s:UInt32}, at + toIntervalMillisecond(k * step_ms)) AS bucket,
    countIf(k = 0) AS n, countIf(k = 0 AND is_error) AS n_errors, if(n > 0, n_errors / n, NULL) AS error_share,
    if(n > 0, uniqExactIf(message, attempt, k = 0) / uniqExactIf(message, k = 0) - 1, NULL) AS retries,
    if(n > 0, quantileTDigestIf(0.5)(duration_ns / 1e9, k = 0), NULL) AS p50_s, if(n > 0, quantileTDigestIf(0.95)(duration_ns / 1e9, k = 0), NULL) AS p95_s,
    countIf(k > 0) / n_steps AS usual_n, if(usual_n > 0, countIf(k > 0 AND is_error) / countIf(k > 0), NULL) AS usual_error_share,
    if(usual_n > 0, quantileTDigestIf(0.95)(duration_ns / 1e9, k > 0), NULL) AS usual_p95_s
FROM
(
    SELECT
        at, is_error, attempt, duration_ns, if(message_id != '', message_id, trace_id) AS message,
        intDiv(dateDiff('millisecond', at, {as_of:DateTime64(3, 'UTC')}), step_ms) AS k
    FROM interface_calls
    WHERE interface = {interface:String}
      AND at <= {as_of:DateTime64(3, 'UTC')} AND at > {as_of:DateTime64(3, 'UTC')} - toIntervalMillisecond(n_steps * step_ms + length_ms)
      AND dateDiff('millisecond', at, {as_of:DateTime64(3, 'UTC')}) % step_ms < length_ms
      AND milepost_in({scope:Array(String)}, 'region', region)
    LIMIT 1 BY trace_id, span_id
)
GROUP BY bucket
