"""
Traces: what happened inside one call, which business objects it was about, and what came before and after it across queues.
"""

from __future__ import annotations

import streamlit as st

from dashboard import frame, parts_traces, queries_traces, waterfall

view, window = frame.view(), frame.view().window
trace = st.query_params.get("trace", "").strip().lower()
if not trace:
    asked = parts_traces.search(queries_traces.names(view.as_of, window.length_s))
    rows = queries_traces.search(
        view.as_of,
        view.scope,
        window.length_s,
        key=asked.key,
        service=asked.service,
        interface=asked.interface,
        is_error=asked.is_error,
        min_s=asked.min_ms / 1000,
    )
    parts_traces.found(rows, asked, window.title)
    st.stop()

parts_traces.back()
steps = waterfall.arrange(queries_traces.spans(trace))
objects, logs = queries_traces.objects(trace), queries_traces.logs(trace)
if not steps:
    parts_traces.not_known(trace, objects)
    parts_traces.objects(objects)
    parts_traces.log_records(logs, key="trace_logs")
    st.stop()

parts_traces.head(steps, trace)
span = parts_traces.chart(steps, logs, st.query_params.get("span", ""))
chosen = [step.row for step in steps if step.row["span"] == span]
left, right = st.columns(2, gap="medium")
with left:
    if chosen:
        parts_traces.one_span(chosen[0], logs, trace)
    parts_traces.log_records(logs, "Log records of the trace", key="trace_logs")
with right:
    parts_traces.objects(objects)
    parts_traces.journey(queries_traces.journey(trace), trace)
