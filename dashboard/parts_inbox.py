"""
The parts of the Exceptions page: saved filters, the list, the verbs, and one exception with what it rests on.

Why the list does not refresh by itself: a table that moves under the hand makes people act on the wrong row. A live line
beside it says that it has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import charts, frame, inbox, parts_object, queries_inbox, queries_object, sentences, session, tiles, units
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


# --- left and top ----------------------------------------------------------------------------------------------------------
def ageing(rows: Sequence[Row]) -> None:
    """Open exceptions by team and age; nothing drawn where there are none."""
    if not rows:
        tiles.empty("No exception is open.")
        return
    teams = {r["owner"]: session.team(r["owner"]) for r in rows}
    st.echarts_chart(
        charts.ageing(rows, teams), height=52 + 24 * len(teams), key="ageing", alt="Open exceptions by team and age"
    )


def chosen_filter() -> str:
    """The saved filter that the URL names."""
    return st.query_params.get("saved") or "needs"


def saved_filters(counts: Mapping[str, int], chosen: str) -> None:
    """The saved filters with their counts; a choice goes to the URL and leaves an incident."""
    teams = sorted(name for name in counts if name.startswith("team:"))
    names = [*FILTERS, *teams, *([chosen] if chosen not in FILTERS and chosen not in teams else [])]
    st.session_state["saved"] = chosen
    st.radio(
        "Saved filters",
        names,
        key="saved",
        format_func=lambda name: f"{_filter_name(name)} ({units.count(counts.get(name, 0))})",
        on_change=_choose_filter,
    )


def _choose_filter() -> None:
    st.query_params["saved"] = st.session_state["saved"]
    for key in ("incident", "exception"):
        st.query_params.pop(key, None)


def _filter_name(name: str) -> str:
    return FILTERS.get(name) or units.title(session.team(name.removeprefix("team:")))


# --- middle ----------------------------------------------------------------------------------------------------------------
def list_heading(rows: Sequence[Row], saved: str, incident: str) -> None:
    """What the list holds, and the way out of an incident."""
    if incident:
        with st.container(horizontal=True, vertical_alignment="center"):
            place = sentences.place(rows[0]["place"]) if rows else ""
            tiles.heading(f"Incident {_title(rows[0]['code']) if rows else ''} · {place}: {units.of(len(rows), 'exception')}")
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
    state = st.dataframe(
        {
            "Sev.": [sentences.SEVERITY.get(r["severity"], "") for r in rows],
            "What": [_title(r["code"]) for r in rows],
            "Object": [r["object_id"] or r["interface"] or sentences.place(r["place"]) for r in rows],
            "Age of limit": [
                f"{'■ ' if r['is_past_sla'] else ''}{units.duration(r['age_s'])} of {units.duration(r['sla_s'])}" for r in rows
            ],
            "Value": [tiles.money(r["value"]) if r["value"] else units.DASH for r in rows],
            "Owner": [r["assignee"] or session.team(r["owner"]) for r in rows],
            "State": [r["status"] for r in rows],
            "Why": [r["reason"] for r in rows],
        },
        key="inbox_table",
        hide_index=True,
        height=560,
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "Sev.": st.column_config.TextColumn(width=56, help="P1 worst"),
            "Age of limit": st.column_config.TextColumn(help="How old it is, and how old it may grow; ■ past its limit"),
        },
        alt=f"{len(rows)} exceptions",
    )
    return [rows[i]["id"] for i in state["selection"]["rows"] if i < len(rows)]


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
        with st.container(border=True):
            st.markdown(f"**{len(ids)} selected**")
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
    """One exception: what and since when, the verbs, what it rests on, what was done."""
    if found is None:
        tiles.empty(f"No exception has the id {units.plain(id_)}.", next_step="It may be older than the retention.")
        return
    st.markdown(f"##### {tiles.severity(found['severity'])} {_title(found['code'])}")
    st.markdown(f"{units.plain(found['reason'])}")
    age = f"{units.duration(found['age_s'])} of {units.duration(found['sla_s'])} allowed"
    state = tiles.status("off_target", f"{age}: past its limit") if found["is_past_sla"] else age
    closed = "" if found["is_open"] else f"closed {frame.when(found['closed_at'])}"
    tiles.facts(
        [
            ("Since", f"{frame.when(found['began_at'])} · {state}"),
            ("Found", f"{frame.when(found['detected_at'])}{f' · {closed}' if closed else ''}"),
            ("State", found["status"]),
            ("Value", tiles.money(found["value"]) if found["value"] else ""),
            ("Place", units.plain(sentences.place(found["place"]))),
            ("Owner", f"{session.team(found['owner'])}{' · ' + units.plain(found['assignee']) if found['assignee'] else ''}"),
        ]
    )
    _links(found)
    _verbs([found["id"]], "one")
    _evidence(found)
    _history(found["id"])


def _links(found: Row) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if found["object_id"]:
            label = f"{units.title(found['object_type'])} {units.plain(found['object_id'])}"
            frame.link_to("object", label, type=found["object_type"], id=found["object_id"])
        if found["interface"]:
            frame.link_to("failures", f"Interface {units.plain(found['interface'])}", interface=found["interface"])
        if found["trace_id"]:
            frame.link_to("traces", "Trace", trace=found["trace_id"])
        if st.query_params.get("incident") != found["incident"] and st.button("Whole incident", type="tertiary"):
            st.query_params["incident"] = found["incident"]
            st.rerun()


def _evidence(found: Row) -> None:
    """The rule with its words, what to do, the failed calls, and the object's own timeline."""
    detector = definitions.detectors().get(found["code"])
    if detector:
        st.markdown(f":gray[Do:] {detector.header.action}")
        with st.expander(f"The rule {found['code']}"):
            st.markdown(units.plain(detector.header.definition.strip()))
            st.code(detector.sql, language="sql", height=260)
    view = frame.view()
    calls = queries_inbox.spans(view.as_of, found["object_type"], found["object_id"], found["interface"])
    if calls:
        st.markdown(f"**Failed or repeated calls behind it** ({len(calls)} newest of 7 days)")
        parts_object.calls(calls, key="evidence_calls")
    if found["object_id"]:
        events = queries_object.events(view.as_of, found["object_type"], found["object_id"])
        parts_object.mini_timeline(events, [found])


def _history(id_: str) -> None:
    rows = queries_inbox.history(frame.view().as_of, id_)
    st.markdown("**What was done**" if rows else ":gray[Nobody has done anything with it yet.]")
    for r in rows:
        team = f" to {session.team(r['team'])}" if r["team"] else ""
        until = f" until {frame.when(r['until'])}" if r["until"].year > 1970 else ""
        comment = f": {units.plain(r['comment'])}" if r["comment"] else ""
        st.markdown(
            f":gray[{frame.when(r['at'])}] {units.plain(r['actor'])} · **{r['verb']}**{team}{until}{comment}",
            help=frame.hover(r["at"]),
        )


# --- verbs -----------------------------------------------------------------------------------------------------------------
def _verbs(ids: Sequence[str], where: str) -> None:
    """Acknowledge and assign at once; the others want a reason or an end."""
    can, why = inbox.may_act()
    with st.container(horizontal=True, gap="xsmall"):
        if st.button("Acknowledge", key=f"ack_{where}", disabled=not can, help=why, shortcut="a" if where == "one" else None):
            inbox.take(ids, "acknowledge")
            st.rerun()
        teams = sorted(session.catalogue().teams)
        if team := st.menu_button("Assign", teams, key=f"assign_{where}", disabled=not can, help=why, format_func=session.team):
            inbox.take(ids, "assign", team=team)
            st.rerun()
        with st.popover("More", disabled=not can, help=why):
            _form(ids, where)


def _form(ids: Sequence[str], where: str) -> None:
    verb = st.selectbox("Verb", MORE_VERBS, key=f"verb_{where}", format_func=units.title)
    comment = st.text_area("Why", key=f"why_{where}", max_chars=4000, height=80)
    until = inbox.end_of(st.date_input("Until the end of", value=None, key=f"until_{where}") if verb in inbox.TIMED else None)
    missing = inbox.missing(verb, comment, until)
    if missing:
        st.caption(missing)
    if st.button(units.title(verb), key=f"do_{where}", type="primary", disabled=bool(missing)):
        inbox.take(ids, verb, comment=comment.strip(), until=until)
        st.rerun()


def _title(code: str) -> str:
    policy = session.catalogue().exceptions.get(code)
    return policy.title if policy else code
