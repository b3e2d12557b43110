-- The door for OTLP traces: an ExportTraceServiceRequest is inserted as it came (FORMAT ProtobufSingle, schema Traces of
-- collectors/formats/otlp.proto; several requests end to end are one) and kept nowhere.
-- Writer: the sink, with the settings of collectors/formats/otlp.py. Grain: one row an insert. Sort key, retention: none (Null).
CREATE TABLE IF NOT EXISTS otlp_traces_in
(
    resource_spans Array(Tuple(
        resource Tuple(attributes Array(Tuple(key LowCardinality(String), value Tuple(
            value Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'array_value' = 5, 'kvlist_value' = 6, 'bytes_value' = 7),
            string_value String,
            bool_value Bool,
            int_value Int64,
            double_value Float64,
            array_value Tuple(values Array(Tuple(
                value Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'bytes_value' = 7),
                string_value String,
                bool_value Bool,
                int_value Int64,
                double_value Float64,
                bytes_value String
            ))),
            kvlist_value Tuple(values Array(Tuple(key String, value Tuple(
                value Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'bytes_value' = 7),
                string_value String,
                bool_value Bool,
                int_value Int64,
                double_value Float64,
                bytes_value String
            )))),
            bytes_value String
        )))),
        scope_spans Array(Tuple(
            scope Tuple(name String, version String),
            spans Array(Tuple(
                trace_id String,
                span_id String,
                trace_state String,
                parent_span_id String,
                name LowCardinality(String),
                kind Int32,
                start_time_unix_nano UInt64,
                end_time_unix_nano UInt64,
                attributes Array(Tuple(key LowCardinality(String), value Tuple(
                    value Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'array_value' = 5, 'kvlist_value' = 6, 'bytes_value' = 7),
                    string_value String,
                    bool_value Bool,
                    int_value Int64,
                    double_value Float64,
                    array_value Tuple(values Array(Tuple(
                        value Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'bytes_value' = 7),
                        string_value String,
                        bool_value Bool,
                        int_value Int64,
                        double_value Float64,
                        bytes_value String
                    ))),
                    kvlist_value Tuple(values Array(Tuple(key String, value Tuple(
                        value Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'bytes_value' = 7),
                        string_value String,
                        bool_value Bool,
                        int_value Int64,
                        double_value Float64,
                        bytes_value String
                    )))),
                    bytes_value String
                ))),
                events Array(Tuple(
                    time_unix_nano UInt64,
                    name LowCardinality(String),
                    attributes Array(Tuple(key LowCardinality(String), value Tuple(
                        value Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'array_value' = 5, 'kvlist_value' = 6, 'bytes_value' = 7),
                        string_value String,
                        bool_value Bool,
                        int_value Int64,
                        double_value Float64,
                        array_value Tuple(values Array(Tuple(
                            value Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'bytes_value' = 7),
                            string_value String,
                            bool_value Bool,
                            int_value Int64,
                            double_value Float64,
                            bytes_value String
                        ))),
                        kvlist_value Tuple(values Array(Tuple(key String, value Tuple(
                            value Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'bytes_value' = 7),
                            string_value String,
                            bool_value Bool,
                            int_value Int64,
                            double_value Float64,
                            bytes_value String
                        )))),
                        bytes_value String
                    )))
                )),
                links Array(Tuple(
                    trace_id String,
                    span_id String,
                    trace_state String,
                    attributes Array(Tuple(key LowCardinality(String), value Tuple(
                        value Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'array_value' = 5, 'kvlist_value' = 6, 'bytes_value' = 7),
                        string_value String,
                        bool_value Bool,
                        int_value Int64,
                        double_value Float64,
                        array_value Tuple(values Array(Tuple(
                            value Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'bytes_value' = 7),
                            string_value String,
                            bool_value Bool,
                            int_value Int64,
                            double_value Float64,
                            bytes_value String
                        ))),
                        kvlist_value Tuple(values Array(Tuple(key String, value Tuple(
                            value Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'bytes_value' = 7),
                            string_value String,
                            bool_value Bool,
                            int_value Int64,
                            double_value Float64,
                            bytes_value String
                        )))),
                        bytes_value String
                    )))
                )),
                status Tuple(message String, code Int32)
            ))
        ))
    ))
)
ENGINE = Null
