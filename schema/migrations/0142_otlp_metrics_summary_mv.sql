-- From a metric to the points of a summary. Attributes are sorted, so that one series has one hash in the sort key.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_summary_mv TO otel_metrics_summary AS
SELECT
    ResourceAttributes,
    ResourceSchemaUrl,
    ScopeName,
    ScopeVersion,
    ScopeAttributes,
    ScopeDroppedAttrCount,
    ScopeSchemaUrl,
    ServiceName,
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
FROM otlp_metrics_by_metric
ARRAY JOIN summary AS point
