-- The door for OTLP metrics: an ExportMetricsServiceRequest is inserted as it came (FORMAT ProtobufSingle, schema Metrics of
-- collectors/formats/otlp.proto) and kept nowhere; otlp_metrics_mv takes it apart.
-- Writer: the sink, with the settings of collectors/formats/otlp.py. Grain: one row an insert. Sort key, retention: none (Null).
CREATE TABLE IF NOT EXISTS otlp_metrics_in
(
    resource_metrics Array(Tuple(
        resource Tuple(attributes Map(LowCardinality(String), String)),
        scope_metrics Array(Tuple(
            scope Tuple(
                name String,
                version String,
                attributes Map(LowCardinality(String), String),
                dropped_attributes_count UInt32
            ),
            metrics Array(Tuple(
                name LowCardinality(String),
                description String,
                unit String,
                gauge Tuple(data_points Array(Tuple(
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
                ))),
                sum Tuple(
                    data_points Array(Tuple(
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
                    aggregation_temporality Int32,
                    is_monotonic Bool
                ),
                histogram Tuple(
                    data_points Array(Tuple(
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
                    aggregation_temporality Int32
                ),
                exponential_histogram Tuple(
                    data_points Array(Tuple(
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
                    aggregation_temporality Int32
                ),
                summary Tuple(data_points Array(Tuple(
                    start_time_unix_nano UInt64,
                    time_unix_nano UInt64,
                    count UInt64,
                    sum Float64,
                    quantile_values Array(Tuple(quantile Float64, value Float64)),
                    attributes Map(LowCardinality(String), String),
                    flags UInt32
                )))
            )),
            schema_url String
        )),
        schema_url String
    ))
)
ENGINE = Null
