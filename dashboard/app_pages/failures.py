"""
Failures: which technical failure costs what? For IT; from a failing interface to its objects and exceptions, and back.
"""

from __future__ import annotations

import streamlit as st

from dashboard import frame, parts_failures, queries_failures, tiles

view, window = frame.view(), frame.view().window
interface = st.query_params.get("interface", "")
rows = queries_failures.edges(view.as_of, view.scope, window.length_s)
if not interface and not any(r["n_calls"] for r in rows):
    parts_failures.nothing(window.title)
if not interface and not rows:
    st.stop()

tiles.heading(
    f"Interfaces, the last {window.title}, the worst first",
    help="Failing: a detector has something open on it. In brackets: the usual.",
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
parts_failures.action(edge)
parts_failures.caused(queries_failures.caused(*asked))
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
parts_failures.hit(edge, window.length_s)
