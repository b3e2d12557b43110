/*
What comes in next: statements about objects of the history, one in {recent:UInt64} of those of the last three days and one in {old:UInt64} of the
older ones, in the order in which they arrive (round {round:UInt64}). Which, and what becomes of each, is a function of the event's id and the round:

    15 %  the same again, as a sender repeats that heard no answer
    10 %  the same under another id
    15 %  taken back
    20 %  corrected: up to an hour earlier, one in four of them in another region
    15 %  late: a milestone, a delay, a block or its end that happened up to four hours before, said only now
    15 %  contradictory: another system, or the same one later, says that it failed, was refused, cancelled, put under query, or has come
    10 %  a plan that came late
*/
INSERT INTO events
(
    event_id, event_version, event_type, occurred_at, recorded_at, received_at, ingested_at, classifier, object_type, object_id,
    related.object_type, related.object_id, keys, state, system, system_role, source, message_id, region, warehouse, carrier, customer,
    order_class, mode, location, amount, currency, trace_id, is_retracted
)
WITH
    cityHash64(event_id, {round:UInt64}) AS dice,
    intDiv(dice, 1000003) % 100 AS lot,
    intDiv(dice, 100000007) AS more,
    multiIf(lot < 15, 'same', lot < 25, 'again', lot < 40, 'retracted', lot < 60, 'corrected', lot < 75, 'late', lot < 90, 'contradictory', 'planned') AS what,
    what IN ('late', 'contradictory', 'planned') AS is_new,
    multiIf(
        what = 'planned', if(object_type = 'shipment', 'delivered', events.state),
        what = 'late', multiIf(
            object_type = 'shipment', ['delayed', 'delayed', 'at_hub', 'in_transit', 'out_for_delivery', 'pod_received'][1 + more % 6],
            object_type = 'order', ['credit_block', 'credit_block_cleared', 'picked', 'packed', 'released'][1 + more % 5],
            ['invoice_ready', 'created', 'posted'][1 + more % 3]),
        what = 'contradictory', multiIf(
            object_type = 'shipment', ['delivery_failed', 'delivered', 'delivered', 'refused', 'departed'][1 + more % 5],
            object_type = 'order', ['released', 'released', 'cancelled', 'packed'][1 + more % 4],
            ['rejected', 'under_query', 'not_ready', 'created'][1 + more % 4]),
        events.state) AS says,
    multiIf(
        what = 'contradictory' AND object_type = 'shipment', ['carrier', 'portal', 'tms', 'carrier', 'tms'][1 + more % 5],
        what = 'contradictory' AND object_type = 'order', ['portal', 'wms', 'erp', 'wms'][1 + more % 4],
        events.system_role) AS speaker
SELECT
    multiIf(what = 'again' OR is_new, concat(event_id, '-', what, toString({round:UInt64})), event_id),
    if(what IN ('retracted', 'corrected'), event_version + 100 * {round:UInt64}, event_version),
    concat(object_type, '.', says),
    multiIf(
        what = 'corrected', occurred_at - toIntervalSecond(more % 3600),
        what = 'late', occurred_at - toIntervalSecond(more % 14400),
        what = 'contradictory', least(occurred_at + toIntervalSecond(more % 7200), {now:DateTime64(3, 'UTC')}),
        what = 'planned', occurred_at + toIntervalSecond(more % 172800),
        occurred_at),
    if(what = 'same', recorded_at, {now:DateTime64(3, 'UTC')}), {now:DateTime64(3, 'UTC')}, now64(3),
    multiIf(what = 'planned', 'PLN', is_new, 'ACT', classifier), object_type, object_id,
    related.object_type, related.object_id, keys, says, system, speaker, source, concat('arrival-', toString({round:UInt64})),
    if(what = 'corrected' AND more % 4 = 0, ['EU-West', 'EU-North', 'US-East'][1 + intDiv(more, 4) % 3], region),
    warehouse, carrier, customer, order_class, mode, if(is_new AND says = 'at_hub', concat('hub ', toString(more % 12)), location),
    amount, currency, trace_id, what = 'retracted' OR (what = 'same' AND is_retracted)
FROM events
WHERE dice % if(occurred_at > {now:DateTime64(3, 'UTC')} - INTERVAL 3 DAY, {recent:UInt64}, {old:UInt64}) = 0
