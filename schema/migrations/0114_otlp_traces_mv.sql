-- From a request to spans. An end before its start is a clock that was set back: duration 0.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_traces_mv TO otel_traces AS
SELECT
    milepost_otlp_time(span.start_time_unix_nano) AS Timestamp,
    milepost_otlp_trace_id(span.trace_id) AS TraceId,
    milepost_otlp_span_id(span.span_id) AS SpanId,
    milepost_otlp_span_id(span.parent_span_id) AS ParentSpanId,
    span.trace_state AS TraceState,
    span.name AS SpanName,
    transform(span.kind, [0, 1, 2, 3, 4, 5],
        ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'], '') AS SpanKind,
    ResourceAttributes['service.name'] AS ServiceName,
    ResourceAttributes,
    ScopeName,
    ScopeVersion,
    milepost_otlp_attributes(span.attributes) AS SpanAttributes,
    if(span.end_time_unix_nano > span.start_time_unix_nano, span.end_time_unix_nano - span.start_time_unix_nano, 0) AS Duration,
    transform(span.status.code, [0, 1, 2], ['Unset', 'Ok', 'Error'], '') AS StatusCode,
    span.status.message AS StatusMessage,
    arrayMap(each -> milepost_otlp_time(each), span.events.time_unix_nano) AS `Events.Timestamp`,
    span.events.name AS `Events.Name`,
    arrayMap(each -> milepost_otlp_attributes(each), span.events.attributes) AS `Events.Attributes`,
    arrayMap(each -> milepost_otlp_trace_id(each), span.links.trace_id) AS `Links.TraceId`,
    arrayMap(each -> milepost_otlp_span_id(each), span.links.span_id) AS `Links.SpanId`,
    span.links.trace_state AS `Links.TraceState`,
    arrayMap(each -> milepost_otlp_attributes(each), span.links.attributes) AS `Links.Attributes`
FROM
(
    SELECT
        ResourceAttributes,
        scoped.scope.name AS ScopeName,
        scoped.scope.version AS ScopeVersion,
        scoped.spans AS spans
    FROM
    (
        SELECT
            milepost_otlp_attributes(resourced.resource.attributes) AS ResourceAttributes,
            resourced.scope_spans AS scope_spans
        FROM otlp_traces_in
        ARRAY JOIN resource_spans AS resourced
    )
    ARRAY JOIN scope_spans AS scoped
)
ARRAY JOIN spans AS span
