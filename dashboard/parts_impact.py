"""
What one interface holds up: objects, customers and money by a cut, each object, and the exceptions that it caused.

Why the cut stands above the objects: who is woken by a failing interface asks first whose business it stops, and only then
which parcel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import filters, frame, queries_failures, sentences, session, tables, tiles, units

Row = Mapping[str, Any]


def impact(row: Row, length_s: int) -> None:
    """What the interface holds up, in objects, customers and money, cut by region, warehouse, carrier or order class."""
    if not row["n_objects"]:
        return
    view, interface = frame.view(), row["interface"]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        tiles.heading("What it holds up", help="Objects that failed on it last, or whose next milestone over it is overdue.")
        names = {filters.name(cut): cut for cut in queries_failures.CUTS}
        shown = st.segmented_control(
            "Cut", list(names), default="region", key="by", bind="query-params", required=True, label_visibility="collapsed"
        )  # fmt: skip
    by = names[shown or "region"]
    rows = queries_failures.hit_by(view.as_of, view.scope, length_s, interface, by)
    largest = float(max((r["worth"] for r in rows), default=0)) or 1.0
    st.dataframe(
        {
            units.title(filters.name(by)): [r["name"] or f"no {filters.name(by)}" for r in rows],
            "Value": [tiles.money(r["worth"]) for r in rows],
            "Share of the largest": [float(r["worth"]) / largest for r in rows],
            "Objects": [r["n"] for r in rows],
            "failed": [r["n_failed"] for r in rows],
            "overdue": [r["n"] - r["n_failed"] for r in rows],
            "Customers": [r["n_customers"] for r in rows],
        },
        key=f"impact_{by}", hide_index=True, height=tables.height(len(rows), 250),
        column_config={
            "Value": tables.right(),
            "Share of the largest": st.column_config.ProgressColumn(label=" ", format=" ", min_value=0, max_value=1),
            "Objects": tables.number(), "failed": tables.number("Their last call on it failed"),
            "overdue": tables.number("What comes over it is late, and no call failed"), "Customers": tables.number(),
        },
        alt=f"Objects, customers and value behind {interface} by {filters.name(by)}",
    )  # fmt: skip


def hit(row: Row, length_s: int) -> None:
    """The objects behind the interface, the most valuable first."""
    view = frame.view()
    rows = queries_failures.hit(view.as_of, view.scope, length_s, row["interface"])
    most = " (the 500 of most value)" if row["n_objects"] > len(rows) else ""
    tiles.heading(f"Objects hit: {units.exact(row['n_objects'])}{most}", help="The most valuable first.")
    if not rows:
        tiles.empty("No object is held up by it.")
        return
    state = st.dataframe(
        {
            "Object": [r["object_id"] for r in rows],
            "Kind": [r["object_type"] for r in rows],
            "How": ["■ failed" if r["how"] == "failed" else "▲ overdue" for r in rows],
            "Since": [frame.when(r["at"]) for r in rows],
            "Value": [tiles.money(r["value"]) for r in rows],
            "Customer": [r["customer"] for r in rows],
            "Region": [r["region"] for r in rows],
            "Warehouse": [r["warehouse"] for r in rows],
            "Carrier": [r["carrier"] for r in rows],
            "Class": [r["order_class"] for r in rows],
            "Trace": [filters.link("traces", view, trace=r["trace_id"]) if r["trace_id"] else None for r in rows],
        },
        key="hit",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=tables.height(len(rows), 300),
        column_config={"Trace": st.column_config.LinkColumn(display_text="trace"), "Value": tables.right()},
        placeholder=units.DASH,
        alt=f"{len(rows)} objects behind the interface",
    )
    st.caption("Choose a row to open the object.")
    if picked := state["selection"]["rows"]:
        frame.go("object", to=None, type=rows[picked[0]]["object_type"], id=rows[picked[0]]["object_id"])


def caused(rows: Sequence[Row]) -> None:
    """The open incidents that the interface is behind, each a sentence with a way to its exceptions."""
    tiles.heading("Exceptions it caused")
    if not rows:
        tiles.empty("No open exception rests on it.")
    for r in rows:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"{tiles.severity(r['worst'])} {units.plain(_sentence(r))}")
            which = "the exception" if r["n"] == 1 else f"all {units.exact(r['n'])} exceptions"
            frame.link_to("exceptions", f"See {which}", to=None, incident=r["incident"])


def _sentence(row: Row) -> str:
    policy = session.catalogue().exceptions.get(row["code"])
    name = policy.title if policy else row["code"]
    where = sentences.place(row["place"])
    worth = f", {tiles.money(row['value'])}" if row["value"] else ""
    return (
        f"{name}{f' ({where})' if where else ''}: {units.of(row['n'], 'exception')}{worth}, "
        f"oldest since {frame.when(row['oldest_at'])}. "
        f"Owner: {session.team(row['owner'])}."
    )
