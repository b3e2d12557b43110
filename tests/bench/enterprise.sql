/*
Orders {first:UInt64} to {first:UInt64} + {n:UInt64} of a logistics enterprise, told by portal, ERP, WMS, TMS and carriers, as rows of events.

Made in the engine, for millions, by the rules of the simulated enterprise (collectors/demo): orders arrive evenly over {days:UInt32} days until
{until}; every step takes its time, and what lies after {until} has not been said yet, so that the last orders are on their way. Everything is a
function of the order's number. Of the statements: 4 % late by hours, 1 to 3 % said twice (by warehouse), 0.5 % retracted and said again, 1 % of
the shipments contradicted (the TMS says delivered where the carrier says delivery failed), 2 % of the orders not released (nine of ten are
cancelled after days), 3 % of the deliveries without proof for days (one of ten for ever), 5 % under a credit block for hours. VELO is hot (a
third of all), OCLN cold (4 %, and slow). An order is closed when its invoice is paid.
A statement has a trace of its own, for a queue ends one (collectors/demo/telling.py); what is said twice is the same message.
*/
INSERT INTO events
(
    event_id, event_version, event_type, occurred_at, recorded_at, received_at, ingested_at, classifier, object_type, object_id,
    related.object_type, related.object_id, keys, state, system, system_role, source, message_id, region, warehouse, carrier, customer,
    order_class, mode, location, amount, currency, trace_id, is_retracted
)
WITH
    toInt64(toUnixTimestamp({until:DateTime64(3, 'UTC')})) AS until_s,
    (salt, parts) -> cityHash64(i, salt) % parts AS dice,
    (salt, low, high) -> low + toInt64(cityHash64(i, salt) % (high - low + 1)) AS between,
    orders AS
    (
        SELECT
            {first:UInt64} + number AS i,
            until_s - {days:UInt32} * 86400 + toInt64(i * {days:UInt32} * 86400 / {total:UInt64}) AS placed,
            'ORD-' || leftPad(toString(i), 9, '0') AS o_id, 'SHP-' || leftPad(toString(i), 9, '0') AS s_id, 'INV-' || leftPad(toString(i), 9, '0') AS v_id,
            ['EU-West', 'EU-West', 'EU-West', 'EU-West', 'EU-North', 'EU-North', 'EU-North', 'US-East', 'US-East', 'US-East'][1 + dice(1, 10)] AS o_region,
            multiIf(o_region = 'EU-North', 'GOT1', o_region = 'US-East', 'EWR1', dice(2, 100) < 64, 'RTM1', 'LYS1') AS o_warehouse,
            dice(3, 100) AS c,
            multiIf(c < 33, ('VELO', 'parcel'), c < 50, ('NRDX', 'parcel'), c < 64, ('QKPK', 'parcel'), c < 80, ('HLTR', 'ftl'), c < 96, ('BRGT', 'ltl'), ('OCLN', 'ocean')) AS o_carrier,
            'Customer ' || toString(dice(4, 400)) AS o_customer,
            ['standard', 'standard', 'standard', 'standard', 'standard', 'standard', 'standard', 'express', 'express', 'project'][1 + dice(5, 10)] AS o_class,
            100 + dice(6, 24000) AS o_amount,
            if(o_region = 'US-East', 'USD', if(dice(4, 400) % 3 = 2 AND o_region = 'EU-West', 'GBP', 'EUR')) AS o_currency,
            dice(7, 100) >= 2 AS is_released, dice(26, 10) > 0 AS is_settled, dice(9, 100) < 5 AS is_blocked, dice(10, 100) < 1 AS is_contradicted,
            placed + between(11, 600, 5400) AS confirmed, confirmed + between(12, 1200, 9000) AS released, released + between(13, 60, 1800) AS wms_released,
            wms_released + between(14, 600, 7200) AS allocated, allocated + between(15, 1800, 14400) AS picked, picked + between(16, 600, 5400) AS packed,
            packed + between(17, 1800, 10800) AS loaded, loaded + between(18, 600, 5400) AS departed,
            departed + multiIf(o_carrier.2 = 'ocean', between(19, 259200, 604800), o_carrier.2 = 'parcel', between(19, 7200, 28800), between(19, 14400, 43200)) AS hub,
            hub + between(20, 7200, 36000) AS moved, moved + between(21, 3600, 28800) AS delivered,
            multiIf(dice(8, 100) >= 3, delivered + between(22, 1800, 43200), is_settled, delivered + between(29, 345600, 777600), until_s + 1) AS pod,
            if(is_released OR NOT is_settled, until_s + 1, confirmed + between(27, 172800, 432000)) AS cancelled, pod + between(23, 600, 14400) AS ready, ready + between(24, 600, 21600) AS posted, posted + between(25, 86400, 1728000) AS paid
        FROM numbers({n:UInt64})
    ),
    said AS
    (
        SELECT
            orders.*,
            arrayJoin(arrayFilter(s -> s.3 <= until_s, arrayConcat(
                [('order', 'received', placed, 'portal', 1), ('order', 'confirmed', confirmed, 'erp', 2), ('shipment', 'planned', confirmed + 60, 'tms', 3)],
                if(is_blocked, [('order', 'credit_block', confirmed + 30, 'erp', 4), ('order', 'credit_block_cleared', released - 60, 'erp', 5)], []),
                if(is_released,
                    [('order', 'released', released, 'erp', 6), ('order', 'released', wms_released, 'wms', 7), ('order', 'allocated', allocated, 'wms', 8),
                     ('order', 'picked', picked, 'wms', 9), ('order', 'packed', packed, 'wms', 10), ('order', 'shipped', departed, 'wms', 11),
                     ('shipment', 'loaded', loaded, 'tms', 12), ('shipment', 'departed', departed, 'carrier', 13), ('invoice', 'not_ready', departed + 120, 'erp', 14),
                     ('shipment', 'at_hub', hub, 'carrier', 15), ('shipment', 'in_transit', moved, 'carrier', 16),
                     ('shipment', 'delivered', delivered, if(is_contradicted, 'tms', 'carrier'), 17)], []),
                if(is_released AND is_contradicted, [('shipment', 'delivery_failed', delivered - 300, 'carrier', 18)], []),
                if(is_released,
                    [('shipment', 'pod_received', pod, 'carrier', 19), ('invoice', 'invoice_ready', ready, 'erp', 20),
                     ('invoice', 'posted', posted, 'erp', 21), ('order', 'invoiced', posted, 'erp', 23), ('invoice', 'paid', paid, 'erp', 22), ('order', 'closed', paid + 60, 'erp', 24)],
                    [('order', 'cancelled', cancelled, 'erp', 25), ('shipment', 'cancelled', cancelled, 'tms', 26)])
            ))) AS s
        FROM orders
    ),
    sent AS
    (
        SELECT
            *, cityHash64(i, s.5) AS h,
            -- (version, taken back, how much later it is recorded)
            arrayJoin(multiIf(
                h % 1000 < 5, [(1, false, 20), (2, true, 900), (3, false, 1800)],
                h % 100 < if(o_warehouse = 'RTM1', 3, 1) + 1, [(1, false, 20), (1, false, 20)],
                intDiv(h, 100) % 100 < 4, [(1, false, 7200 + h % 36000)],
                [(1, false, 5 + h % 60)])) AS v,
            least(s.3 + v.3, until_s) AS recorded, least(recorded + h % 600, until_s) AS received
        FROM said
    )
SELECT
    s.1 || '-' || toString(i) || '-' || toString(s.5), v.1, s.1 || '.' || s.2, fromUnixTimestamp64Milli(toInt64(s.3) * 1000, 'UTC'), fromUnixTimestamp64Milli(toInt64(recorded) * 1000, 'UTC'),
    fromUnixTimestamp64Milli(toInt64(received) * 1000, 'UTC'), fromUnixTimestamp64Milli(toInt64(received) * 1000 + 420, 'UTC'),
    'ACT', s.1, multiIf(s.1 = 'order', o_id, s.1 = 'shipment', s_id, v_id),
    multiIf(s.1 = 'order', [], s.1 = 'shipment', ['order'], ['order', 'shipment']), multiIf(s.1 = 'order', [], s.1 = 'shipment', [o_id], [o_id, s_id]),
    if(s.1 = 'order' AND s.5 = 1, ['PO-' || toString(1000000 + i)], if(s.1 = 'shipment' AND s.5 = 3, ['TRK' || toString(7000000000 + i)], [])),
    s.2, if(s.4 = 'carrier', o_carrier.1, s.4), s.4, if(s.4 = 'carrier', 'carrier-' || lower(o_carrier.1), s.4), lower(hex(sipHash128(s.4, intDiv(received, 600)))),
    o_region, o_warehouse, if(s.1 = 'order', '', o_carrier.1), o_customer, o_class, if(s.1 = 'order', '', o_carrier.2),
    if(s.2 IN ('at_hub', 'in_transit'), o_region || ' hub ' || toString(h % 12), ''),
    if(s.5 IN (1, 2, 14, 21), o_amount, 0), if(s.5 IN (1, 2, 14, 21), o_currency, ''), lower(hex(sipHash128(i, s.5, v.1))), v.2
FROM sent
SETTINGS max_insert_threads = 2, max_partitions_per_insert_block = 0
