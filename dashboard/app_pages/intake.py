"""
Intake: does everything come in, what could not be stored, and is Milepost itself well?
"""

from __future__ import annotations

import streamlit as st

from dashboard import frame, parts_intake, parts_replay, queries_intake, tiles, units

view, window = frame.view(), frame.view().window
source, chosen = st.query_params.get("source", ""), st.query_params.get("reject", "")
rows = queries_intake.sources(view.as_of, window.length_s)
of = f" of {units.plain(source)}" if source else ""

tiles.heading(
    f"Sources, the last {window.title}, the worst first",
    help="Filters do not cut sources: a message has no region before it is read.",
)
if rows:
    parts_intake.sources(rows, source, window.length_s)
else:
    parts_intake.nothing()

if found := [r for r in rows if r["source"] == source]:
    parts_intake.source(found[0])

open_rejects, reasons = queries_intake.rejects(view.as_of, source), queries_intake.reasons(view.as_of, source)
n = sum(r["n_rejects"] for r in rows if source in ("", r["source"]))
tiles.heading(f"Open rejects{of}: {n:,}", help="Acknowledged and kept with their bytes; nothing is lost.")
parts_replay.replayed()
parts_intake.reasons(reasons)
parts_replay.all_of(reasons)
left, right = st.columns([5, 4], gap="medium") if chosen else (st.container(), st.container())
with left:
    parts_intake.rejects(open_rejects, chosen)
with right:
    if chosen:
        one = queries_intake.reject(chosen)
        parts_intake.reject(one, chosen)
        parts_replay.one(one)

tiles.heading(
    f"Findings{of}, the last {window.title}",
    help="Odd, and stored all the same: a wrong count, an unmapped code, an unknown field.",
)
parts_intake.findings(queries_intake.findings(view.as_of, window.length_s, source))
left, right = st.columns(2, gap="medium")
with left:
    tiles.heading("Jobs")
    parts_intake.jobs(queries_intake.jobs(view.as_of, window.length_s))
with right:
    tiles.heading("Milepost itself, by act")
    parts_intake.own_acts(queries_intake.own_acts(view.as_of, window.length_s))
