"""
The two maps of the Operations page, freshness and blocked invoices, and the lists that their cells open.

Why a map gives way to a line where it has few cells: one cell as wide as the page says with much ink what a sentence says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import charts, filters, frame, parts_operations, queries_operations, session, tiles, units

Row = Mapping[str, Any]
MOST_ROWS_ON_A_WALL, FEW_CELLS = 4, 3
OPENS = ("stale", "blocked")


def freshness(rows: Sequence[Row]) -> None:
    """Carrier x region, the share stale in each cell."""
    if not rows:
        parts_operations.nothing_yet("No shipment is under way.")
        return
    cells = [
        charts.Cell(
            x=r["region"] or "no region",
            y=r["carrier"] or "no carrier",
            heat=r["share"],
            label=f"{units.ratio(r['share'])}\n{r['n_stale']} of {units.count(r['n'])}"
            if r["n_stale"]
            else f"0 of {units.count(r['n'])}",
            key=f"{r['carrier']}|{r['region']}",
        )
        for r in rows
    ]
    _map("stale", cells, f"Share of stale shipments, {len(cells)} pairs of carrier and region")


def blocked(rows: Sequence[Row], because: Sequence[Row]) -> None:
    """Region x carrier, number and value; below it, what they wait for."""
    if not rows:
        tiles.empty("No invoice is blocked.")
        return
    if len(rows) <= FEW_CELLS:
        for r in sorted(rows, key=lambda r: -r["worth"]):
            _pair(r)
    else:
        oldest = session.catalogue().tolerances["blocked_invoice"].watch
        cells = [
            charts.Cell(
                x=r["carrier"] or "no carrier",
                y=r["region"] or "no region",
                heat=min(1.0, r["oldest_s"] / oldest),
                label=f"{units.count(r['n'])}\n{tiles.money(r['worth'])}",
                key=f"{r['carrier']}|{r['region']}",
            )
            for r in rows
        ]
        _map("blocked", cells, f"Blocked invoices, {len(cells)} pairs of region and carrier")
    for r in () if frame.view().is_kiosk else because[:3]:
        st.caption(
            f"{units.of(r['n'], 'invoice')} ({tiles.money(r['worth'])}) wait{'s' if r['n'] == 1 else ''} for "
            f"**{r['waits_for']}**, owed by {r['owed_by']}; owner: {session.team(r['owner'])}"
        )


def _pair(row: Row) -> None:
    """One carrier in one region as a line, with the same click as a cell."""
    limit = session.catalogue().tolerances["blocked_invoice"]
    status: tiles.Status = (
        "off_target" if row["oldest_s"] > limit.watch else "watch" if row["oldest_s"] > limit.target else "no_data"
    )
    where = f"**{units.plain(row['carrier'] or 'no carrier')} in {units.plain(row['region'] or 'no region')}**"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"{where} · **{units.of(row['n'], 'invoice')}** · **{tiles.money(row['worth'])}** · "
            f"{tiles.status(status, 'oldest ' + units.duration(row['oldest_s']))}",
            width="content",
        )
        key = f"{row['carrier']}|{row['region']}"
        if not frame.view().is_kiosk and st.button("Open the list", key=f"pair_{key}", type="tertiary"):
            _open_cell("blocked", key)


def _map(param: str, cells: list[charts.Cell], alt: str) -> None:
    """A heat map whose cell, once clicked, stands in the URL as `param`."""
    is_wall = frame.view().is_kiosk
    cells = charts.worst_rows(cells, MOST_ROWS_ON_A_WALL) if is_wall else cells
    spec = charts.heatmap(cells, is_dark=frame.is_dark())
    height = 34 + (32 if is_wall else 38) * len({c.y for c in cells})
    state = st.echarts_chart(spec, height=height, key=f"map_{param}", alt=alt, on_select="rerun")
    picked = [i for group in state["selection"]["selected"] for i in group["data_indices"]]
    key = cells[picked[0]].key if picked and picked[0] < len(cells) else ""
    if key and st.session_state.get(f"picked_{param}") != key:
        st.session_state[f"picked_{param}"] = key
        _open_cell(param, key)


def _open_cell(param: str, key: str) -> None:
    for other in OPENS:
        st.query_params.pop(other, None)
    st.query_params[param] = key
    st.rerun()


def opened() -> None:
    """The list behind the cell that the URL names, in a drawer beside the page; closing it leaves the URL."""
    for param, (title, draw) in {
        "stale": ("Shipments under way", _stale_list),
        "blocked": ("Blocked invoices", _blocked_list),
    }.items():
        if "|" in (key := st.query_params.get(param, "")):
            carrier, region = key.split("|", 1)
            named = f"{title}: {carrier or 'no carrier'} in {region or 'no region'}"
            st.dialog(named, width="large", position="right", on_dismiss=_close)(_guarded)(draw, carrier, region)
            return


def _guarded(draw: Callable[[str, str], None], carrier: str, region: str) -> None:
    with frame.trouble():
        draw(carrier, region)


def _close() -> None:
    for param in OPENS:
        st.query_params.pop(param, None)
        st.session_state.pop(f"picked_{param}", None)


def _stale_list(carrier: str, region: str) -> None:
    view = frame.view()
    rows = queries_operations.stale_shipments(view.as_of, view.scope, carrier, region)
    stale = [r for r in rows if r["is_stale"]]
    st.markdown(f"{len(stale)} of {len(rows)} show no progress, stalest first.")
    tiles.object_table(
        "shipment",
        rows,
        {
            "Status": [
                tiles.status_text("off_target" if r["is_stale"] else "on_target", "Stale" if r["is_stale"] else "Fresh")
                for r in rows
            ],
            "State": [units.words(r["state"]) for r in rows],
            "Last progress": [frame.when(r["progressed_at"]) for r in rows],
            "Age": [units.duration(r["age_s"]) for r in rows],
            "Waits for": [r["waits_for"] for r in rows],
            "Value": [tiles.money(r["value"]) for r in rows],
            "Customer": [r["customer"] for r in rows],
            "Warehouse": [r["warehouse"] for r in rows],
            "Mode": [r["mode"] for r in rows],
        },
        key="stale_list",
    )


def _blocked_list(carrier: str, region: str) -> None:
    view = frame.view()
    rows = queries_operations.blocked_invoices(view.as_of, view.scope, region, carrier)
    st.markdown(f"{units.of(len(rows), 'invoice')}, oldest first.")
    tiles.object_table(
        "invoice",
        rows,
        {
            "Blocked because": [f"no {r['waits_for']}" for r in rows],
            "Owed by": [r["owed_by"] for r in rows],
            "Owner": [session.team(r["owner"]) for r in rows],
            "Since": [frame.when(r["since"]) for r in rows],
            "Age": [units.duration(r["age_s"]) for r in rows],
            "Value": [tiles.money(r["value"]) for r in rows],
            "Customer": [r["customer"] for r in rows],
            "Trace": [filters.link("traces", view, trace=r["trace_id"]) if r["trace_id"] else None for r in rows],
        },
        key="blocked_list",
    )
