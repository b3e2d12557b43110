"""
Operations: what is stuck, where, whose is it, what do I do? For the ops lead; refreshes by itself.
"""

from __future__ import annotations

import streamlit as st

from dashboard import frame, inbox, parts_maps, parts_operations, queries_operations, tiles

view = frame.view()
if frame.is_before_first_event():
    st.stop()


@frame.live(4, "cards")
def cards() -> None:
    rows = queries_operations.workflows(view.as_of, view.scope)
    attained = queries_operations.attainment(view.as_of, view.scope)
    with st.grid(5, min_column_width=150, gap="small"):
        for row in rows:
            parts_operations.card(row, attained.get(row["workflow"]))


@frame.live(4, "needs")
def needs() -> None:
    parts_operations.incidents(queries_operations.incidents(view.as_of, view.scope))


@frame.live(2, "stages")
def stages() -> None:
    tiles.heading("Where the business stands", help="Objects in each stage now, with the flow of the last hour.")
    parts_operations.stages(queries_operations.stages(view.as_of, view.scope, ""))
    if by := parts_operations.split_by():
        parts_operations.split(queries_operations.stages(view.as_of, view.scope, by), by)


@frame.live(4, "backlog")
def backlog() -> None:
    tiles.heading(
        "Backlog: objects in each stage",
        help="A tick marks what is usual at this hour of this weekday. Drains in: objects now over the outflow of an hour.",
    )
    parts_operations.backlog(queries_operations.stages(view.as_of, view.scope, ""), queries_operations.typical(view.as_of))


@frame.live(4, "freshness")
def freshness() -> None:
    tiles.heading(
        "Freshness: share of shipments under way without progress",
        help="Stale: no new milestone or place for longer than the mode's limit, or the feed's cadence.",
    )
    parts_maps.freshness(queries_operations.freshness(view.as_of, view.scope))


@frame.live(4, "blocked")
def blocked() -> None:
    tiles.heading(
        "Blocked invoices: number, value and oldest age",
        help="Delivered, and waiting for longer than the limit before the ERP may post.",
    )
    parts_maps.blocked(
        queries_operations.blocked(view.as_of, view.scope), queries_operations.blocked_because(view.as_of, view.scope)
    )


cards()
frame.numbers_first()
if not view.is_kiosk:
    needs()
left, right = st.columns(2, gap="medium")
with left:
    if view.is_kiosk:
        needs()
    else:
        stages()
    backlog()
with right:
    if view.is_kiosk:
        stages()
    freshness()
    blocked()
if not inbox.ask_who():
    parts_maps.opened()
