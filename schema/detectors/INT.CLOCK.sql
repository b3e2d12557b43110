/*
title = "Times that cannot be"
definition = """
A source and system whose actual events, received in the last `clock_window`, lie further ahead of our clock than `future_clock`: they
say that something has happened later than we heard of it. Plans and estimates lie ahead by nature and do not count; of an event's
versions the last counts, and of that the first arrival. It began when the first of them arrived. Value: the objects that
the events are about."""
sentence = "{interface} has sent times that lie ahead for {oldest} ({value}): {reason}"
action = "Ask the sender to set its clock or its time zone right; its freshness figures cannot be believed until then."
kind = "feed"
source = "domain.md 2.4 INT.CLOCK, 3 scenario 11"
*/
WITH
    {as_of:DateTime64(3, 'UTC')} AS asked_at,
    assumeNotNull((SELECT any(limit_s) FROM gov_tolerances WHERE name = 'clock_window' AND mode = '')) AS window_s,
    assumeNotNull((SELECT any(limit_s) FROM gov_tolerances WHERE name = 'future_clock' AND mode = '')) AS ahead_s,
    s -> if(s < 3600, intDiv(s, 60) || ' min', intDiv(s, 3600) || ' h') AS spell,
    xs -> if(length(xs) = 1, xs[1], '') AS only,
    -- Few events, if any, so that only theirs are read whole.
    ahead AS
    (
        SELECT object_type, object_id FROM events
        PREWHERE ingested_at > asked_at - toIntervalSecond(window_s) AND received_at > asked_at - toIntervalSecond(window_s)
            AND received_at <= asked_at
        GROUP BY object_type, object_id, event_id
        HAVING max(occurred_at) > min(received_at) + toIntervalSecond(ahead_s)
    ),
    last AS
    (
        SELECT
            object_type, object_id, event_id, argMin(received_at, (bitNot(event_version), received_at)) AS heard_at,
            argMax((source, system, classifier, occurred_at, tenant, region, warehouse, carrier, customer, order_class, mode, trace_id,
                    is_retracted), (event_version, is_retracted, recorded_at)) AS e
        FROM events
        PREWHERE ingested_at > asked_at - toIntervalSecond(window_s) AND received_at > asked_at - toIntervalSecond(window_s)
            AND received_at <= asked_at AND (object_type, object_id) IN (SELECT object_type, object_id FROM ahead)
        GROUP BY object_type, object_id, event_id
        HAVING e.3 = 'ACT' AND NOT e.13 AND e.4 > heard_at + toIntervalSecond(ahead_s)
    ),
    wrong AS MATERIALIZED
    (
        SELECT
            object_type, object_id, heard_at, e.1 AS source, e.2 AS system, dateDiff('second', heard_at, e.4) AS lead_s, e.5 AS tenant,
            e.6 AS region, e.7 AS warehouse, e.8 AS carrier, e.9 AS customer, e.10 AS order_class, e.11 AS mode, e.12 AS trace_id
        FROM last
    ),
    told AS
    (
        SELECT
            source, system, count() AS n, max(lead_s) AS most_s, min(heard_at) AS began_at, argMaxIf(wrong.trace_id, heard_at, trace_id != '') AS newest_trace,
            only(groupUniqArray(2)(tenant)) AS one_tenant, only(groupUniqArray(2)(region)) AS one_region,
            only(groupUniqArray(2)(warehouse)) AS one_warehouse, only(groupUniqArray(2)(carrier)) AS one_carrier,
            only(groupUniqArray(2)(customer)) AS one_customer, only(groupUniqArray(2)(order_class)) AS one_class, only(groupUniqArray(2)(mode)) AS one_mode
        FROM wrong
        GROUP BY source, system
    ),
    hit AS
    (
        SELECT DISTINCT source, system, object_type, object_id FROM wrong
    ),
    worth AS
    (
        SELECT h.source AS source, h.system AS system, sum(toFloat64(s.value)) AS value
        FROM hit AS h
        LEFT JOIN (SELECT object_type, object_id, value FROM object_state FINAL PREWHERE (object_type, object_id) IN (SELECT object_type, object_id FROM hit)) AS s
            ON s.object_type = h.object_type AND s.object_id = h.object_id
        GROUP BY source, system
    )
SELECT
    (t.source || '|' || t.system)::String AS fingerprint,
    '' AS object_type,
    '' AS object_id,
    t.began_at AS began_at,
    t.n || ' events up to ' || spell(t.most_s) || ' ahead of our clock, limit ' || spell(ahead_s) AS reason,
    w.value AS value,
    t.one_tenant::String AS tenant,
    t.one_region::String AS region,
    t.one_warehouse::String AS warehouse,
    t.one_carrier::String AS carrier,
    t.one_customer::String AS customer,
    t.one_class::String AS order_class,
    t.one_mode::String AS mode,
    t.source::String AS interface,
    t.newest_trace AS trace_id,
    (t.source || '|' || t.system)::String AS place,
    '' AS owner
FROM told AS t
INNER JOIN worth AS w ON w.source = t.source AND w.system = t.system
