-- The metrics of a request one by one, on their way to the tables of their kinds; kept nowhere.
-- Why this step: the engine analyses a view's whole text at every insert; here resource and scope are unfolded once for all.
-- Writer: otlp_metrics_mv. Grain: one metric of one request. Sort key, retention: none (Null).
CREATE TABLE IF NOT EXISTS otlp_metrics_by_metric
(
    ResourceAttributes Map(LowCardinality(String), String),
    ResourceSchemaUrl String,
    ScopeName String,
    ScopeVersion String,
    ScopeAttributes Map(LowCardinality(String), String),
    ScopeDroppedAttrCount UInt32,
    ScopeSchemaUrl String,
    ServiceName LowCardinality(String),
    MetricName LowCardinality(String),
    MetricDescription String,
    MetricUnit String,
    gauge Array(Tuple(
        start_time_unix_nano UInt64,
        time_unix_nano UInt64,
        as_double Float64,
        as_int Int64,
        attributes Map(LowCardinality(String), String),
        exemplars Array(Tuple(
            time_unix_nano UInt64,
            as_double Float64,
            as_int Int64,
            span_id String,
            trace_id String,
            filtered_attributes Map(LowCardinality(String), String)
        )),
        flags UInt32
    )),
    sum Array(Tuple(
        start_time_unix_nano UInt64,
        time_unix_nano UInt64,
        as_double Float64,
        as_int Int64,
        attributes Map(LowCardinality(String), String),
        exemplars Array(Tuple(
            time_unix_nano UInt64,
            as_double Float64,
            as_int Int64,
            span_id String,
            trace_id String,
            filtered_attributes Map(LowCardinality(String), String)
        )),
        flags UInt32
    )),
    histogram Array(Tuple(
        start_time_unix_nano UInt64,
        time_unix_nano UInt64,
        count UInt64,
        sum Float64,
        bucket_counts Array(UInt64),
        explicit_bounds Array(Float64),
        min Float64,
        max Float64,
        attributes Map(LowCardinality(String), String),
        exemplars Array(Tuple(
            time_unix_nano UInt64,
            as_double Float64,
            as_int Int64,
            span_id String,
            trace_id String,
            filtered_attributes Map(LowCardinality(String), String)
        )),
        flags UInt32
    )),
    exponential_histogram Array(Tuple(
        start_time_unix_nano UInt64,
        time_unix_nano UInt64,
        count UInt64,
        sum Float64,
        scale Int32,
        zero_count UInt64,
        positive Tuple(offset Int32, bucket_counts Array(UInt64)),
        negative Tuple(offset Int32, bucket_counts Array(UInt64)),
        min Float64,
        max Float64,
        attributes Map(LowCardinality(String), String),
        exemplars Array(Tuple(
            time_unix_nano UInt64,
            as_double Float64,
            as_int Int64,
            span_id String,
            trace_id String,
            filtered_attributes Map(LowCardinality(String), String)
        )),
        flags UInt32
    )),
    summary Array(Tuple(
        start_time_unix_nano UInt64,
        time_unix_nano UInt64,
        count UInt64,
        sum Float64,
        quantile_values Array(Tuple(quantile Float64, value Float64)),
        attributes Map(LowCardinality(String), String),
        flags UInt32
    )),
    AggregationTemporality Int32,
    IsMonotonic Bool
)
ENGINE = Null
