-- The technical half of each open incident: the interface behind it, failed calls, retries, the objects they touch, the last change.
-- Three ways to it, the first the surest: `spans`, the last call for its objects on an interface failed; `edge`, an exception is open
-- on an interface or feed that carries the milestones it waits for, for the same carrier and region; `silence`, an interface that
-- carries them was not called for most of its objects and nothing failed (a failure that leaves no span).
-- Asked as the text of this file (schema/exceptions.py), for a view's own CTEs are read anew at each place that names them.
-- Parameters: as_of, scope. Grain: incident x interface; `position` 1 is the likeliest.
WITH
    open AS MATERIALIZED
    (
        SELECT i.incident AS incident, i.code AS code, i.object_type AS object_type, i.object_id AS object_id, i.carrier AS carrier,
               i.region AS region, i.interface AS interface, i.began_at AS began_at, i.reason AS reason, i.trace_id AS trace_id,
               arrayFilter(a -> startsWith(a, i.object_type || '.'), g.awaits) AS own_awaits,
               if(empty(own_awaits), g.awaits, own_awaits) AS awaits, startsWith(i.code, 'INT.') AS is_technical
        FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}) AS i
        INNER JOIN gov_exceptions AS g ON g.code = i.code
        WHERE i.needs_us
    ),
    size AS (SELECT incident, uniqExact(object_id) AS n_all, min(began_at) AS oldest_at FROM open GROUP BY incident),
    family AS MATERIALIZED
    (
        SELECT incident, object_id AS subject, object_type, object_id, began_at FROM open WHERE NOT is_technical
        UNION DISTINCT
        SELECT o.incident, o.object_id, l.b_type, l.b_id, o.began_at
        FROM open AS o INNER JOIN links AS l ON l.a_type = o.object_type AND l.a_id = o.object_id
        WHERE o.object_type = 'invoice' AND l.b_type = 'shipment'
    ),
    touching AS MATERIALIZED
    (
        SELECT
            interface, object.1 AS object_type, object.2 AS object_id,
            argMax(is_error, (at, attempt)) AS is_failed, countIf(is_error) AS n_failed, countIf(attempt > 1) AS n_retries,
            minIf(at, is_error) AS failed_at, argMaxIf(trace_id, at, is_error) AS trace_id, argMaxIf(status_message, at, is_error) AS message
        FROM interface_calls
        ARRAY JOIN arrayZip(object_types, object_ids) AS object
        WHERE at <= {as_of:DateTime64(3, 'UTC')}
          AND at > {as_of:DateTime64(3, 'UTC')} - toIntervalDay((SELECT max(slo_window_days) FROM gov_workflows))
          AND object.2 IN (SELECT object_id FROM family)
        GROUP BY interface, object_type, object_id
    ),
    by_spans AS
    (
        SELECT f.incident AS incident, c.interface AS interface, 'spans' AS how, uniqExact(f.subject) AS n_objects,
               sum(c.n_failed) AS n_failed, sum(c.n_retries) AS n_retries, min(c.failed_at) AS first_at,
               argMax(c.trace_id, c.failed_at) AS trace_id, argMax(c.message, c.failed_at) AS message
        FROM family AS f
        INNER JOIN touching AS c ON c.object_type = f.object_type AND c.object_id = f.object_id
        WHERE c.is_failed
        GROUP BY incident, interface
    ),
    by_edge AS
    (
        SELECT o.incident AS incident, e.interface AS interface, 'edge' AS how, uniqExact(o.object_id) AS n_objects,
               toUInt64(0) AS n_failed, toUInt64(0) AS n_retries, min(e.began_at) AS first_at, any(e.trace_id) AS trace_id, any(e.reason) AS message
        FROM open AS o
        INNER JOIN
        (
            SELECT x.interface AS interface, x.region AS region, x.began_at AS began_at, x.reason AS reason, x.trace_id AS trace_id,
                   g.carrier AS carrier, arrayMap(c -> c.1 || '.' || c.2, g.carries) AS carries
            FROM open AS x INNER JOIN gov_interfaces AS g ON g.interface = x.interface
            WHERE x.is_technical
        ) AS e ON true
        WHERE NOT o.is_technical AND hasAny(o.awaits, e.carries)
          AND (e.carrier = '' OR e.carrier = o.carrier) AND (e.region = '' OR e.region = o.region)
        GROUP BY incident, interface
    ),
    by_silence AS
    (
        SELECT o.incident AS incident, o.interface AS interface, 'silence' AS how, countIf(c.n = 0) AS n_objects,
               toUInt64(0) AS n_failed, toUInt64(0) AS n_retries, min(o.began_at) AS first_at, '' AS trace_id,
               'not called for ' || toString(n_objects) || ' of ' || toString(count()) || ' objects, and nothing failed' AS message
        FROM
        (
            SELECT o.incident AS incident, o.object_id AS subject, o.began_at AS began_at, g.interface AS interface
            FROM open AS o INNER JOIN gov_interfaces AS g ON true
            WHERE NOT o.is_technical AND hasAny(o.awaits, arrayMap(c -> c.1 || '.' || c.2, g.carries)) AND (g.carrier = '' OR g.carrier = o.carrier)
        ) AS o
        LEFT JOIN
        (
            SELECT f.incident AS incident, f.subject AS subject, k.interface AS interface, count() AS n
            FROM family AS f INNER JOIN touching AS k ON k.object_type = f.object_type AND k.object_id = f.object_id
            GROUP BY incident, subject, interface
        ) AS c ON c.incident = o.incident AND c.subject = o.subject AND c.interface = o.interface
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
        SELECT f.*, row_number() OVER (PARTITION BY f.incident ORDER BY how = 'silence', n_objects DESC, how = 'edge', n_failed DESC, interface) AS position
        FROM (SELECT * FROM by_spans UNION ALL SELECT * FROM by_edge UNION ALL SELECT * FROM by_silence) AS f
        INNER JOIN size AS z ON z.incident = f.incident
        WHERE f.n_objects * 2 > z.n_all
    )
SELECT
    r.incident AS incident, r.interface AS interface, r.how AS how, r.n_objects AS n_objects, r.n_failed AS n_failed, r.n_retries AS n_retries,
    r.first_at AS first_at, r.trace_id AS trace_id, r.message AS message, r.position AS position,
    c.version AS version, c.changed_at AS changed_at,
    c.version != '' AND c.changed_at <= r.first_at + INTERVAL 10 MINUTE AND c.changed_at > r.first_at - INTERVAL 1 DAY AS is_change_before
FROM ranked AS r
LEFT JOIN changes AS c ON c.interface = r.interface
