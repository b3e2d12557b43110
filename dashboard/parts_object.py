"""
The parts of the Object page: header, swim lanes, family, exceptions, raw events.

Why systems stand side by side with the canonical state: the fold decides whose word counts, and a person must be able to see
what the others say, and that they disagree.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from dashboard import charts_object, filters, frame, queries, search, session, tiles, units
from dashboard.charts_object import Flag, Gap, Mark
from schema.events import OBJECT_TYPES

Row = Mapping[str, Any]
PLAIN_CHART = {"displayModeBar": False}
MINI_PX = 300


def asked() -> tuple[str, str]:
    """(type, id) from the URL; an id without its type is looked up."""
    type_, id_ = st.query_params.get("type", ""), st.query_params.get("id", "")
    if id_ and type_ not in OBJECT_TYPES:
        known = queries.objects_by_id(id_)
        type_ = known[0]["object_type"] if known else OBJECT_TYPES[0]
    return type_, id_


def start(urgent: Sequence[Row], recent: Sequence[Row]) -> None:
    """No object is asked for: how to find one, what is worth a look, and what has just moved."""
    st.markdown("#### Which object?")
    st.markdown(
        "Type any key into the search field above: an order, shipment, invoice, return or movement, a tracking number, "
        "a customer's reference, a trace. Or begin here:"
    )
    left, right = st.columns(2, gap="medium")
    with left:
        tiles.heading("In trouble, and worth most")
        if not urgent:
            tiles.empty("No object has an open exception.")
        for r in urgent:
            worth = f" · **{tiles.money(r['value'])}**" if r["value"] else ""
            _line(r, f"{tiles.severity(r['severity'])} {tiles.exception_title(r['code'])}{worth}")
    with right:
        tiles.heading("Moved last")
        if not recent:
            tiles.empty("Nothing has moved in the last day.")
        for r in recent:
            _line(r, f"{units.words(r['moved_to'])} :gray[{units.ago(r['moved_at'], frame.now())}]")


def _line(row: Row, text: str) -> None:
    """A link to an object with a few words."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        label = f"{units.title(row['object_type'])} {units.plain(row['object_id'])}"
        frame.link_to("object", label, type=row["object_type"], id=row["object_id"])
        st.markdown(text, width="content")


def not_found(type_: str, id_: str) -> None:
    """Nothing has this id: say so, and what is near."""
    tiles.empty(
        f"No {type_} with the id **{units.plain(id_)}** is known"
        + (" as of then." if frame.view().as_of else ".")
        + " Its first event may not have been received yet: see Intake for silent feeds and rejects."
    )
    near = [hit for hit in search.find(id_[: max(4, len(id_) - 2)]) if hit.page == "object"]
    if near:
        st.markdown("Near it:")
        for hit in near[:6]:
            frame.link_to(hit.page, hit.label, to=None, **hit.params)


# --- header ----------------------------------------------------------------------------------------------------------------
def header(found: Row, waits: Row, problems: Sequence[Row]) -> None:
    """Id, state, what it waits for, what each system says, and the facts that matter."""
    state = units.words(found["state"]) or "not known yet"
    st.markdown(f"#### {units.title(found['object_type'])} {units.plain(found['object_id'])} · {state}")
    st.markdown(_waits(found, waits))
    for hold in found["holds"]:
        since = max(s for n, s in zip(found["hold_name"], found["hold_from"], strict=True) if n == hold)
        st.markdown(f":orange[▲ {units.words(hold)}] since {frame.when(since)}")
    left, right = st.columns([1, 1], gap="medium")
    with left:
        tiles.facts(_facts(found))
    with right:
        _systems(found, _disputed(problems))


def _waits(found: Row, waits: Row) -> str:
    """`waits for proof of delivery from carrier ACME, since …; owner of the next step: carrier desk`."""
    if found["is_final"]:
        return f"{tiles.status('on_target', 'Ended')} {frame.when(found['state_at'])}"
    if not found["waits_for"]:
        return "" if found["holds"] else ":gray[○] Waits for nothing that the catalogue guards."
    named = found.get(waits["owed_by"]) or ""
    party = f"{waits['owed_by']} {units.plain(named)}" if named else units.plain(tiles.role(waits["owed_by"]))
    since = max([t for t in found["guard_at"] if t.year > 1970] + [found["state_at"]] if found["state_at"] else [frame.now()])
    since = min(since, frame.now())
    age = units.duration((frame.now() - since).total_seconds())
    return (
        f":orange[▲ Waits for **{found['waits_for']}**] from {party}{_expected(found)}, "
        f"since {frame.when(since)} ({age}). Next step: **{session.team(waits['owner'])}**."
    )


def _expected(found: Row) -> str:
    """When what it waits for was to come, by the last estimate or else the plan: `, expected 14:00, 9 h late`."""
    at = _last(found["e_state"], found["e_at"], found["waits_to_be"]) or _last(
        found["p_state"], found["p_at"], found["waits_to_be"]
    )
    if at is None:
        return ""
    late = f", :red[■ {units.late(at, frame.now())}]" if at < frame.now() else ""
    return f", expected {frame.when(at)}{late}"


def _facts(found: Row) -> list[tuple[str, str]]:
    place = " · ".join(units.plain(found[c]) for c in ("region", "warehouse", "carrier", "mode") if found[c])
    return [
        ("Value", tiles.money(found["value"]) if found["value"] else ""),
        ("Customer", " · ".join(units.plain(found[cut]) for cut in ("customer", "order_class") if found[cut])),
        ("Place", place),
        ("Promised", _promise(found)),
        ("Also known as", ", ".join(units.plain(k) for k in found["keys"][:6])),
    ]


def _promise(found: Row) -> str:
    """The promised time against what happened or is expected: `22 Nov 14:00, estimated 23 Nov 01:00, 11 h late`."""
    promised = _last(found["p_state"], found["p_at"], "delivered")
    if promised is None:
        return ""
    done = _last(found["m_state"], found["m_at"], "delivered")
    estimate = _last(found["e_state"], found["e_at"], "delivered")
    if done:
        return f"{frame.when(promised)}, delivered {frame.when(done)}: {_coloured(promised, done)}"
    if estimate and estimate > frame.now():
        return f"{frame.when(promised)}, estimated {frame.when(estimate)}: {_coloured(promised, estimate)}"
    if frame.now() > promised:
        return f"{frame.when(promised)}, not delivered: {_coloured(promised, frame.now())} so far"
    return frame.when(promised)


def _coloured(promised: datetime, at: datetime) -> str:
    text = units.late(promised, at)
    return f":red[■ {text}]" if text.endswith("late") else f":green[● {text}]"


def _last(states: Sequence[str], times: Sequence[datetime], name: str) -> datetime | None:
    return next((t for s, t in zip(states, times, strict=True) if s == name), None)


def _disputed(problems: Sequence[Row]) -> set[str]:
    """The systems that an open exception says disagree for longer than the catalogue tolerates."""
    rules = session.catalogue().reconcile
    named = (rules.get(str(p["place"]).partition("|")[0]) for p in problems if p["is_open"])
    return {role for rule in named if rule for role in (rule.leader, rule.follower)}


def _systems(found: Row, disputed: set[str]) -> None:
    """What each system says now: the one that counts, those that spoke before it, and those that disagree."""
    lines = []
    for role, says, at in zip(found["a_role"], found["a_state"], found["a_at"], strict=True):
        is_late = found["state_at"] is not None and at > found["state_at"]
        if says == found["state"]:
            mark, note = ":green[●]", ""
        elif role in disputed or is_late:
            mark, note = ":orange[▲]", " :orange[· disagrees]"
        else:
            mark, note = ":gray[○]", " :gray[· last word]"
        lines.append(f"{mark} **{units.plain(tiles.role(role))}** says {units.words(says)} :gray[since {frame.when(at)}]{note}")
    st.markdown("  \n".join(lines))


# --- timeline --------------------------------------------------------------------------------------------------------------
def timeline(found: Row, rows: Sequence[Row], problems: Sequence[Row], quiet_s: int) -> None:
    """The swim lanes; a trace opens by choosing its mark."""
    if not rows:
        tiles.empty("It is known only by what other objects say of it: no event of its own has come.")
        return
    marks = [_mark(r) for r in rows if not r["is_copy"]]
    gaps = _gaps(found, rows, quiet_s) if found["object_type"] == "shipment" else []
    flags = [Flag(_local(p["began_at"]), f"{tiles.exception_title(p['code'])}: {p['status']}") for p in problems]
    figure = charts_object.swim_lanes(marks, gaps, flags, _local(frame.now()), is_dark=frame.is_dark())
    st.plotly_chart(figure, key="lanes", config=PLAIN_CHART, alt=f"{len(marks)} events of {found['object_id']} by system")
    traces = dict.fromkeys(r["trace_id"] for r in rows if r["trace_id"])
    with st.container(horizontal=True, gap="small"):
        for trace in list(traces)[:8]:
            frame.link_to("traces", f"Trace {trace[:8]}…", trace=trace)


def mini_timeline(rows: Sequence[Row], problems: Sequence[Row]) -> None:
    """The last two dozen events of an object, without its gaps."""
    marks = [_mark(r) for r in rows if not r["is_copy"]][-24:]
    if marks:
        flags = [Flag(_local(p["began_at"]), tiles.exception_title(p["code"])) for p in problems]
        figure = charts_object.swim_lanes(marks, [], flags, _local(frame.now()), is_dark=frame.is_dark(), width_px=MINI_PX)
        st.plotly_chart(figure, key="mini_lanes", config=PLAIN_CHART, alt=f"The last {len(marks)} events of the object")


def _mark(row: Row) -> Mark:
    kind = "void" if row["is_void"] else row["classifier"]
    delay = units.duration((row["received_at"] - row["occurred_at"]).total_seconds())
    code = f" ({row['source_code']})" if row["source_code"] else ""
    hover = (
        f"{units.words(row['state']) or row['event_type']}{code}<br>{frame.hover(row['occurred_at'])}<br>received after {delay}"
    )
    at, received = _local(row["occurred_at"]), _local(row["received_at"])
    lane = tiles.role(row["system_role"] or row["system"] or row["source"])
    return Mark(lane, at, received if kind in ("ACT", "void") else at, units.words(row["state"]), hover, kind)


def _gaps(found: Row, rows: Sequence[Row], quiet_s: int) -> list[Gap]:
    """Stretches longer than a shipment of its mode may be quiet: between events that happened, and since its last progress."""
    limit, now = timedelta(seconds=quiet_s), frame.now()
    times = sorted({r["occurred_at"] for r in rows if r["classifier"] == "ACT" and not r["is_void"]})
    quiet = [(a, b, "quiet for") for a, b in itertools.pairwise(times)]
    if found["is_active"] and times:
        quiet.append((found["progressed_at"] or times[-1], now, "no progress for"))
    return [
        Gap(_local(a), _local(b), f"{what} {units.duration((b - a).total_seconds())}") for a, b, what in quiet if b - a > limit
    ]


def _local(at: datetime) -> datetime:
    """The same moment as the viewer's clock showed it; charts draw it as it is."""
    return at.astimezone(frame.zone()).replace(tzinfo=None)


# --- below -----------------------------------------------------------------------------------------------------------------
def family(found: Row, rows: Sequence[Row]) -> None:
    """What it is linked to as a small tree."""
    if not rows:
        tiles.empty("No event links it to another object.")
        return
    for r in (r for r in rows if r["step"] == 1):
        _relative(r, "")
        for s in rows:
            if s["step"] == 2 and (s["by_type"], s["by_id"]) == (r["object_type"], r["object_id"]):
                _relative(s, ":gray[└] ")


def _relative(row: Row, indent: str) -> None:
    state = units.words(row["state"]) if row["state"] else "not known yet"
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if indent:
            st.markdown(indent, width="content")
        label = f"{units.title(row['object_type'])} {units.plain(row['object_id'])}"
        frame.link_to("object", label, type=row["object_type"], id=row["object_id"])
        st.markdown(f":gray[{state}]" + (f" · {tiles.money(row['value'])}" if row["value"] else ""), width="content")


def problems(rows: Sequence[Row], audit: Sequence[Row]) -> None:
    """Its exceptions, and what people did with them, newest first."""
    if not rows:
        tiles.empty("No exception was ever raised on it.")
    for r in rows:
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(tiles.severity(r["severity"]) if r["is_open"] else ":gray[○ closed]", width="content")
            frame.link_to("exceptions", tiles.exception_title(r["code"]), exception=r["id"])
            st.markdown(f":gray[{r['status']} · {session.team(r['owner'])} · {units.duration(r['age_s'])}]", width="content")
        st.caption(units.plain(r["reason"]))
    for a in audit:
        st.markdown(f":small[{tiles.said_by(a)} :gray[{tiles.exception_title(a['code'])}]]", help=frame.hover(a["at"]))


def events(rows: Sequence[Row]) -> None:
    """Every arrival with its source code, as it was received."""
    if not rows:
        tiles.empty("No event of its own has come.")
        return
    columns = {
        "Happened": [r["occurred_at"] for r in rows],
        "Received": [r["received_at"] for r in rows],
        "Kind": [charts_object.KINDS.get(r["classifier"], r["classifier"]) for r in rows],
        "State": [units.words(r["state"]) for r in rows],
        "Source code": [" ".join(p for p in (r["code_list"], r["code_element"], r["source_code"]) if p) for r in rows],
        "System": [r["system"] or r["system_role"] for r in rows],
        "Note": [_note(r) for r in rows],
        "Type": [r["event_type"] for r in rows],
        "Place": [r["location"] for r in rows],
        "Source": [r["source"] for r in rows],
        "Trace": [filters.link("traces", frame.view(), trace=r["trace_id"]) if r["trace_id"] else None for r in rows],
        "Event id": [r["event_id"] for r in rows],
    }
    time = st.column_config.DatetimeColumn(format="D MMM YYYY HH:mm:ss", timezone=str(frame.zone()))
    st.dataframe(
        {name: values for name, values in columns.items() if any(values)},
        key="raw_events",
        hide_index=True,
        column_config={"Happened": time, "Received": time, "Trace": st.column_config.LinkColumn(display_text="trace")},
        alt=f"{len(rows)} events",
    )


def _note(row: Row) -> str:
    if row["is_retracted"]:
        return "✕ retraction"
    if row["is_copy"]:
        return "= copy"
    return "✕ replaced or retracted" if row["is_void"] else ""


def calls(rows: Sequence[Row], *, key: str, is_narrow: bool = False) -> None:
    """Calls over interfaces: when, between whom, how it went; in a narrow place without whom."""
    between = {
        "Interface": [tiles.interface(r["interface"]).strip("“”") for r in rows],
        "From": [r["service"] for r in rows],
        "To": [r["peer"] for r in rows],
    }
    st.dataframe(
        {
            "At": [frame.when(r["at"]) for r in rows],
            **({} if is_narrow else between),
            "Ended": [f"■ {r['status_message'] or 'failed'}" if r["is_error"] else f"▲ attempt {r['attempt']}" for r in rows],
            "Took": [units.duration(r["duration_ns"] / 1e9) for r in rows],
            "Trace": [filters.link("traces", frame.view(), trace=r["trace_id"]) if r["trace_id"] else None for r in rows],
        },
        key=key,
        hide_index=True,
        row_height=30,
        column_config={
            "At": st.column_config.TextColumn(width=92),
            "Ended": st.column_config.TextColumn(width=160 if is_narrow else None),
            "Took": st.column_config.TextColumn(width=58),
            "Trace": st.column_config.LinkColumn(display_text="trace", width=54),
        },
        alt=f"{len(rows)} calls",
    )
