/*
What the middleware of the enterprise has said of itself in the last {days:UInt32} days: a call for one of three statements (a message carries
several), about the object that it speaks of, in the trace of its statement, by an interface a system and kind of object. One call of 250 fails and
is made again; since an hour before {until} every call of NRDX about shipments in EU-North fails, three times each.
*/
INSERT INTO otel_traces
    (Timestamp, TraceId, SpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName, SpanAttributes, Duration, StatusCode, StatusMessage)
SELECT
    toDateTime64(received_at, 9, 'UTC') + toIntervalSecond(20 * call.1), trace_id, lower(hex(cityHash64(event_id, event_version, call.1))), 'send ' || interface,
    'Client', service, map('service.name', service, 'service.version', if(received_at < {until:DateTime64(3, 'UTC')} - INTERVAL 9 DAY, '1.4.0', '1.5.0')), 'bench',
    mapConcat(
        map('milepost.interface', interface, 'peer.service', toString(system), 'milepost.region', toString(region), 'messaging.message.id', lower(hex(h)),
            'milepost.' || object_type || '_id', object_id),
        if(call.1 > 0, map('milepost.attempt', toString(call.1 + 1)), map())),
    40_000_000 + h % 900_000_000, if(call.2, 'Error', 'Ok'), if(call.2, 'timeout after 30 s', '')
FROM
(
    SELECT
        *, cityHash64(event_id, event_version) AS h, toString(source) || '.' || object_type AS interface, if(system_role = 'carrier', 'edi-gateway', system_role || '-adapter') AS service,
        arrayJoin(multiIf(
            system = 'NRDX' AND object_type = 'shipment' AND region = 'EU-North' AND received_at > {until:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR,
                [(0, true), (1, true), (2, true)],
            h % 250 = 0, [(0, true), (1, false)],
            [(0, false)])) AS call
    FROM events
    WHERE received_at > {until:DateTime64(3, 'UTC')} - toIntervalDay({days:UInt32}) AND h % 3 = 0
)
SETTINGS max_insert_threads = 2, max_partitions_per_insert_block = 0
