-- As 0200.
ALTER TABLE otel_traces_trace_id_ts MODIFY SETTING merge_selector_base = 10
