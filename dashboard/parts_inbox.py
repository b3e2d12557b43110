"""
The parts of the Exceptions page: saved filters, the list, the verbs, and one exception with what it rests on.

Why the list does not refresh by itself: a table that moves under the hand makes people act on the wrong row. A live line
beside it says that it has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import (
    charts,
    frame,
    inbox,
    parts_object,
    queries_inbox,
    queries_object,
    sentences,
    session,
    tables,
    tiles,
    units,
)
from schema import definitions

Row = Mapping[str, Any]
FILTERS = {
    "needs": "Needs somebody",
    "mine": "Mine",
    "unowned": "Unowned",
    "past": "Past limit",
    "postponed": "Put aside",
    "open": "All open",
    "closed": "Closed in 24 h",
}
MORE_VERBS = ("comment", "postpone", "wait", "resolve", "confirm", "suppress", "reopen")
MOST_CALLS = 5


# --- top and left ----------------------------------------------------------------------------------------------------------
def ageing(rows: Sequence[Row]) -> None:
    """Open exceptions by team and age; nothing drawn where there are none."""
    if not rows:
        tiles.empty("No exception is open.")
        return
    teams = {r["owner"]: session.team(r["owner"]) for r in rows}
    spec = charts.ageing(rows, teams, is_dark=frame.is_dark())
    st.echarts_chart(spec, height=26 + 18 * len(teams), key="ageing", alt="Open exceptions by team and age")


def chosen_filter() -> str:
    """The saved filter that the URL names."""
    return st.query_params.get("saved") or "needs"


def saved_filters(counts: Mapping[str, int], chosen: str) -> None:
    """The saved filters with their counts, by kind and then by team; a choice goes to the URL and leaves an incident."""
    teams = sorted((name for name in counts if name.startswith("team:")), key=lambda name: (-counts[name], name))
    if chosen not in FILTERS and chosen not in teams:
        teams.append(chosen)
    with st.container(gap="xxsmall", key="saved"):
        st.caption("Saved filters")
        for name in FILTERS:
            _saved(name, counts.get(name, 0), chosen)
        if teams:
            st.caption("By team")
        for name in teams:
            _saved(name, counts.get(name, 0), chosen)


def _saved(name: str, n: int, chosen: str) -> None:
    st.button(
        f"{_filter_name(name)} :gray[{units.count(n)}]",
        key=f"saved_{name}",
        type="secondary" if name == chosen else "tertiary",
        width="stretch",
        on_click=_choose_filter,
        args=(name,),
    )


def _choose_filter(name: str) -> None:
    st.query_params["saved"] = name
    for key in ("incident", "exception"):
        st.query_params.pop(key, None)


def _filter_name(name: str) -> str:
    return FILTERS.get(name) or units.title(session.team(name.removeprefix("team:")))


# --- middle ----------------------------------------------------------------------------------------------------------------
def list_heading(rows: Sequence[Row], saved: str, incident: str) -> None:
    """What the list holds, and the way out of an incident."""
    if incident:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            place = _place(rows[0]) if rows else ""
            title = tiles.exception_title(rows[0]["code"]) if rows else ""
            tiles.heading(f"Incident {title} · {place}: {units.of(len(rows), 'exception')}")
            st.button("✕ leave incident", type="tertiary", on_click=_leave_incident)
        return
    limited = " (the worst shown)" if len(rows) == queries_inbox.MOST else ""
    tiles.heading(f"{_filter_name(saved)}: {units.of(len(rows), 'exception')}{limited}")


def _leave_incident() -> None:
    st.query_params.pop("incident", None)


def table(rows: Sequence[Row]) -> list[str]:
    """The list, worst first; the ids of the rows that are selected."""
    if not rows:
        tiles.empty("Nothing is in this list.", next_step="Choose another on the left, or clear the filters above.")
        return []
    text = st.column_config.TextColumn
    state = st.dataframe(
        {
            "Sev.": [sentences.SEVERITY.get(r["severity"], "") for r in rows],
            "What": [tiles.exception_title(r["code"]) for r in rows],
            "Object": [_about(r) for r in rows],
            "Value": [tiles.money(r["value"]) if r["value"] else units.DASH for r in rows],
            "Age of limit": [
                f"{'■ ' if r['is_past_sla'] else ''}{units.duration(r['age_s'])} of {units.duration(r['sla_s'])}" for r in rows
            ],
            "Owner": [r["assignee"] or session.team(r["owner"]) for r in rows],
            "State": [r["status"] for r in rows],
            "Why": [r["reason"] for r in rows],
        },
        key="inbox_table",
        hide_index=True,
        height=tables.height(len(rows), 600),
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "Sev.": text(width=48, help="P1 worst"),
            "What": text(width=184),
            "Object": text(width=98),
            "Value": text(width=74, help="What it holds up"),
            "Age of limit": text(width=100, help="How old it is, and how old it may grow; ■ past its limit"),
            "Owner": text(width=90, help="The person who took it, else the team"),
            "State": text(width=90),
        },
        alt=f"{len(rows)} exceptions",
    )
    return [rows[i]["id"] for i in state["selection"]["rows"] if i < len(rows)]


def _about(row: Row) -> str:
    """What an exception is about, as people call it."""
    return row["object_id"] or tiles.interface(row["interface"]).strip("“”") or sentences.place(row["place"])


def changes(drawn: Sequence[str], now: Sequence[Row]) -> None:
    """A line that says that the list is no longer as it was drawn."""
    known = {r["id"] for r in now}
    new, gone = len(known - set(drawn)), len(set(drawn) - known)
    if new or gone:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":orange[▲ The list has changed:] {new} new, {gone} gone")
            if st.button("Show it as it is", key="refresh_list"):
                st.rerun()


def verbs_on_many(ids: Sequence[str]) -> None:
    """The verbs on what is selected, where it is more than one."""
    if len(ids) > 1:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{len(ids)} selected**", width="content")
            _verbs(ids, "many")


# --- right -----------------------------------------------------------------------------------------------------------------
def selected(picked: Sequence[str], rows: Sequence[Row]) -> str:
    """The exception to show: the one row that was just chosen, else what the URL names, else the worst."""
    in_url = st.query_params.get("exception", "")
    if len(picked) == 1 and st.session_state.get("picked_exception") != picked[0]:
        st.session_state["picked_exception"] = picked[0]
        st.query_params["exception"] = in_url = picked[0]
    return in_url or (rows[0]["id"] if rows and not picked else "")


def detail(found: Row | None, id_: str) -> None:
    """One exception: what and since when, what to do, the verbs and what was done, then what it rests on."""
    if found is None:
        tiles.empty(f"No exception has the id {units.plain(id_)}.", next_step="It may be older than the retention.")
        return
    detector = definitions.detectors().get(found["code"])
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"##### {tiles.severity(found['severity'])} {tiles.exception_title(found['code'])}")
        st.markdown(units.plain(found["reason"]))
        tiles.facts(_facts(found))
        if detector:
            st.markdown(f":gray[Do:] {detector.header.action}")
        _links(found)
        _verbs([found["id"]], "one")
        _history(found["id"])
    _evidence(found)


def _facts(found: Row) -> list[tuple[str, str]]:
    age = f"{units.duration(found['age_s'])} of {units.duration(found['sla_s'])} allowed"
    state = tiles.status("off_target", f"{age}: past its limit") if found["is_past_sla"] else age
    person = f" · {units.plain(found['assignee'])}" if found["assignee"] else ""
    closed = "" if found["is_open"] else f" · closed {frame.when(found['closed_at'])}"
    return [
        ("Since", f"{frame.when(found['began_at'])} · {state}"),
        ("Found", f"{frame.when(found['detected_at'])}{closed} · {found['status']}"),
        ("Value", f"**{tiles.money(found['value'])}**" if found["value"] else ""),
        ("Place", units.plain(_place(found))),
        ("Owner", f"**{session.team(found['owner'])}**{person}"),
    ]


def _place(found: Row) -> str:
    """Where: the parts of its place, an interface by its title."""
    parts = (tiles.interface(part) if part == found["interface"] else units.words(part) for part in found["place"].split("|"))
    return " · ".join(p for p in parts if p)


def _links(found: Row) -> None:
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        if found["object_id"]:
            label = f"{units.title(found['object_type'])} {units.plain(found['object_id'])}"
            frame.link_to("object", label, icon=":material/package_2:", type=found["object_type"], id=found["object_id"])
        if found["interface"]:
            frame.link_to("failures", "Interface", icon=":material/troubleshoot:", interface=found["interface"])
        if found["trace_id"]:
            frame.link_to("traces", "Trace", icon=":material/timeline:", trace=found["trace_id"])
        if st.query_params.get("incident") != found["incident"] and st.button("Whole incident", type="tertiary"):
            st.query_params["incident"] = found["incident"]
            st.rerun()


def _evidence(found: Row) -> None:
    """The object's own timeline, the failed calls, and the rule with its words and its SQL."""
    view, detector = frame.view(), definitions.detectors().get(found["code"])
    if found["object_id"]:
        events = queries_object.events(view.as_of, found["object_type"], found["object_id"])
        parts_object.mini_timeline(events, [found])
    calls = queries_inbox.spans(view.as_of, found["object_type"], found["object_id"], found["interface"])
    if calls:
        tiles.heading(f"Failed or repeated calls: the newest {min(len(calls), MOST_CALLS)} of 7 days")
        parts_object.calls(calls[:MOST_CALLS], key="evidence_calls", is_narrow=True)
    if detector:
        with st.expander(f"The rule {found['code']}"):
            st.markdown(units.plain(detector.header.definition.strip()))
            st.code(detector.sql, language="sql", height=260)


def _history(id_: str) -> None:
    """Who did what with it, newest first."""
    rows = queries_inbox.history(frame.view().as_of, id_)
    if not rows:
        st.caption("Nobody has done anything with it yet.")
    st.markdown("  \n".join(f":small[{tiles.said_by(r)}]" for r in reversed(rows)))


# --- verbs -----------------------------------------------------------------------------------------------------------------
def _verbs(ids: Sequence[str], where: str) -> None:
    """Acknowledge and assign at once; the others want a reason or an end. A greyed verb says why in words, too."""
    can, why = inbox.may_act()
    with st.container(horizontal=True, gap="xsmall"):
        if st.button("Acknowledge", key=f"ack_{where}", disabled=not can, help=why, shortcut="a" if where == "one" else None):
            inbox.take(ids, "acknowledge")
        teams = sorted(session.catalogue().teams)
        if team := st.menu_button("Assign", teams, key=f"assign_{where}", disabled=not can, help=why, format_func=session.team):
            inbox.take(ids, "assign", team=team)
        with st.popover("More", disabled=not can, help=why):
            _form(ids, where)
    if why:
        st.caption(why)


def _form(ids: Sequence[str], where: str) -> None:
    verb = st.selectbox("Verb", MORE_VERBS, key=f"verb_{where}", format_func=units.title)
    comment = st.text_area("Why", key=f"why_{where}", max_chars=4000, height=80)
    until = inbox.end_of(st.date_input("Until the end of", value=None, key=f"until_{where}") if verb in inbox.TIMED else None)
    missing = inbox.missing(verb, comment, until)
    if missing:
        st.caption(missing)
    if st.button(units.title(verb), key=f"do_{where}", type="primary", disabled=bool(missing)):
        inbox.take(ids, verb, comment=comment.strip(), until=until)
