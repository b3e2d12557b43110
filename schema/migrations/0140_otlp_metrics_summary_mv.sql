-- From a request to points of summary metrics. Attributes are sorted, so that one series is one run of the sort key.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_summary_mv TO otel_metrics_summary AS
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
    point.quantile_values.quantile AS `ValueAtQuantiles.Quantile`,
    point.quantile_values.value AS `ValueAtQuantiles.Value`,
    point.flags AS Flags
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
        metric.summary.data_points AS points
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
