-- The door for OTLP logs: an ExportLogsServiceRequest is inserted as it came (FORMAT ProtobufSingle, schema Logs of
-- collectors/formats/otlp.proto) and kept nowhere.
-- Writer: the sink, with the settings of collectors/formats/otlp.py. Grain: one row an insert. Sort key, retention: none (Null).
CREATE TABLE IF NOT EXISTS otlp_logs_in
(
    resource_logs Array(Tuple(
        resource Tuple(attributes Map(LowCardinality(String), String)),
        scope_logs Array(Tuple(
            scope Tuple(
                name String,
                version String,
                attributes Map(LowCardinality(String), String)
            ),
            log_records Array(Tuple(
                time_unix_nano UInt64,
                severity_number Int32,
                severity_text LowCardinality(String),
                body String,
                attributes Map(LowCardinality(String), String),
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
