-- From a request to log records. A record without a time of its own takes the time at which it was observed.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_logs_mv TO otel_logs AS
SELECT
    milepost_otlp_time(if(record.time_unix_nano != 0, record.time_unix_nano, record.observed_time_unix_nano)) AS Timestamp,
    milepost_otlp_trace_id(record.trace_id) AS TraceId,
    milepost_otlp_span_id(record.span_id) AS SpanId,
    toUInt8(bitAnd(record.flags, 255)) AS TraceFlags,
    record.severity_text AS SeverityText,
    toUInt8(bitAnd(record.severity_number, 255)) AS SeverityNumber,
    ResourceAttributes['service.name'] AS ServiceName,
    milepost_otlp_text(record.body) AS Body,
    ResourceSchemaUrl,
    ResourceAttributes,
    ScopeSchemaUrl,
    ScopeName,
    ScopeVersion,
    ScopeAttributes,
    milepost_otlp_attributes(record.attributes) AS LogAttributes,
    record.event_name AS EventName
FROM
(
    SELECT
        ResourceAttributes,
        ResourceSchemaUrl,
        scoped.scope.name AS ScopeName,
        scoped.scope.version AS ScopeVersion,
        milepost_otlp_attributes(scoped.scope.attributes) AS ScopeAttributes,
        scoped.schema_url AS ScopeSchemaUrl,
        scoped.log_records AS records
    FROM
    (
        SELECT
            milepost_otlp_attributes(resourced.resource.attributes) AS ResourceAttributes,
            resourced.schema_url AS ResourceSchemaUrl,
            resourced.scope_logs AS scope_logs
        FROM otlp_logs_in
        ARRAY JOIN resource_logs AS resourced
    )
    ARRAY JOIN scope_logs AS scoped
)
ARRAY JOIN records AS record
