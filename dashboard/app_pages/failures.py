"""
Failures: which technical failure costs what? For IT; from a failing interface to its objects and exceptions, and back.
"""

from __future__ import annotations

import streamlit as st

from dashboard import frame, parts_failures, parts_impact, queries_failures, tiles

view, window = frame.view(), frame.view().window
interface = st.query_params.get("interface", "")
rows = queries_failures.edges(view.as_of, view.scope, window.length_s)
if not interface and not any(r["n_calls"] for r in rows):
    parts_failures.nothing(window.title)
if not interface and not rows:
    st.stop()

tiles.heading(
    f"Interfaces, the last {window.title}, the worst first",
    help="■ a detector has something open on it; ▲ work waits behind it, or it is slow or retried; ● as usual.",
)
parts_failures.edges(rows, interface)
if not interface:
    st.stop()

found = [r for r in rows if r["interface"] == interface]
if not found:
    parts_failures.not_known(interface)
    st.stop()
edge, asked = found[0], (view.as_of, view.scope, window.length_s, interface)
parts_failures.head(edge)
left, right = st.columns([2, 3], gap="medium")
with left:
    parts_failures.facts(edge)
with right:
    parts_impact.caused(queries_failures.caused(*asked))
parts_impact.impact(edge, window.length_s)
parts_failures.course(
    queries_failures.course(*asked, window.bucket_s),
    queries_failures.changes(view.as_of, interface),
    view.since(frame.now()),
    window.bucket_s,
)
left, right = st.columns(2, gap="medium")
with left:
    parts_failures.failing(queries_failures.failing(*asked))
with right:
    parts_failures.messages(queries_failures.messages(*asked))
parts_impact.hit(edge, window.length_s)
