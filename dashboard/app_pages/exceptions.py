"""
Exceptions: the inbox. What is wrong, since when, whose is it, and what has been done about it.
"""

from __future__ import annotations

import streamlit as st

from dashboard import frame, inbox, parts_inbox, queries_inbox, tiles

view = frame.view()
if frame.is_before_first_event():
    st.stop()
me = frame.actor()
incident = st.query_params.get("incident", "")


@frame.live(10, "ageing")
def ageing() -> None:
    tiles.heading("Open exceptions by team and age", help="What people have put aside still ages, so it counts.")
    parts_inbox.ageing(queries_inbox.ageing(view.as_of, view.scope))


@frame.live(10, "changes")
def changes(drawn: tuple[str, ...]) -> None:
    parts_inbox.changes(drawn, queries_inbox.listed(view.as_of, view.scope, me, saved, incident))


ageing()
saved = parts_inbox.chosen_filter()
left, middle, right = st.columns([8, 36, 20], gap="small")
with left:
    parts_inbox.saved_filters(queries_inbox.counts(view.as_of, view.scope, me), saved)
with middle:
    rows = queries_inbox.listed(view.as_of, view.scope, me, saved, incident)
    parts_inbox.list_heading(rows, saved, incident)
    picked = parts_inbox.table(rows)
    changes(tuple(r["id"] for r in rows))
    parts_inbox.verbs_on_many(picked)
with right:
    if id_ := parts_inbox.selected(picked, rows):
        parts_inbox.detail(queries_inbox.one(view.as_of, id_), id_)
inbox.ask_who()
