-- Every source: how far it got, how it speaks against what is expected, what of it could not be stored, and what is odd in it.
-- Parameters: from, as_of. Grain: source; a feed of the catalogue that never spoke is there too (watermark 1970). `silent_s` is counted in
-- the feed's calendar. `lag_s` is the p95 from happened to stored over the window's events; `commit_s` from received to stored.
-- `status` off_target: silent for longer than cadence and grace; watch: open rejects; no_data: never heard of; a source without a feed is not
-- watched for silence. `course` is messages by twenty-fourth of the window.
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    dateDiff('millisecond', {from:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')}) AS length_ms,
    open_until AS
    (
        SELECT calendar, argMax(open_before_s + least(dateDiff('second', opens_at, {as_of:DateTime64(3, 'UTC')}), open_s), opens_at) AS s
        FROM gov_calendar WHERE opens_at <= {as_of:DateTime64(3, 'UTC')} GROUP BY calendar
    ),
    heard AS
    (
        SELECT toString(source) AS source, max(received_at) AS newest, argMax(toString(format), received_at) AS newest_format
        FROM messages WHERE received_at <= {as_of:DateTime64(3, 'UTC')} GROUP BY source
    ),
    spoke AS
    (
        SELECT
            toString(source) AS source, count() AS n, sum(n_rows) AS rows, sum(toUInt64(bytes)) AS bytes, count() - uniqExact(message_id) AS n_again,
            quantileTDigest(0.95)(dateDiff('millisecond', received_at, stored_at) / 1000) AS commit_p95,
            sumForEach(arrayMap(i -> toUInt32(i = least(23, intDiv(dateDiff('millisecond', {from:DateTime64(3, 'UTC')}, received_at) * 24, length_ms))), range(24))) AS bars
        FROM messages
        WHERE received_at >= {from:DateTime64(3, 'UTC')} AND received_at <= {as_of:DateTime64(3, 'UTC')}
        GROUP BY source
    ),
    lagged AS
    (
        SELECT toString(source) AS source, quantileTDigest(0.95)(greatest(0, dateDiff('millisecond', occurred_at, ingested_at) / 1000)) AS lag_p95, count() AS n_events
        FROM events
        WHERE classifier = 'ACT' AND occurred_at >= {from:DateTime64(3, 'UTC')} AND occurred_at <= {as_of:DateTime64(3, 'UTC')}
        GROUP BY source
    ),
    rejected AS
    (
        SELECT toString(source) AS source, countIf(status = 'open') AS n_open, argMax(reason, received_at) AS last_reason, max(received_at) AS last_at
        FROM rejects FINAL WHERE received_at <= {as_of:DateTime64(3, 'UTC')} GROUP BY source
    ),
    odd AS
    (
        SELECT toString(source) AS source, sum(n) AS n_odd, uniqExact(code) AS n_kinds
        FROM findings FINAL WHERE received_at >= {from:DateTime64(3, 'UTC')} AND received_at <= {as_of:DateTime64(3, 'UTC')} GROUP BY source
    ),
    feeds AS
    (
        SELECT f.source AS source, f.title AS title, f.owner AS owner, f.cadence_s AS cadence_s, f.grace_s AS grace_s, f.calendar AS calendar, u.s AS asked_s
        FROM gov_feeds AS f LEFT JOIN open_until AS u ON u.calendar = f.calendar
    ),
    names AS
    (
        SELECT source FROM heard UNION DISTINCT SELECT toString(source) FROM gov_feeds UNION DISTINCT SELECT source FROM rejected
    ),
    joined AS
    (
        SELECT
            n.source AS source, if(f.title = '', n.source, f.title) AS title, toString(f.owner) AS owner, h.newest_format AS format, h.newest AS watermark,
            toUInt32(f.cadence_s) AS cadence_s, toUInt32(f.grace_s) AS grace_s, if(f.calendar = '', 'always', toString(f.calendar)) AS calendar, f.asked_s AS asked_s
        FROM names AS n
        LEFT JOIN heard AS h ON h.source = n.source
        LEFT JOIN feeds AS f ON f.source = n.source
    )
SELECT
    j.source AS source, j.title AS title, j.owner AS owner, j.format AS format, j.watermark AS watermark, j.cadence_s AS cadence_s, j.grace_s AS grace_s,
    j.calendar AS calendar,
    if(j.cadence_s > 0 AND j.watermark > never, j.asked_s - (d.open_before_s + least(dateDiff('second', d.opens_at, j.watermark), d.open_s)), NULL) AS silent_s,
    s.n AS n_messages, s.rows AS n_rows, s.bytes AS n_bytes, s.n_again AS n_again, if(s.n > 0, s.commit_p95, NULL) AS commit_s,
    if(l.n_events > 0, l.lag_p95, NULL) AS lag_s, if(s.n > 0, s.bars, arrayWithConstant(24, 0)) AS course,
    r.n_open AS n_rejects, r.last_reason AS last_error, r.last_at AS last_error_at, o.n_odd AS n_findings, o.n_kinds AS n_kinds,
    multiIf(j.watermark = never, 'no_data', silent_s > j.cadence_s + j.grace_s, 'off_target', n_rejects > 0, 'watch', 'on_target') AS status
FROM joined AS j
ASOF LEFT JOIN (SELECT toString(calendar) AS calendar, opens_at, open_s, open_before_s FROM gov_calendar) AS d ON d.calendar = j.calendar AND d.opens_at <= j.watermark
LEFT JOIN spoke AS s ON s.source = j.source
LEFT JOIN lagged AS l ON l.source = j.source
LEFT JOIN rejected AS r ON r.source = j.source
LEFT JOIN odd AS o ON o.source = j.source
