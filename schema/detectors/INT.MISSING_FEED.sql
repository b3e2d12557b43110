/*
title = "Feed is silent"
definition = """
A feed of the catalogue whose newest message, of whatever outcome, is older than its cadence and grace together, counted in the feed's
calendar: a feed of working days is not silent on a Sunday. It began when they ran out. A feed that has never spoken is not raised:
it is not connected yet, which the Intake page tells."""
sentence = "The feed {interface} has been overdue for {oldest}: {reason}"
action = "Ask the sender whether the job ran, then check the connection, its certificate and its folder."
kind = "feed"
source = "domain.md 2.4 INT.MISSING_FEED, 3 scenario 12"
*/
WITH
    s -> if(s < 3600, intDiv(s, 60) || ' min', intDiv(s, 3600) || ' h') AS spell,
    days AS
    (
        SELECT calendar, opens_at, open_s * 1000 AS open_ms, open_before_s * 1000 AS open_before_ms
        FROM gov_calendar
        WHERE calendar IN (SELECT calendar FROM gov_feeds)
    ),
    asked AS
    (
        SELECT calendar, argMax(open_before_ms + least(dateDiff('millisecond', opens_at, {as_of:DateTime64(3, 'UTC')}), open_ms), opens_at) AS asked_ms
        FROM days
        WHERE opens_at <= {as_of:DateTime64(3, 'UTC')}
        GROUP BY calendar
    ),
    heard AS
    (
        SELECT f.*, m.last_at AS last_at
        FROM gov_feeds AS f
        INNER JOIN
        (
            SELECT source, max(received_at) AS last_at
            FROM messages
            WHERE received_at <= {as_of:DateTime64(3, 'UTC')} AND source IN (SELECT source FROM gov_feeds)
            GROUP BY source
        ) AS m ON m.source = f.source
    ),
    found AS
    (
        SELECT
            h.source AS source, h.owner AS owner, h.carrier AS carrier, h.region AS region, h.calendar AS calendar,
            h.cadence_s AS cadence_s, h.grace_s AS grace_s, a.asked_ms AS asked_ms,
            d.open_before_ms + least(dateDiff('millisecond', d.opens_at, h.last_at), d.open_ms) AS last_ms,
            toUInt64(last_ms + (h.cadence_s + h.grace_s) * 1000) AS due_ms,
            if(h.calendar = 'always', '', ' of ' || h.calendar || ' time') AS clock
        FROM heard AS h
        INNER JOIN asked AS a ON a.calendar = h.calendar
        ASOF LEFT JOIN days AS d ON d.calendar = h.calendar AND d.opens_at <= h.last_at
        WHERE asked_ms > due_ms
    )
SELECT
    f.source::String AS fingerprint,
    '' AS object_type,
    '' AS object_id,
    d.opens_at + toIntervalMillisecond(f.due_ms - d.open_before_ms) AS began_at,
    'nothing for ' || spell(intDiv(f.asked_ms - f.last_ms, 1000)) || f.clock || ', expected every ' || spell(f.cadence_s) || ' (grace '
        || spell(f.grace_s) || ')' AS reason,
    toFloat64(0) AS value,
    '' AS tenant,
    f.region::String AS region,
    '' AS warehouse,
    f.carrier::String AS carrier,
    '' AS customer,
    '' AS order_class,
    '' AS mode,
    f.source::String AS interface,
    '' AS trace_id,
    f.source::String AS place,
    f.owner::String AS owner
FROM found AS f
ASOF LEFT JOIN (SELECT * FROM days WHERE open_ms > 0) AS d ON d.calendar = f.calendar AND d.open_before_ms < f.due_ms
