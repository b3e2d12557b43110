/*
title = "Codes that map to nothing"
definition = """
A source code that came on events of the last `unmapped_codes` without a canonical state and that no code map of the catalogue knows,
for its system or for all. One row a system, list, element and code; the codes of one list are one incident. It began when the code
first came in the longest window of a workflow. Mapping it in the catalogue, or a corrected or retracted event, clears it. Value: the
objects that the events are about."""
sentence = "{n} codes from {interface} map to nothing ({value}); oldest {oldest}: {reason}"
action = "Ask the sender what the code means and add it to the code map of the catalogue; the stored events then count."
kind = "feed"
source = "domain.md 1 K45, 2.2 rule 6, 2.4 INT.UNMAPPED, 3 scenario 7"
*/
WITH
    {as_of:DateTime64(3, 'UTC')} AS asked_at,
    (SELECT any(limit_s) FROM gov_tolerances WHERE name = 'unmapped_codes' AND mode = '') AS window_s,
    (SELECT max(slo_window_days) FROM gov_workflows) AS back_days,
    xs -> if(length(xs) = 1, xs[1], '') AS only,
    last AS
    (
        SELECT
            object_type, object_id, event_id,
            argMax((system, code_list, code_element, source_code, state, occurred_at, source, tenant, region, warehouse, carrier, customer,
                    order_class, mode, trace_id, is_retracted), (event_version, is_retracted, ingested_at)) AS e
        FROM events
        WHERE source_code != '' AND occurred_at > asked_at - toIntervalDay(back_days) AND occurred_at <= asked_at
        GROUP BY object_type, object_id, event_id
        HAVING e.5 IN ('', 'unknown') AND NOT e.16
    ),
    unmapped AS MATERIALIZED
    (
        SELECT
            object_type, object_id, e.1 AS system, e.2 AS code_list, e.3 AS code_element, e.4 AS source_code, e.6 AS at, e.7 AS source,
            e.8 AS tenant, e.9 AS region, e.10 AS warehouse, e.11 AS carrier, e.12 AS customer, e.13 AS order_class, e.14 AS mode, e.15 AS trace_id,
            at > asked_at - toIntervalSecond(window_s) AS is_recent
        FROM last
        WHERE (code_list, code_element, '', source_code) NOT IN (SELECT list, element, partner, code FROM gov_codes)
          AND (code_list, code_element, system, source_code) NOT IN (SELECT list, element, partner, code FROM gov_codes)
    ),
    told AS
    (
        SELECT
            system, code_list, code_element, source_code, countIf(is_recent) AS n, min(at) AS began_at,
            argMax(source, at) AS newest_source, argMaxIf(unmapped.trace_id, at, trace_id != '') AS newest_trace,
            only(groupUniqArrayIf(2)(tenant, is_recent)) AS one_tenant, only(groupUniqArrayIf(2)(region, is_recent)) AS one_region,
            only(groupUniqArrayIf(2)(warehouse, is_recent)) AS one_warehouse, only(groupUniqArrayIf(2)(carrier, is_recent)) AS one_carrier,
            only(groupUniqArrayIf(2)(customer, is_recent)) AS one_customer, only(groupUniqArrayIf(2)(order_class, is_recent)) AS one_class,
            only(groupUniqArrayIf(2)(mode, is_recent)) AS one_mode
        FROM unmapped
        GROUP BY system, code_list, code_element, source_code
        HAVING n > 0
    ),
    hit AS
    (
        SELECT DISTINCT system, code_list, code_element, source_code, object_type, object_id FROM unmapped WHERE is_recent
    ),
    worth AS
    (
        SELECT h.system AS system, h.code_list AS code_list, h.code_element AS code_element, h.source_code AS source_code,
               count() AS n_objects, sum(toFloat64(s.value)) AS value
        FROM hit AS h
        LEFT JOIN (SELECT object_type, object_id, value FROM object_state FINAL PREWHERE (object_type, object_id) IN (SELECT object_type, object_id FROM hit)) AS s
            ON s.object_type = h.object_type AND s.object_id = h.object_id
        GROUP BY system, code_list, code_element, source_code
    )
SELECT
    (t.system || '|' || t.code_list || '|' || t.code_element || '|' || t.source_code)::String AS fingerprint,
    '' AS object_type,
    '' AS object_id,
    t.began_at AS began_at,
    'code ' || t.source_code || if(t.code_list = '', '', ' of ' || t.code_list || ' ' || t.code_element) || ' came on ' || t.n || ' events of '
        || w.n_objects || ' objects' AS reason,
    w.value AS value,
    t.one_tenant::String AS tenant,
    t.one_region::String AS region,
    t.one_warehouse::String AS warehouse,
    t.one_carrier::String AS carrier,
    t.one_customer::String AS customer,
    t.one_class::String AS order_class,
    t.one_mode::String AS mode,
    t.newest_source::String AS interface,
    t.newest_trace AS trace_id,
    (t.system || '|' || t.code_list || '|' || t.code_element)::String AS place,
    '' AS owner
FROM told AS t
INNER JOIN worth AS w ON w.system = t.system AND w.code_list = t.code_list AND w.code_element = t.code_element AND w.source_code = t.source_code
