"""
Numbers: what does each number mean, what is it now, what is it held to, and who says so?
"""

from __future__ import annotations

import streamlit as st

from dashboard import frame, parts_numbers, queries_numbers, tiles
from schema import definitions

view, window = frame.view(), frame.view().window
kpis, detectors = definitions.kpis(), definitions.detectors()
name, code = st.query_params.get("kpi", ""), st.query_params.get("detector", "")

if name and name not in kpis:
    parts_numbers.not_known("KPI", name, list(kpis))
elif name:
    one, asked = kpis[name], (view.as_of, view.scope, name, window.length_s)
    course = queries_numbers.trend(*asked, window.bucket_s)
    parts_numbers.kpi(one, queries_numbers.headline(*asked, ""), course, window.bucket_s)
    left, right = st.columns(2, gap="medium")
    with left:
        parts_numbers.course(one, course, window.bucket_s)
    with right:
        parts_numbers.by_cut(one, window.length_s)
    parts_numbers.sql(one.sql, one.view)

open_now = queries_numbers.open_now(view.as_of, view.scope)
if code and code not in detectors:
    parts_numbers.not_known("detector", code, list(detectors))
elif code:
    said = queries_numbers.raised(view.as_of, view.scope, code, window.length_s)
    parts_numbers.detector(detectors[code], open_now.get(code), said, window.title)
    parts_numbers.raised(detectors[code], queries_numbers.newest(view.as_of, view.scope, code))
    parts_numbers.sql(detectors[code].sql, detectors[code].view)

tiles.heading(
    f"KPIs: {len(kpis)}", help="Values are the last snapshot, without filters. Choose a row for its definition, SQL and course."
)
parts_numbers.kpis(kpis, queries_numbers.latest(view.as_of), name)
tiles.heading(f"Detectors: {len(detectors)}", help="What raises exceptions. Choose a row for its rule.")
parts_numbers.detectors(detectors, open_now, code)
