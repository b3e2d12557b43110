-- The door for OTLP logs: an ExportLogsServiceRequest is inserted as it came (FORMAT ProtobufSingle, schema Logs of
-- collectors/formats/otlp.proto) and kept nowhere.
-- Writer: the sink, with the settings of collectors/formats/otlp.py. Grain: one row an insert. Sort key, retention: none (Null).
CREATE TABLE IF NOT EXISTS otlp_logs_in
(
    resource_logs Array(Tuple(
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
        scope_logs Array(Tuple(
            scope Tuple(
                name String,
                version String,
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
            ),
            log_records Array(Tuple(
                time_unix_nano UInt64,
                severity_number Int32,
                severity_text LowCardinality(String),
                body Tuple(
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
                ),
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
                flags UInt32,
                trace_id String,
                span_id String,
                observed_time_unix_nano UInt64,
                event_name String
            )),
            schema_url LowCardinality(String)
        )),
        schema_url LowCardinality(String)
    ))
)
ENGINE = Null
