-- The door for OTLP traces: an ExportTraceServiceRequest is inserted as it came (FORMAT ProtobufSingle, schema Traces of
-- collectors/formats/otlp.proto; several requests end to end are one) and kept nowhere.
-- Writer: the sink, with the settings of collectors/formats/otlp.py. Grain: one row an insert. Sort key, retention: none (Null).
CREATE TABLE IF NOT EXISTS otlp_traces_in
(
    resource_spans Array(Tuple(
        resource Tuple(attributes Map(LowCardinality(String), String)),
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
                attributes Map(LowCardinality(String), String),
                events Array(Tuple(
                    time_unix_nano UInt64,
                    name LowCardinality(String),
                    attributes Map(LowCardinality(String), String)
                )),
                links Array(Tuple(
                    trace_id String,
                    span_id String,
                    trace_state String,
                    attributes Map(LowCardinality(String), String)
                )),
                status Tuple(message String, code Int32)
            ))
        ))
    ))
)
ENGINE = Null
