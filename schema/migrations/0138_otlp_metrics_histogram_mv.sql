-- From a request to points of histogram metrics. Attributes are sorted, so that one series is one run of the sort key.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_histogram_mv TO otel_metrics_histogram AS
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
    point.count AS Count,
    point.sum AS Sum,
    point.bucket_counts AS BucketCounts,
    point.explicit_bounds AS ExplicitBounds,
    point.flags AS Flags,
    point.min AS Min,
    point.max AS Max,
    AggregationTemporality,
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
        metric.histogram.data_points AS points,
        metric.histogram.aggregation_temporality AS AggregationTemporality
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
