-- From a metric to the points of a sum. Attributes are sorted, so that one series has one hash in the sort key.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_sum_mv TO otel_metrics_sum AS
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
    if(point.as_int != 0, toFloat64(point.as_int), point.as_double) AS Value,
    point.flags AS Flags,
    AggregationTemporality,
    IsMonotonic,
    arrayMap(each -> milepost_otlp_attributes(each), point.exemplars.filtered_attributes) AS `Exemplars.FilteredAttributes`,
    arrayMap(each -> milepost_otlp_seconds(each), point.exemplars.time_unix_nano) AS `Exemplars.TimeUnix`,
    arrayMap((i, d) -> if(i != 0, toFloat64(i), d), point.exemplars.as_int, point.exemplars.as_double) AS `Exemplars.Value`,
    arrayMap(each -> milepost_otlp_span_id(each), point.exemplars.span_id) AS `Exemplars.SpanId`,
    arrayMap(each -> milepost_otlp_trace_id(each), point.exemplars.trace_id) AS `Exemplars.TraceId`
FROM otlp_metrics_by_metric
ARRAY JOIN sum AS point
