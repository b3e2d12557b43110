"""
The parts of the Operations page: a workflow's card, an incident's row, the funnel and its backlog. Maps: `parts_maps`.

Why not in the page: a page reads top to bottom in a minute; how a card is drawn is a matter of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import charts, frame, inbox, sentences, session, tiles, units
from schema import definitions
from schema.definitions import Detector

Row = Mapping[str, Any]
MOST_INCIDENTS, MOST_ON_A_WALL = 7, 7
SPLITS = ("region", "warehouse", "carrier")
VALUE_PX, AGE_PX = 78, 66


# --- 1 workflows -----------------------------------------------------------------------------------------------------------
def card(row: Row, attained: Row | None) -> None:
    """A workflow: status, attainment against target, what is open and what it is worth. Its title filters the page."""
    name, is_chosen = row["workflow"], frame.view().values("workflow") == (row["workflow"],)
    with st.container(border=True, gap="xxsmall", height="stretch", key=f"box_{name}"):
        label, help_text = (
            f"**{row['title']}**" + (" ✕" if is_chosen else ""),
            "Show all" if is_chosen else "Show only this workflow",
        )
        if st.button(label, key=f"card_{name}", type="tertiary", help=help_text):
            frame.set_view(frame.view().toggled("workflow", name))
            st.rerun()
        word, why = status(row, attained)
        st.metric(
            f"{tiles.status(word)} :gray[· target {units.ratio(row['target'])}]",
            units.ratio(attained["value"]) if attained else units.DASH,
            chart_data=attained["trend"] if attained and len(attained["trend"]) > 1 else None,
            chart_type="area",
            help=why,
        )
        st.markdown(_open(row))


def status(row: Row, attained: Row | None) -> tuple[tiles.Status, str]:
    """The card's status and why; no all-clear while exceptions of the workflow are past their age limit."""
    n_past = row.get("n_past", 0)
    late = f"{units.of(n_past, 'open exception')} past {'its' if n_past == 1 else 'their'} age limit" if n_past else ""
    if attained is None:
        measured = "Nothing was due in the last 24 h, so there is nothing to measure."
        return ("watch", f"{measured} But {late}.") if late else ("no_data", measured)
    measured = f"{units.ratio(attained['value'])} of {units.of(attained['n'], 'object')} due in the last 24 h were in time"
    if attained["status"] == "on_target" and late:
        return "watch", f"Attained, but not all clear: {late}. {measured}."
    return attained["status"], f"{measured}{f'; {late}' if late else ''}."


def _open(row: Row) -> str:
    if not row["n_open"]:
        return ":gray[Nothing open]"
    at_risk = f" · **{tiles.money(row['value'])}**" if row["value"] else ""
    n_past = row.get("n_past", 0)
    past = f" · :orange[▲ {units.count(n_past)} past limit]" if n_past else ""
    return f"**{units.count(row['n_open'])}** open{at_risk}  \n:gray[oldest {units.duration(row['oldest_s'])}]{past}"


# --- 2 what needs you ------------------------------------------------------------------------------------------------------
def incidents(rows: Sequence[Row]) -> None:
    """At most seven incidents, two lines each, worst first; the rest is one link."""
    most = MOST_ON_A_WALL if frame.view().is_kiosk else MOST_INCIDENTS
    with st.container(gap=None, key="incidents"):
        _incidents_heading(min(len(rows), most), len(rows))
        if not rows:
            tiles.empty("No incident needs anybody.", next_step="What was put aside is in the inbox.")
        for row in rows[:most]:
            with st.container(key=f"incident_{row['incident']}"):
                _incident(row)
        if len(rows) > most and not frame.view().is_kiosk:
            frame.link_to("exceptions", f"All {units.count(len(rows))} incidents", icon=":material/arrow_forward:")


def _incidents_heading(n: int, of: int) -> None:
    text, side = st.columns(_shares(), vertical_alignment="bottom", gap="small")
    with text:
        shown = f" · {n} of {of} incidents, worst first" if of > n else ""
        tiles.heading(f"What needs you:gray[{shown}]", help="Open incidents, worst first: severity, value at risk, age.")
    if n:
        with side, st.container(horizontal=True, gap="xsmall", key="incidents_columns"):
            st.caption("at risk", width=VALUE_PX, text_alignment="right")
            st.caption("oldest", width=AGE_PX, text_alignment="right")


def _shares() -> list[int]:
    return [10, 3] if frame.view().is_kiosk else [13, 8]


def _incident(row: Row) -> None:
    """The sentence and what to do; beside it value and age, where the eye can run down, and the verbs."""
    detector = definitions.detectors().get(row["code"])
    text, side = st.columns(_shares(), vertical_alignment="center", gap="small")
    with text, st.container(gap=None):
        st.markdown(f"{tiles.severity(row['severity'])} **{units.plain(_headline(row, detector))}**", help=_more(row, detector))
        st.caption(_second_line(row, detector))
    with side, st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"**{tiles.money(row['value'])}**" if row["value"] else units.DASH, width=VALUE_PX, text_alignment="right")
        age = units.duration((frame.now() - row["oldest_at"]).total_seconds())
        st.markdown(f":red[■ {age}]" if row["n_past_sla"] else age, width=AGE_PX, text_alignment="right")
        if not frame.view().is_kiosk:
            _buttons(row)


def _template(row: Row, detector: Detector | None) -> str:
    policy = session.catalogue().exceptions.get(row["code"])
    return detector.header.sentence if detector else sentences.unknown(row["code"], policy.title if policy else "")


def _headline(row: Row, detector: Detector | None) -> str:
    return sentences.headline(_template(row, detector), row, team=session.team, interface=tiles.interface)


def _second_line(row: Row, detector: Detector | None) -> str:
    taken = "" if row["n_unacknowledged"] == row["n"] else " · acknowledged"
    if 0 < row["n_unacknowledged"] < row["n"]:
        taken = f" · {units.count(row['n_unacknowledged'])} not acknowledged"
    todo = f" · Do: {detector.header.action}" if detector else ""
    return f"**{session.team(row['owner'])}** · {sentences.TREND[row['trend']]}{taken}{todo}"


def _more(row: Row, detector: Detector | None) -> str:
    """What the two lines leave out, for the hover: the whole sentence, how many are past their limit, and the cause."""
    whole = sentences.incident(
        _template(row, detector), row, currency=session.currency(), now=frame.now(), team=session.team
    )  # fmt: skip
    past = f"{units.count(row['n_past_sla'])} of {units.count(row['n'])} past their limit. " if row["n_past_sla"] else ""
    cause = sentences.cause(row, when=frame.when, interface=tiles.interface)
    return "\n\n".join(
        t for t in (f"{units.plain(whole)}.", f"{past}Oldest since {frame.hover(row['oldest_at'])}.", units.plain(cause)) if t
    )


def _buttons(row: Row) -> None:
    """Open, the cause, and the verbs of the inbox on all exceptions of the incident."""
    key, (can, why) = row["incident"], inbox.may_act()
    if st.button("Open", key=f"open_{key}", help="Its exceptions, with their evidence"):
        frame.go("exceptions", incident=key)
    if row["n_unacknowledged"] and st.button("Acknowledge", key=f"ack_{key}", disabled=not can, help=why):
        inbox.take_on_incident(key, "acknowledge")
    teams = sorted(session.catalogue().teams)
    if team := st.menu_button("Assign", teams, key=f"assign_{key}", disabled=not can, help=why, format_func=session.team):
        inbox.take_on_incident(key, "assign", team=team)
    if row["cause_interface"]:
        cause = sentences.cause(row, when=frame.when, interface=tiles.interface)
        if st.button("Cause", key=f"cause_{key}", help=units.plain(cause)):
            frame.go("failures", interface=row["cause_interface"])


# --- 3 the funnel ----------------------------------------------------------------------------------------------------------
def stages(rows: Sequence[Row]) -> None:
    """A row a stage: now, value, flow of the last hour, and what is past its tolerance."""
    if not rows:
        nothing_yet("Nothing is in any stage.")
        return
    known = _known(rows)
    st.dataframe(
        {
            "Stage": [units.title(name) for name, _ in known],
            "Now": [r["n"] if r else 0 for _, r in known],
            "Value": [tiles.money(r["worth"]) if r else units.DASH for _, r in known],
            "In / h": [r["inflow_1h"] if r else 0 for _, r in known],
            "Out / h": [r["outflow_1h"] if r else 0 for _, r in known],
            "Past tolerance": [100 * r["n_past"] / r["n"] if r and r["n"] else None for _, r in known],
        },
        key="stage_table",
        hide_index=True,
        height="content",
        row_height=30,
        column_config={
            "Stage": st.column_config.TextColumn(width=104),
            "Now": st.column_config.NumberColumn(format="localized", width=58, help="Objects in the stage now"),
            "Value": st.column_config.TextColumn(width=88, help="What they are worth"),
            "In / h": st.column_config.NumberColumn(format="localized", width=62, help="Came into the stage in the last hour"),
            "Out / h": st.column_config.NumberColumn(format="localized", width=66, help="Left the stage in the last hour"),
            "Past tolerance": st.column_config.ProgressColumn(
                format="%.0f %%",
                min_value=0,
                max_value=100,
                width=150,
                help="Share that is in the stage for longer than its tolerance",
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


def _known(rows: Sequence[Row]) -> list[tuple[str, Row | None]]:
    """Each stage of the catalogue that is shown, in order, with its row where there is one."""
    named = {r["stage"]: r for r in rows}
    return [(s.name, named.get(s.name)) for s in session.catalogue().stages if _is_shown(s.object_type)]


def _is_shown(object_type: str) -> bool:
    """With a workflow chosen, the stages of its objects; those of all, if it has none of its own in the funnel."""
    chosen = frame.view().values("workflow")
    workflows = session.catalogue().workflows
    types = {t for name in chosen if name in workflows for t in workflows[name].object_types}
    in_funnel = {s.object_type for s in session.catalogue().stages}
    return object_type in types if types & in_funnel else True


# --- 6 backlog -------------------------------------------------------------------------------------------------------------
def backlog(rows: Sequence[Row], usual: Mapping[str, float]) -> None:
    """What stands in each stage now against the usual for this hour and weekday, and how long it takes to drain."""
    bars = [
        charts.Bar(units.title(name), r["n"] if r else 0, usual.get(name), _drain(r))
        for name, r in _known(rows)
        if (r and r["n"]) or usual.get(name)
    ]
    if not bars:
        return
    st.echarts_chart(
        charts.backlog(bars, is_dark=frame.is_dark()),
        height=12 + 24 * len(bars),
        key="backlog",
        alt="Backlog by stage, now and usual",
    )
    if not usual:
        st.caption("What is usual is not known yet: that takes a week of snapshots.")


def _drain(row: Row | None) -> str:
    """`drains in 39 h`; with a glyph where that is longer than the catalogue wants, in days."""
    if row is None or not row["n"]:
        return ""
    if not row["outflow_1h"]:
        return "▲ no outflow in the last hour"
    seconds, limit = row["n"] / row["outflow_1h"] * units.HOUR, session.catalogue().tolerances["stage_backlog"]
    glyph = "■ " if seconds > limit.watch * units.DAY else "▲ " if seconds > limit.target * units.DAY else ""
    return f"{glyph}drains in {units.duration(seconds)}"


def nothing_yet(sentence: str) -> None:
    """Empty because nothing has come yet, or because the filters leave nothing."""
    if frame.view().scope:
        tiles.empty(sentence, next_step="The filters above may leave nothing: clear them to see all.")
    else:
        tiles.empty(sentence)
