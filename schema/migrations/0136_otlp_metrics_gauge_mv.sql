-- From a request to points of gauge metrics. Attributes are sorted, so that one series is one run of the sort key.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_gauge_mv TO otel_metrics_gauge AS
SELECT
    ResourceAttributes,
    ResourceSchemaUrl,
    ScopeName,
    ScopeVersion,
    ScopeAttributes,
    ScopeDroppedAttrCount,
    ScopeSchemaUrl,
    ResourceAttributes['service.name'] AS ServiceName,
    MetricName,
    MetricDescription,
    MetricUnit,
    mapSort(milepost_otlp_attributes(point.attributes)) AS Attributes,
    milepost_otlp_seconds(point.start_time_unix_nano) AS StartTimeUnix,
    milepost_otlp_seconds(point.time_unix_nano) AS TimeUnix,
    if(point.as_int != 0, toFloat64(point.as_int), point.as_double) AS Value,
    point.flags AS Flags,
    arrayMap(each -> milepost_otlp_attributes(each), point.exemplars.filtered_attributes) AS `Exemplars.FilteredAttributes`,
    arrayMap(each -> milepost_otlp_seconds(each), point.exemplars.time_unix_nano) AS `Exemplars.TimeUnix`,
    arrayMap((i, d) -> if(i != 0, toFloat64(i), d), point.exemplars.as_int, point.exemplars.as_double) AS `Exemplars.Value`,
    arrayMap(each -> milepost_otlp_span_id(each), point.exemplars.span_id) AS `Exemplars.SpanId`,
    arrayMap(each -> milepost_otlp_trace_id(each), point.exemplars.trace_id) AS `Exemplars.TraceId`
FROM
(
    SELECT
        ResourceAttributes,
        ResourceSchemaUrl,
        ScopeName,
        ScopeVersion,
        ScopeAttributes,
        ScopeDroppedAttrCount,
        ScopeSchemaUrl,
        metric.name AS MetricName,
        metric.description AS MetricDescription,
        metric.unit AS MetricUnit,
        metric.gauge.data_points AS points
    FROM
    (
        SELECT
            ResourceAttributes,
            ResourceSchemaUrl,
            scoped.scope.name AS ScopeName,
            scoped.scope.version AS ScopeVersion,
            milepost_otlp_attributes(scoped.scope.attributes) AS ScopeAttributes,
            scoped.scope.dropped_attributes_count AS ScopeDroppedAttrCount,
            scoped.schema_url AS ScopeSchemaUrl,
            scoped.metrics AS metrics
        FROM
        (
            SELECT
                milepost_otlp_attributes(resourced.resource.attributes) AS ResourceAttributes,
                resourced.schema_url AS ResourceSchemaUrl,
                resourced.scope_metrics AS scope_metrics
            FROM otlp_metrics_in
            ARRAY JOIN resource_metrics AS resourced
        )
        ARRAY JOIN scope_metrics AS scoped
    )
    ARRAY JOIN metrics AS metric
)
ARRAY JOIN points AS point
