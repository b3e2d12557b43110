"""
The parts of the Operations page: a workflow's card, an incident's row, the funnel, the two maps and what their cells open.

Why not in the page: a page reads top to bottom in a minute; how a card is drawn is a matter of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import charts, filters, frame, inbox, queries_operations, sentences, session, tiles, units
from schema import definitions

Row = Mapping[str, Any]
MOST_INCIDENTS, MOST_ON_A_WALL, MOST_ROWS_ON_A_WALL = 7, 5, 4
SPLITS = ("region", "warehouse", "carrier")
OPENS = ("stale", "blocked")


# --- 1 workflows -----------------------------------------------------------------------------------------------------------
def card(row: Row, attained: Row | None) -> None:
    """A workflow: status, attainment against target, what is open and what it is worth. Its title filters the page."""
    name, is_chosen = row["workflow"], frame.view().values("workflow") == (row["workflow"],)
    with st.container(border=True, gap="xsmall", height="stretch"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            label = f"**{row['title']}**" + (" ✕" if is_chosen else "")
            if st.button(
                label, key=f"card_{name}", type="tertiary", help="Show all" if is_chosen else "Show only this workflow"
            ):
                frame.set_view(frame.view().toggled("workflow", name))
                st.rerun()
            st.markdown(tiles.status(attained["status"] if attained else "no_data"), width="content")
        st.metric(
            f"Attained in 24 h, target {units.ratio(row['target'])}",
            units.ratio(attained["value"]) if attained else "–",
            chart_data=attained["trend"] if attained and len(attained["trend"]) > 1 else None,
            chart_type="area",
            help=f"{attained['n']} objects in 24 h"
            if attained
            else "Nothing was due in the last 24 h, so there is nothing to measure.",
        )
        at_risk = f" · **{tiles.money(row['value'])}** at risk" if row["value"] else ""
        oldest = f" · oldest {units.duration(row['oldest_s'])}" if row["n_open"] else ""
        st.markdown(f"**{units.count(row['n_open'])}** open{at_risk}{oldest}" if row["n_open"] else ":gray[Nothing open]")


# --- 2 what needs you ------------------------------------------------------------------------------------------------------
def incidents(rows: Sequence[Row]) -> None:
    """At most seven incidents, each a sentence with what to do; the rest is one link."""
    if not rows:
        tiles.empty("No incident needs anybody.", next_step="What was put aside is in the inbox.")
        return
    most = MOST_ON_A_WALL if frame.view().is_kiosk else MOST_INCIDENTS
    with st.container(border=True, gap="small"):
        for row in rows[:most]:
            _incident(row)
        if len(rows) > most:
            frame.link_to("exceptions", f"All {units.count(len(rows))} incidents", icon=":material/arrow_forward:")


def _incident(row: Row) -> None:
    detector = definitions.detectors().get(row["code"])
    now, team = frame.now(), session.team(row["owner"])
    policy = session.catalogue().exceptions.get(row["code"])
    template = detector.header.sentence if detector else sentences.unknown(row["code"], policy.title if policy else "")
    text = sentences.incident(template, row, currency=session.currency(), now=now, team=session.team)
    cause = sentences.cause(row, when=frame.when)
    past = f" · {units.count(row['n_past_sla'])} past their limit" if row["n_past_sla"] else ""
    with st.container(gap=None):
        st.markdown(
            f"{tiles.severity(row['severity'])} **{units.plain(text)}**", help=f"Oldest since {frame.hover(row['oldest_at'])}"
        )
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(
                f":gray[{sentences.TREND[row['trend']]} · owner] **{team}** :gray[· {_unacknowledged(row)}{past}]",
                width="content",
            )
            _buttons(row)
        if cause or detector:
            st.markdown(
                "  \n".join(t for t in (units.plain(cause), f":gray[Do:] {detector.header.action}" if detector else "") if t)
            )


def _unacknowledged(row: Row) -> str:
    if row["n_unacknowledged"] == 0:
        return "acknowledged"
    return "not acknowledged" if row["n_unacknowledged"] == row["n"] else f"{row['n_unacknowledged']} not acknowledged"


def _buttons(row: Row) -> None:
    """Acknowledge, assign, open: the verbs of the inbox, on all exceptions of the incident."""
    key = row["incident"]
    if frame.view().is_kiosk:
        return
    with st.container(horizontal=True, gap="xsmall", width="content"):
        can, why = inbox.may_act()
        if row["n_unacknowledged"] and st.button("Acknowledge", key=f"ack_{key}", disabled=not can, help=why):
            inbox.take_on_incident(key, "acknowledge")
            st.rerun()
        if team := st.menu_button(
            "Assign",
            sorted(session.catalogue().teams),
            key=f"assign_{key}",
            disabled=not can,
            help=why,
            format_func=session.team,
        ):
            inbox.take_on_incident(key, "assign", team=team)
            st.rerun()
        if st.button("Open", key=f"open_{key}"):
            frame.go("exceptions", incident=key)


# --- 3 and 6 the funnel and its backlog --------------------------------------------------------------------------------------
def stages(rows: Sequence[Row], usual: Mapping[str, float]) -> None:
    """A row a stage: now, usual, value, flow, time to drain, and what is past its tolerance."""
    if not rows:
        _nothing_yet("Nothing is in any stage.")
        return
    named = {r["stage"]: r for r in rows}
    known = [(s.name, named.get(s.name)) for s in session.catalogue().stages if _is_shown(s.object_type)]
    st.dataframe(
        {
            "Stage": [units.title(name) for name, _ in known],
            "Now": [r["n"] if r else 0 for _, r in known],
            **({"Usual": [usual.get(name) for name, _ in known]} if usual else {}),
            "Value": [tiles.money(r["worth"]) if r else units.DASH for _, r in known],
            "In / h": [r["inflow_1h"] if r else 0 for _, r in known],
            "Out / h": [r["outflow_1h"] if r else 0 for _, r in known],
            "Drains in": [_drain(r) for _, r in known],
            "Past tolerance": [100 * r["n_past"] / r["n"] if r and r["n"] else None for _, r in known],
        },
        key="stage_table",
        hide_index=True,
        height="content",
        row_height=30 if frame.view().is_kiosk else None,
        column_config={
            "Now": st.column_config.NumberColumn(format="localized", help="Objects in the stage now"),
            "Usual": st.column_config.NumberColumn(format="localized", help="Usual at this hour of this weekday"),
            "In / h": st.column_config.NumberColumn(format="localized", help="Came into the stage in the last hour"),
            "Out / h": st.column_config.NumberColumn(format="localized", help="Left the stage in the last hour"),
            "Drains in": st.column_config.TextColumn(help="Objects now over the outflow of the last hour"),
            "Past tolerance": st.column_config.ProgressColumn(
                format="%.0f %%", min_value=0, max_value=100, help="Share that is in the stage for longer than its tolerance"
            ),
        },
        alt="Objects in each stage, with value, flow and the share past tolerance",
    )


def split_by() -> str:
    """The cut that the funnel is split by, or none; it lives in the URL."""
    if frame.view().is_kiosk:
        return ""
    return (
        st.pills(
            "Split by",
            SPLITS,
            key="split",
            bind="query-params",
            label_visibility="collapsed",
            format_func=lambda cut: f"by {cut}",
        )
        or ""
    )


def split(rows: Sequence[Row], by: str) -> None:
    """Objects in each stage, split by a cut."""
    names = [s.name for s in session.catalogue().stages if _is_shown(s.object_type)]
    shown = [r for r in rows if r["stage"] in names]
    st.echarts_chart(charts.split_stages(shown, names), height=280, key="split_chart", alt=f"Objects in each stage by {by}")


def _is_shown(object_type: str) -> bool:
    """With a workflow chosen, the stages of its objects; those of all, if it has none of its own in the funnel."""
    chosen = frame.view().values("workflow")
    workflows = session.catalogue().workflows
    types = {t for name in chosen if name in workflows for t in workflows[name].object_types}
    in_funnel = {s.object_type for s in session.catalogue().stages}
    return object_type in types if types & in_funnel else True


def _drain(row: Row | None) -> str:
    if row is None or not row["n"]:
        return units.DASH
    return units.duration(row["n"] / row["outflow_1h"] * units.HOUR) if row["outflow_1h"] else "no outflow"


# --- 4 and 5 the two maps --------------------------------------------------------------------------------------------------
def freshness(rows: Sequence[Row]) -> None:
    """Carrier x region, the share stale in each cell."""
    if not rows:
        _nothing_yet("No shipment is under way.")
        return
    cells = [
        charts.Cell(
            x=r["region"] or "no region",
            y=r["carrier"] or "no carrier",
            heat=r["share"],
            label=f"{units.ratio(r['share'])}\n{r['n_stale']} of {units.count(r['n'])}",
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
        st.markdown(
            f"**{units.of(r['n'], 'invoice')}** ({tiles.money(r['worth'])}) wait{'s' if r['n'] == 1 else ''} for "
            f"**{r['waits_for']}**, owed by {r['owed_by']}; oldest {units.duration(r['oldest_s'])}; "
            f"owner: {session.team(r['owner'])}"
        )


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


def _nothing_yet(sentence: str) -> None:
    """Empty because nothing has come yet, or because the filters leave nothing."""
    if frame.view().scope:
        tiles.empty(sentence, next_step="The filters above may leave nothing: clear them to see all.")
    else:
        tiles.empty(sentence)
