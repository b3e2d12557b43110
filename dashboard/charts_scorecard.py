"""
The charts of the Scorecard, as Plotly figures: attainment by week against target, open exceptions by age.

Why a panel a workflow and not five lines in one: four of five workflows lie at 100 % on top of each other, and each has a
target of its own; apart, each has its name where it is drawn, and no legend is needed.

Why not in `charts`: these stand still and may be Plotly; why dictionaries: a figure from plain lists costs a tenth of one from
graph objects, and a test reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

from dashboard import units
from dashboard.charts import AGE_COLOURS, AGES, OKABE_ITO, Spec, beside_the_end
from dashboard.charts_failures import local
from dashboard.charts_traces import escape
from schema.kpi import Point

HEIGHT = 360
PATTERNS = ("", "/", "x", "")


def attainment(
    courses: Mapping[str, Sequence[Point]],
    titles: Mapping[str, str],
    targets: Mapping[str, float],
    since: datetime,
    until: datetime,
    zone: tzinfo,
    *,
    is_dark: bool = False,
) -> Spec:
    """A small panel a workflow, all on one scale: its course by week, its own target dotted; the period looked at is shaded."""
    ink, colour = _ink(is_dark), OKABE_ITO[4 if is_dark else 0]
    drawn = [p.value for name in titles for p in courses.get(name, ()) if not p.is_partial]
    lowest = max(0.0, min([*drawn, *(targets[name] for name in titles)], default=0.9) - 0.005)
    n = max(1, len(titles))
    layout = _layout(ink) | {
        "showlegend": False,
        "shapes": [_shade(local(since, zone), local(until, zone))],
        "annotations": [],
        "xaxis": {"type": "date", "tickformat": "%-d %b", "tickfont": {"color": ink}, "anchor": "free", "position": 0},
    }
    data = []
    for i, name in enumerate(titles):
        axis = "y" if i == 0 else f"y{i + 1}"
        full = [p for p in courses.get(name, ()) if not p.is_partial]
        data.append(_line(titles[name], full, zone, colour, axis))
        top = 1 - i / n
        layout[axis.replace("y", "yaxis")] = {
            "domain": [top - 0.86 / n, top - 0.4 / n], "range": [lowest, 1.0 + (1 - lowest) * 0.06], "tickvals": [lowest, 1.0],
            "ticktext": [f"{lowest * 100:.3g} %", "100 %"], "tickfont": {"color": ink, "size": 9}, "zeroline": False,
            "anchor": "x",
        }  # fmt: skip
        layout["shapes"].append(_level(targets[name], axis))
        layout["annotations"].append(_name_text(titles[name], full, targets[name], top, ink))
    return {"data": data, "layout": layout}


def ages_now(rows: Sequence[Mapping[str, Any]], *, is_dark: bool = False) -> Spec:
    """Open exceptions by age at the last moment: a bar an age with its number, where there is no course yet."""
    ink, last = _ink(is_dark), max(r["at"] for r in rows)
    n = {r["bucket"]: r["n"] for r in rows if r["at"] == last}
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "y": list(AGES),
                "x": [n.get(age, 0) for age in AGES],
                "text": [f"{n.get(age, 0):,}" for age in AGES],
                "textposition": "outside",
                "textfont": {"color": ink},
                "cliponaxis": False,
                "hoverinfo": "skip",
                "marker": _fill(AGE_COLOURS, PATTERNS),
            }
        ],
        "layout": _layout(ink)
        | {
            "height": HEIGHT - 80,
            "showlegend": False,
            "margin": {"l": 8, "r": 48, "t": 8, "b": 8},
            "xaxis": {"visible": False, "rangemode": "tozero"},
            "yaxis": {"autorange": "reversed", "tickfont": {"color": ink}, "ticksuffix": "  "},
        },
    }


def ageing(rows: Sequence[Mapping[str, Any]], since: datetime, zone: tzinfo, *, is_dark: bool = False) -> Spec:
    """
    Open exceptions at the end of each step, stacked by age, the oldest on top, each age named at the last bar; a step at which
    nobody had looked yet is left empty.
    """
    ink = _ink(is_dark)
    moments = sorted({r["at"] for r in rows})
    step_s = min(((b - a).total_seconds() for a, b in pairwise(moments)), default=86400.0)
    end = moments[-1] + timedelta(seconds=step_s / 2) if moments else since
    return {
        "data": [
            {
                "type": "bar",
                "name": bucket,
                "x": [local(r["at"], zone) for r in rows if r["bucket"] == bucket],
                "width": 0.8 * 1000 * step_s,
                "y": [r["n"] for r in rows if r["bucket"] == bucket],
                "marker": _fill(colour, shape),
                "hovertemplate": "%{y} " + bucket + "<extra></extra>",
            }
            for bucket, colour, shape in zip(AGES, AGE_COLOURS, PATTERNS, strict=True)
        ],
        "layout": _layout(ink)
        | {
            "barmode": "stack",
            "showlegend": False,
            "margin": {"l": 8, "r": 110, "t": 8, "b": 28},
            "annotations": _age_names(rows, ink),
            "xaxis": {
                "type": "date",
                "tickformat": "%-d %b",
                "range": [local(since, zone), local(end, zone)],
                "tickfont": {"color": ink},
            },
            "yaxis": {"rangemode": "tozero", "tickfont": {"color": ink}},
        },
    }


def _age_names(rows: Sequence[Mapping[str, Any]], ink: str) -> list[Spec]:
    """The ages beside the last bar, each at the height of its part, pushed apart where parts are thin."""
    last = max((r["at"] for r in rows), default=None)
    found = [r for age in AGES for r in rows if r["at"] == last and r["bucket"] == age and r["n"]]
    tallest = max((sum(r["n"] for r in rows if r["at"] == at) for at in {r["at"] for r in rows}), default=0)
    out, below, lowest = [], 0, 0.0
    for r in found:
        name = escape(f"{r['bucket']}: {r['n']:,}")
        y = max(below + r["n"] / 2, lowest)
        below, lowest = below + r["n"], y + tallest * 0.07
        out.append(beside_the_end(y, name, ink, xshift=6))
    return out


def _line(title: str, full: Sequence[Point], zone: tzinfo, colour: str, axis: str) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": title,
        "yaxis": axis,
        "x": [local(p.bucket, zone) for p in full],
        "y": [p.value for p in full],
        "customdata": [p.n for p in full],
        "hovertemplate": title + ": %{y:.2%}, n %{customdata}<extra></extra>",
        "line": {"color": colour, "width": 2},
        "marker": {"size": 5},
    }


def _name_text(title: str, full: Sequence[Point], target: float, top: float, ink: str) -> Spec:
    """What a panel shows, at its head: the workflow, its last week, its target."""
    last = f"last week {units.ratio(full[-1].value)}, " if full else "nothing was due, "
    return {
        "xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": top, "yanchor": "top", "showarrow": False,
        "text": f"<b>{escape(title)}</b>  {last}target {units.ratio(target)}", "font": {"size": 11, "color": ink},
    }  # fmt: skip


def _fill(colour: Any, pattern: Any) -> Spec:
    return {
        "color": colour,
        "pattern": {"shape": pattern, "solidity": 0.2, "fillmode": "overlay", "fgcolor": "#ffffff"},
    }


def _layout(ink: str) -> Spec:
    return {
        "height": HEIGHT,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 28},
        "hovermode": "x unified",
        "font": {"color": ink},
    }


def _level(x: float, axis: str) -> Spec:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": axis, "y0": x, "y1": x,
        "line": {"dash": "dot", "width": 1.5, "color": OKABE_ITO[5]},
    }  # fmt: skip


def _shade(since: str, until: str) -> Spec:
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": since, "x1": until, "y0": 0, "y1": 1,
        "fillcolor": OKABE_ITO[4], "opacity": 0.08, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _ink(is_dark: bool) -> str:
    return "#e6eaee" if is_dark else "#1b2127"
