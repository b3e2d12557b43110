-- From a request to its metrics. A metric is of one kind, so that the others' temporality is 0 and the sum is its own.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_mv TO otlp_metrics_by_metric AS
SELECT
    ResourceAttributes,
    ResourceSchemaUrl,
    ScopeName,
    ScopeVersion,
    ScopeAttributes,
    ScopeDroppedAttrCount,
    ScopeSchemaUrl,
    ResourceAttributes['service.name'] AS ServiceName,
    metric.name AS MetricName,
    metric.description AS MetricDescription,
    metric.unit AS MetricUnit,
    metric.gauge.data_points AS gauge,
    metric.sum.data_points AS sum,
    metric.histogram.data_points AS histogram,
    metric.exponential_histogram.data_points AS exponential_histogram,
    metric.summary.data_points AS summary,
    toInt32(metric.sum.aggregation_temporality + metric.histogram.aggregation_temporality
        + metric.exponential_histogram.aggregation_temporality) AS AggregationTemporality,
    metric.sum.is_monotonic AS IsMonotonic
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
