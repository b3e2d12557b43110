-- The technical half of each open incident: the interface behind it, failed calls, retries, the objects they touch, the last change.
-- Two ways to it: spans that carry the keys of its objects and failed (how = 'spans'); or an open interface or feed exception on
-- an interface that carries the milestones it waits for, for the same carrier (how = 'edge'), for a failure that leaves no span.
-- Parameters: as_of, scope. Grain: incident x interface; `position` 1 is the likeliest.
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    open AS
    (
        SELECT i.incident AS incident, i.code AS code, i.object_type AS object_type, i.object_id AS object_id, i.carrier AS carrier,
               i.region AS region, i.interface AS interface, i.began_at AS began_at, g.awaits AS awaits
        FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}) AS i
        INNER JOIN gov_exceptions AS g ON g.code = i.code
        WHERE i.needs_us
    ),
    family AS
    (
        SELECT incident, object_type, object_id, began_at FROM open WHERE object_id != ''
        UNION DISTINCT
        SELECT o.incident, l.b_type, l.b_id, o.began_at
        FROM open AS o INNER JOIN links AS l ON l.a_type = o.object_type AND l.a_id = o.object_id
        WHERE o.object_type = 'invoice' AND l.b_type = 'shipment'
    ),
    failed AS
    (
        SELECT interface, at, trace_id, attempt, is_error, status_message, object.1 AS object_type, object.2 AS object_id
        FROM interface_calls
        ARRAY JOIN arrayZip(object_types, object_ids) AS object
        WHERE at <= {as_of:DateTime64(3, 'UTC')}
          AND at > {as_of:DateTime64(3, 'UTC')} - toIntervalDay((SELECT max(slo_window_days) FROM gov_workflows))
          AND (is_error OR attempt > 1)
    ),
    by_spans AS
    (
        SELECT
            f.incident AS incident, c.interface AS interface, 'spans' AS how,
            uniqExactIf(f.object_type, f.object_id, c.is_error) AS n_objects, countIf(c.is_error) AS n_failed, countIf(c.attempt > 1) AS n_retries,
            minIf(c.at, c.is_error) AS first_at, argMaxIf(c.trace_id, c.at, c.is_error) AS trace_id,
            argMaxIf(c.status_message, c.at, c.is_error) AS message
        FROM family AS f
        INNER JOIN failed AS c ON c.object_type = f.object_type AND c.object_id = f.object_id
        WHERE c.at > f.began_at - INTERVAL 2 DAY
        GROUP BY incident, interface
        HAVING n_failed > 0
    ),
    edges AS
    (
        SELECT e.interface AS interface, e.region AS region, e.began_at AS began_at, e.reason AS reason, e.trace_id AS trace_id, e.code AS code,
               e.carrier AS own_carrier, g.carrier AS carrier, arrayMap(x -> x.1 || '.' || x.2, g.carries) AS carries
        FROM open AS o
        INNER JOIN inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}) AS e ON e.incident = o.incident
        LEFT JOIN gov_interfaces AS g ON g.interface = e.interface
        WHERE startsWith(e.code, 'INT.') AND e.interface != '' AND e.needs_us
    ),
    by_edge AS
    (
        SELECT o.incident AS incident, e.interface AS interface, 'edge' AS how, uniqExact(o.object_id) AS n_objects, 0 AS n_failed, 0 AS n_retries,
               min(e.began_at) AS first_at, any(e.trace_id) AS trace_id, any(e.reason) AS message
        FROM open AS o
        CROSS JOIN edges AS e
        WHERE NOT startsWith(o.code, 'INT.') AND hasAny(o.awaits, e.carries)
          AND (e.carrier = '' OR e.carrier = o.carrier) AND (e.region = '' OR e.region = o.region)
        GROUP BY incident, interface
    ),
    changes AS
    (
        SELECT interface, argMax(version, since) AS version, max(since) AS changed_at
        FROM (SELECT interface, version, min(at) AS since FROM interface_calls WHERE version != '' AND at <= {as_of:DateTime64(3, 'UTC')} GROUP BY interface, version)
        GROUP BY interface
        HAVING count() > 1
    ),
    ranked AS
    (
        SELECT *, row_number() OVER (PARTITION BY incident ORDER BY how = 'spans' DESC, n_objects DESC, n_failed DESC, interface) AS position
        FROM (SELECT * FROM by_spans UNION ALL SELECT * FROM by_edge)
    )
SELECT
    r.incident AS incident, r.interface AS interface, r.how AS how, r.n_objects AS n_objects, r.n_failed AS n_failed, r.n_retries AS n_retries,
    r.first_at AS first_at, r.trace_id AS trace_id, r.message AS message, r.position AS position,
    c.version AS version, c.changed_at AS changed_at,
    c.version != '' AND c.changed_at <= r.first_at + INTERVAL 10 MINUTE AND c.changed_at > r.first_at - INTERVAL 1 DAY AS is_change_before
FROM ranked AS r
LEFT JOIN changes AS c ON c.interface = r.interface
