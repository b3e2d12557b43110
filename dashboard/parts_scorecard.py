"""
The parts of the Scorecard page: composites with what they are made of, the table of workflows, two charts, what the period
cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import streamlit as st

from dashboard import charts_scorecard, frame, queries_scorecard, report, scores, session, tiles, units
from dashboard.scores import Composite
from schema.kpi import Point

Row = Mapping[str, Any]
Courses = Mapping[str, Sequence[Point]]
PLAIN_CHART = {"displayModeBar": False}


def period() -> str:
    """Week, month or quarter; it lives in the URL, which holds what the control shows."""
    chosen = st.segmented_control(
        "Period",
        list(scores.PERIODS),
        default="month",
        key="period",
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
    return chosen or "month"


def composite(one: Composite, period: str) -> None:
    """A composite: its score, the change to the period before, and each part with its weight."""
    with st.container(border=True, gap="xsmall", height="stretch"):
        st.metric(
            one.title, units.ratio(one.score), delta=scores.points(one.change) or None, help=one.meaning,
            delta_color="off" if not one.change else "normal", delta_arrow="off" if not one.change else "auto",
            delta_description=f"on the {scores.PERIODS[period]} before" if one.change is not None else None,
        )  # fmt: skip
        if one.score is not None and one.change is None:
            st.caption("No comparable period before.")
        st.markdown(_parts(one))


def _parts(one: Composite) -> str:
    """The parts as a small table."""
    lines = ["| Part | Score | Weight |", "|---|--:|--:|"]
    lines += [
        f"| {units.title(p['title'])} :gray[({scores.part_text(p)})] "
        f"| {_tight(units.ratio(p['score']))} | {_tight(units.ratio(p['weight']))} |"
        for p in one.parts
    ]
    return "\n".join(lines)


def _tight(text: str) -> str:
    """A number and its unit on one line."""
    return text.replace(" ", "\u00a0")


def workflows(rows: Sequence[Row], courses: Courses) -> None:
    """A row a workflow, the worst first."""
    st.dataframe(
        {
            "Workflow": [r["title"] for r in rows],
            "Status": [tiles.status_text(r["status"]) for r in rows],
            "Attained": [units.ratio(r["attainment"]) for r in rows],
            "Target": [units.ratio(r["target"]) for r in rows],
            "Budget": [scores.budget(r["budget_left"]) for r in rows],
            "Change": [scores.points(r["change"]) or units.NO_DATA for r in rows],
            "90 days": [[p.value for p in courses.get(r["workflow"], ()) if not p.is_partial] for r in rows],
            "Opened": [r["n_opened"] for r in rows],
            "Closed": [r["n_closed"] for r in rows],
            "Open": [r["n_open"] for r in rows],
            "Oldest": [units.duration(r["oldest_s"]) if r["n_open"] else units.DASH for r in rows],
            "At risk": [tiles.money(r["value"]) if r["value"] else units.DASH for r in rows],
            "To recover": [units.duration(r["recover_s"]) for r in rows],
            "Owner": [session.team(r["owner"]) for r in rows],
        },
        key="workflow_table",
        hide_index=True,
        height="content",
        column_config={
            "Workflow": st.column_config.TextColumn(pinned=True),
            "Attained": st.column_config.TextColumn(help="Objects that made the promised transition in time, of those due"),
            "Budget": st.column_config.TextColumn(help="Misses that the target still allows in this period"),
            "Change": st.column_config.TextColumn(help="Against the period before, in percentage points"),
            "90 days": st.column_config.LineChartColumn(help="Attainment by day; days on which nothing was due are left out"),
            "Opened": st.column_config.NumberColumn(format="localized", help="Exceptions detected in the period"),
            "Closed": st.column_config.NumberColumn(format="localized", help="Exceptions that ended in the period"),
            "Open": st.column_config.NumberColumn(format="localized", help="Exceptions open at its end"),
            "At risk": st.column_config.TextColumn(help="Value of what is open"),
            "To recover": st.column_config.TextColumn(help="p90 from detected to closed, with what is open past its age limit"),
        },
        alt=f"{len(rows)} workflows with attainment, target, budget, exceptions and value at risk",
    )


def trends(rows: Sequence[Row], by_week: Courses, aged: Sequence[Row], days: int) -> None:
    """Attainment by week against target, and open exceptions by age over the period."""
    titles, targets = {r["workflow"]: r["title"] for r in rows}, {r["workflow"]: r["target"] for r in rows}
    left, right = st.columns(2, gap="medium")
    with left:
        tiles.heading(
            "Attainment by week, % of objects in time",
            help="The last 13 weeks, each dated by its first day; this period is shaded.",
        )
        if any(by_week.values()):
            since = frame.now() - timedelta(days=days)
            figure = charts_scorecard.attainment(by_week, titles, targets, since, frame.now(), is_dark=frame.is_dark())
            st.plotly_chart(
                figure, key="attainment", config=PLAIN_CHART, alt="Attainment of each workflow by week against its target"
            )
        else:
            tiles.empty("Nothing was due in the last 13 weeks, so there is nothing to draw.")
    with right:
        tiles.heading("Open exceptions by age, number", help="How many were open at the end of each day (week, for a quarter).")
        if aged:
            figure = charts_scorecard.ageing(aged, frame.now() - timedelta(days=days), frame.zone(), is_dark=frame.is_dark())
            st.plotly_chart(figure, key="ageing_over", config=PLAIN_CHART, alt="Open exceptions by age over the period")
        else:
            tiles.empty(
                "No exception has ever been detected.", next_step="Detectors run every few seconds once events come in."
            )


def cost(rows: Sequence[Row], period: str) -> None:
    """The five incidents of the period that cost most."""
    tiles.heading(f"What the last {scores.PERIODS[period]} cost: the five dearest incidents")
    if not rows:
        tiles.empty("No incident in this period.")
    for row in rows:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"{tiles.severity(row['severity'])} {units.plain(incident_text(row))}")
            if row["n_open"]:
                frame.link_to("exceptions", "Open", incident=row["incident"])


def incident_text(row: Row) -> str:
    """An incident as a sentence, in the viewer's zone."""
    return scores.incident(row, currency=session.currency(), team=session.team, when=frame.when)


def downloads(card: report.Card) -> None:
    """The scorecard on paper and as a table, by one click each."""
    name = f"milepost-scorecard-{card.period}-{card.until:%Y-%m-%d}"
    st.download_button(
        "Print view",
        lambda: report.html(card),
        f"{name}.html",
        "text/html",
        key="print",
        on_click="ignore",
        icon=":material/print:",
        help="One self-contained HTML page for A4: open it and print",
    )
    st.download_button(
        "CSV", lambda: report.table(card), f"{name}.csv", "text/csv", key="csv", on_click="ignore", icon=":material/table:",
        help="The table of workflows, unrounded",
    )  # fmt: skip


def card(period: str) -> report.Card:
    """All that the scorecard says of a period, read once."""
    view, days = frame.view(), queries_scorecard.PERIODS[period]
    rows = queries_scorecard.workflows(view.as_of, view.scope, days)
    composites = scores.composites(queries_scorecard.parts(view.as_of, view.scope, days))
    total = queries_scorecard.open_total(view.as_of, view.scope)
    dear = queries_scorecard.incidents(view.as_of, view.scope, days)
    return report.Card(
        period=period,
        since=frame.now() - timedelta(days=days),
        until=frame.now(),
        zone=frame.zone(),
        filters=tuple(text for _, text in view.chips()),
        currency=session.currency(),
        sentence=scores.headline(rows, composites[0], total, period, session.currency()),
        composites=tuple(composites),
        workflows=tuple({**r, "owner_title": session.team(r["owner"])} for r in rows),
        by_day=queries_scorecard.attainment(view.as_of, view.scope, queries_scorecard.DAY_S),
        ageing=tuple(queries_scorecard.ageing(view.as_of, view.scope, days)),
        incidents=tuple(incident_text(r) for r in dear),
        incident_rows=tuple(dear),
    )
