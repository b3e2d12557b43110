"""
The parts of the Numbers page: every KPI and detector as its file says, with its value, its target and where that comes from.

Why the words and the SQL are read from the definition files and nothing is written here: a page that repeats a definition
is wrong after the next change, and a test holds that no file is missing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import charts_numbers, filters, frame, queries_numbers, sentences, session, tables, tiles, units
from schema import definitions
from schema import kpi as reader
from schema.definitions import Detector, Kpi
from schema.kpi import Point
from schema.rules import Tolerance

Row = Mapping[str, Any]
PLAIN_CHART = {"displayModeBar": False}
GOOD = {"low": "lower is better", "high": "higher is better"}
UNITS = {"ratio": "share", "count": "number", "seconds": "time", "currency": "money", "per_hour": "per hour"}
SHAPES = {
    "window": "counts what happened in the window",
    "gauge": "is read at a moment; its course comes from a snapshot each minute",
}  # fmt: skip
MOST_VALUES = 50


# --- all of them -------------------------------------------------------------------------------------------------------------
def kpis(known: Mapping[str, Kpi], latest: Mapping[str, Row], chosen: str) -> None:
    """A row a KPI with its last snapshot; choosing one opens it."""
    found = list(known.values())
    rows = [(k, latest.get(k.name), tolerance(k)) for k in found]
    courses = [list(row["course"]) if row and len(row["course"]) > 1 else None for _, row, _ in rows]
    st.dataframe(
        {
            "KPI": [k.header.title for k in found],
            "Status": [tiles.status_text(reader.status(k, row["value"] if row else None, t)) for k, row, t in rows],
            "Value": [units.value(row["value"] if row else None, k.header.unit, session.currency()) for k, row, _ in rows],
            "Target": [target_text(k, t) for k, _, t in rows],
            **({"Snapshots": courses} if any(courses) else {}),
            "n": [row["n"] if row else None for _, row, _ in rows],
            "As of": [units.ago(row["at"], frame.now()) if row else "no snapshot yet" for _, row, _ in rows],
            "Workflow": [units.title(k.header.owner) for k in found],
            "Id": [k.header.id for k in found],
            "Name": [k.name for k in found],
        },
        key="kpi_table",
        hide_index=True,
        on_select=lambda: tables.choose("kpi_table", [k.name for k in found], "kpi", ("detector", "cut")),
        selection_mode="single-row",
        selection_default=tables.chosen([k.name for k in found], chosen),
        height="content" if not chosen else 250,
        column_config={
            "Value": tables.right(),
            "Target": tables.right(),
            "Snapshots": st.column_config.LineChartColumn(help="Of the last 24 h; one is taken each minute", width=120),
            "n": tables.number("How many things the number is over"),
            "As of": tables.right("When it was snapped last"),
        },
        placeholder=units.DASH,
        alt=f"{len(found)} KPIs with value, target and course",
    )  # fmt: skip


def detectors(known: Mapping[str, Detector], open_now: Mapping[str, Row], chosen: str) -> None:
    """A row a detector with what it has open; choosing one opens it."""
    found = list(known.values())
    policies = [session.catalogue().exceptions.get(d.code) for d in found]
    st.dataframe(
        {
            "Detector": [d.header.title for d in found],
            "Code": [d.code for d in found],
            "Open now": [open_now[d.code]["n"] if d.code in open_now else 0 for d in found],
            "Value": [
                tiles.money(open_now[d.code]["worth"]) if d.code in open_now and open_now[d.code]["worth"] else units.DASH
                for d in found
            ],
            "Oldest": [units.duration(open_now[d.code]["oldest_s"]) if d.code in open_now else units.DASH for d in found],
            "Severity": [f"P{p.severity}" if p else "not in the catalogue" for p in policies],
            "May be open for": [units.duration(p.sla_s) if p else units.DASH for p in policies],
            "Owner": [session.team(p.owner) if p else units.DASH for p in policies],
            "What to do": [d.header.action for d in found],
        },
        key="detector_table",
        hide_index=True,
        on_select=lambda: tables.choose("detector_table", [d.code for d in found], "detector", ("kpi", "cut")),
        selection_mode="single-row",
        selection_default=tables.chosen([d.code for d in found], chosen),
        height="content" if not chosen else 250,
        column_config={
            "Open now": tables.number(),
            "Value": tables.right("Of what is open"),
            "Oldest": tables.right(),
            "May be open for": tables.right("The age limit of the catalogue", label="Limit"),
            "What to do": tables.text(width=300),
        },
        alt=f"{len(found)} detectors with what they have open",
    )


def not_known(kind: str, name: str, known: Sequence[str]) -> None:
    """A name of the URL that no file defines."""
    tiles.empty(
        f"No {kind} is called **{units.plain(name)}**.", next_step=f"Known: {', '.join(units.plain(n) for n in known)}."
    )


# --- one KPI -----------------------------------------------------------------------------------------------------------------
def tolerance(kpi: Kpi) -> Tolerance:
    """What the catalogue holds the KPI to."""
    return session.catalogue().tolerances[kpi.header.target]


def target_text(kpi: Kpi, held: Tolerance) -> str:
    """The target as a condition: `≤ 5 %`."""
    return f"{'≤' if kpi.header.good == 'low' else '≥'} {units.value(held.target, kpi.header.unit, session.currency())}"


def coverage(n: int, course: Sequence[Point], bucket_s: int, length_s: int) -> str:
    """How much of the window a KPI speaks of: over how many things, in how many of the buckets there was any."""
    if not course:
        return ""
    most = max(len(course), round(length_s / bucket_s))
    per = units.duration(bucket_s)
    return f"{units.of(n, 'thing')} measured; a value in {len(course)} of {most} stretches of {per}"


def kpi(one: Kpi, points: Sequence[Point], course: Sequence[Point], bucket_s: int) -> None:
    """What it means, its value now with n and as-of, its target and where that stands."""
    held, value = tolerance(one), points[0].value if points else None
    st.markdown(f"#### {one.header.title} {tiles.status(reader.status(one, value, held))}")
    st.markdown(one.header.definition)
    n = f" over n = {units.count(points[0].n)}" if points else "; nothing to measure in this window"
    watch = units.value(held.watch, one.header.unit, session.currency())
    tiles.facts(
        [
            (
                "Now",
                f"**{units.value(value, one.header.unit, session.currency())}**{n}, "
                f"the last {frame.view().window.title} to {frame.hover(frame.now())}",
            ),
            (
                "Target",
                f"{target_text(one, held)}, watch until {watch}: "
                f"catalogue key `tolerances.{one.header.target}` ({units.plain(held.title)})",
            ),
            ("Unit", f"{UNITS[one.header.unit]}, {GOOD[one.header.good]}; it {SHAPES[one.header.shape]}"),
            ("Coverage", coverage(points[0].n if points else 0, course, bucket_s, frame.view().window.length_s)),
            ("Owner", _owner(one.header.owner)),
            ("Inputs", inputs(one.sql)),
            ("Source", units.plain(f"{one.header.id}, {one.header.source}")),
        ]
    )


def _owner(workflow: str) -> str:
    known = session.catalogue().workflows
    return f"{known[workflow].title}: {session.team(known[workflow].owner)}" if workflow in known else "the platform itself"


def course(one: Kpi, points: Sequence[Point], bucket_s: int) -> None:
    """Its course over the window against the target."""
    tiles.heading(f"Course, by {units.duration(bucket_s)}")
    if not points:
        why = (
            "Its snapshots are kept without filters, by region and by workflow only."
            if frame.view().scope and one.header.shape == "gauge"
            else ""
        )
        tiles.empty("No course in this window.", next_step=why or "It fills as time goes by.")
        return
    figure = charts_numbers.trend(
        points, tolerance(one).target, one.header.unit, bucket_s, frame.zone(), session.currency(), is_dark=frame.is_dark()
    )
    st.plotly_chart(figure, key="kpi_course", config=PLAIN_CHART, alt=f"{one.header.title} over time against its target")
    last_values(one, points)


def last_values(one: Kpi, points: Sequence[Point]) -> None:
    """The values behind the course, the newest first."""
    held, newest = tolerance(one), sorted(points, key=lambda p: p.bucket, reverse=True)[:MOST_VALUES]
    with st.expander(f"Last values: {len(newest)}"):
        st.dataframe(
            {
                "From": [frame.when(p.bucket) for p in newest],
                "Status": [tiles.status_text(reader.status(one, p.value, held)) for p in newest],
                "Value": [units.value(p.value, one.header.unit, session.currency()) for p in newest],
                "n": [p.n for p in newest],
                "": ["still filling" if p.is_partial else "" for p in newest],
            },
            key="last_values", hide_index=True, height=tables.height(len(newest), 320),
            column_config={"Value": tables.right(), "n": tables.number()},
            alt=f"Last {len(newest)} values of {one.header.title}",
        )  # fmt: skip


def by_cut(one: Kpi, length_s: int) -> None:
    """Its value by a cut of the viewer's choice, the worst first."""
    view = frame.view()
    tiles.heading("By cut, the worst first")
    asked = st.query_params.get("cut", one.header.by[0])
    options = list(one.header.by)
    cut = st.selectbox(
        "Cut", options, index=options.index(asked) if asked in options else 0, key=f"cut_{one.name}", format_func=filters.name,
        label_visibility="collapsed",
    )  # fmt: skip
    st.query_params["cut"] = cut
    points = queries_numbers.headline(view.as_of, view.scope, one.name, length_s, cut)[:MOST_VALUES]
    if not points:
        tiles.empty("Nothing to measure in this window.")
        return
    held = tolerance(one)
    st.dataframe(
        {
            units.title(filters.name(cut)): [
                units.words(p.series) if cut in ("workflow", "transition") else p.series or "not known" for p in points
            ],
            "Status": [tiles.status_text(reader.status(one, p.value, held)) for p in points],
            "Value": [units.value(p.value, one.header.unit, session.currency()) for p in points],
            "n": [p.n for p in points],
        },
        key=f"by_{one.name}_{cut}",
        hide_index=True,
        height=tables.height(len(points), 320),
        column_config={"Value": tables.right(), "n": tables.number()},
        alt=f"{one.header.title} by {filters.name(cut)}",
    )


def sql(text: str, view: str) -> None:
    """The definition as it runs: anybody may read the same view."""
    with st.expander(f"SQL: view {view}", expanded=False):
        st.code(text, language="sql", line_numbers=True)


def inputs(text: str) -> str:
    """The views that a definition reads, and the tables that lie under them."""
    views = definitions.views()
    direct = _read(text)
    under, open_ = set(), list(direct)
    while open_:
        name = open_.pop()
        open_ += [n for n in _read(views[name]) if n not in under] if name in views and name not in under else []
        under.add(name)
    tables_ = sorted(under - views.keys() - set(direct))
    said = ", ".join(f"`{name}`" for name in direct)
    return (
        f"{said}, which read{'s' if len(direct) == 1 else ''} {', '.join(f'`{name}`' for name in tables_)}" if tables_ else said
    )


@functools.cache
def _read(text: str) -> list[str]:
    """What a SELECT reads; what it defines itself (WITH x AS) is not among it."""
    plain = re.sub(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.)*'", "''", text, flags=re.S)
    own = set(re.findall(r"(\w+)\s+AS\s*\(\s*(?:SELECT|WITH)", plain))
    return sorted(set(re.findall(r"\b(?:FROM|(?<!ARRAY )JOIN)\s+([a-z]\w*)", plain)) - own - {"numbers"})


# --- one detector ------------------------------------------------------------------------------------------------------------
def detector(one: Detector, row: Row | None, said: Row, window: str) -> None:
    """What it finds, the sentence it says, what to do, whose it is, and what it has open."""
    policy = session.catalogue().exceptions.get(one.code)
    st.markdown(f"#### {one.header.title} :gray[{one.code}]")
    st.markdown(one.header.definition.strip())
    worth = f", {tiles.money(row['worth'])}" if row and row["worth"] else ""
    tiles.facts(
        [
            (
                "Open now",
                f"**{units.of(row['n'], 'exception')}**{worth}, oldest {units.duration(row['oldest_s'])}" if row else "nothing",
            ),
            (
                f"The last {window}",
                f"{units.count(said['n_raised'])} raised, {units.count(said['n_closed'])} closed; "
                f"{units.count(said['n_past'])} of what is open past the age limit",
            ),
            ("Sentence", f"`{one.header.sentence}`"),
            ("Do", one.header.action),
            (
                "Owner",
                f"{session.team(policy.owner)}, then {session.team(policy.escalate_to)} after {units.duration(policy.sla_s)}"
                if policy
                else "",
            ),
            ("Severity", f"{tiles.severity(policy.severity)}, catalogue key `exceptions.{one.code}`" if policy else ""),
            ("Inputs", inputs(one.sql)),
            ("Source", units.plain(one.header.source)),
        ]
    )


def raised(one: Detector, rows: Sequence[Row]) -> None:
    """What a detector has open, of most value first; choosing one opens it in the inbox."""
    tiles.heading("What it has open, the most valuable first")
    if not rows:
        tiles.empty("Nothing is open.", next_step="It runs every few seconds beside the collectors.")
        return
    state = st.dataframe(
        {
            "Object": [r["object_id"] or "–" for r in rows],
            "Reason": [r["reason"] for r in rows],
            "Place": [sentences.place(r["place"]) for r in rows],
            "Age": [units.duration((frame.now() - r["began_at"]).total_seconds()) for r in rows],
            "Limit": [tiles.status_text("off_target", "past it") if r["is_past_sla"] else "● within" for r in rows],
            "Value": [tiles.money(r["value"]) if r["value"] else units.DASH for r in rows],
            "State": [r["status"] for r in rows],
            "Owner": [session.team(r["owner"]) for r in rows],
        },
        key="detector_open",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=tables.height(len(rows), 300),
        column_config={"Age": tables.right(), "Value": tables.right(), "Reason": tables.text(width=320)},
        alt=f"{len(rows)} exceptions that {one.code} has open",
    )
    st.caption("Choose a row to open it in the inbox.")
    if picked := state["selection"]["rows"]:
        frame.go("exceptions", to=None, exception=rows[picked[0]]["id"])
