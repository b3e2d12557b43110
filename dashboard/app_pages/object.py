"""
Object: what happened to this order, shipment or invoice, and what is it waiting for?
"""

from __future__ import annotations

import streamlit as st

from dashboard import frame, parts_object, queries_object, tiles

view = frame.view()
type_, id_ = parts_object.asked()
if not id_:
    if not frame.is_before_first_event():
        parts_object.start(queries_object.worth_a_look(view.as_of, view.scope), queries_object.moved_last(view.as_of))
    st.stop()
found = queries_object.one(view.as_of, type_, id_)


@frame.live(2, "follow")
def follow() -> None:
    if queries_object.one(view.as_of, type_, id_) != found:
        st.rerun()


follow()
if found is None:
    parts_object.not_found(type_, id_)
    st.stop()
waits = queries_object.waits(view.as_of, type_, found["waits_for"], found["waits_to_be"], found["mode"])
events = queries_object.events(view.as_of, type_, id_)
problems = queries_object.exceptions(view.as_of, type_, id_)

parts_object.header(found, waits, problems)
tiles.heading("What happened, by system", help="A mark where it happened, a tick where we received it. Times are yours.")
parts_object.timeline(found, events, problems, waits["quiet_s"])
left, right = st.columns(2, gap="medium")
with left:
    tiles.heading("Related")
    parts_object.family(found, queries_object.family(view.as_of, type_, id_))
with right:
    tiles.heading("Exceptions, and what was done")
    parts_object.problems(problems, queries_object.audit(view.as_of, tuple(p["id"] for p in problems)))
tiles.heading("Events as they were received", help="Every arrival, copies and retractions among them.")
parts_object.events(events)
