-- Invoices that wait for something, one by one: for what, and since when. A view of the benchmark, read by two of its answers.
-- Guards in their order: delivery, proof of delivery (of every shipment that the invoice is of), no billing block, departure, posting.
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    (history, least_rank) -> arrayFirst(x -> x.2 >= least_rank AND x.6 = 0, history).1 AS first_at,
    reached AS
    (
        SELECT i.object_id AS object_id, count() AS n_shipments, countIf(s.departed_at = never) = 0 AS all_departed, countIf(s.delivered_at = never) = 0 AS all_delivered,
               countIf(s.proved_at = never) = 0 AS all_proved, max(s.departed_at) AS last_departed, max(s.delivered_at) AS last_delivered, max(s.proved_at) AS last_proved
        FROM (SELECT object_id, arrayJoin(arrayFilter(l -> l.1 = 'shipment', links)).2 AS shipment FROM raw_objects(type = 'invoice')) AS i
        LEFT JOIN
        (
            SELECT object_id, first_at(history, 40) AS departed_at, first_at(history, 70) AS delivered_at, first_at(history, 80) AS proved_at
            FROM raw_objects(type = 'shipment')
        ) AS s ON s.object_id = i.shipment
        GROUP BY object_id
    )
SELECT
    i.object_id AS object_id, i.region AS region, i.carrier AS carrier, i.state AS state, i.state = 'under_query' AS is_query,
    if(r.n_shipments > 0 AND r.all_departed, r.last_departed, never) AS departed_at,
    if(r.n_shipments > 0 AND r.all_delivered, r.last_delivered, never) AS delivered_at,
    if(r.n_shipments > 0 AND r.all_proved, r.last_proved, never) AS proved_at,
    multiIf(
        is_query, 'answer to a query',
        i.rank < 20 AND delivered_at = never, 'delivery confirmation',
        i.rank < 20 AND proved_at = never, 'proof of delivery',
        i.rank < 30 AND departed_at = never, 'shipment departure',
        i.rank < 40 AND i.posted_at = never, 'ERP posting', '') AS waits_for,
    multiIf(
        is_query OR waits_for = 'delivery confirmation', i.state_at,
        waits_for = 'proof of delivery', greatest(i.state_at, delivered_at),
        waits_for = 'shipment departure', greatest(i.state_at, delivered_at, proved_at),
        greatest(i.state_at, delivered_at, proved_at, departed_at)) AS since
FROM
(
    SELECT
        object_id, region, carrier, history[-1].3 AS state, history[-1].2 AS rank, first_at(history, 40) AS posted_at,
        arrayLast((x, j) -> j = 1 OR x.3 != history[j - 1].3, history, arrayEnumerate(history)).1 AS state_at
    FROM raw_objects(type = 'invoice')
    WHERE notEmpty(history) AND history[-1].3 NOT IN (SELECT state FROM gov_states WHERE object_type = 'invoice' AND is_final)
) AS i
LEFT JOIN reached AS r ON r.object_id = i.object_id
WHERE waits_for != '' AND (waits_for != 'delivery confirmation' OR state = 'invoice_ready')
