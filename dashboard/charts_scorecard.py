"""
The two charts of the Scorecard, as Plotly figures: attainment by week against target, open exceptions by age.

Why not in `charts`: these stand still and may be Plotly; why dictionaries: a figure from plain lists costs a tenth of one from
graph objects, and a test reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

from dashboard.charts import AGE_COLOURS, AGES, OKABE_ITO, Spec
from dashboard.charts_failures import local
from schema.kpi import Point

DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
HEIGHT = 300
PATTERNS = ("", "/", "x", "")


def attainment(
    courses: Mapping[str, Sequence[Point]],
    titles: Mapping[str, str],
    targets: Mapping[str, float],
    since: datetime,
    until: datetime,
    *,
    is_dark: bool = False,
) -> Spec:
    """A line a workflow by week, its name at its end, the targets as dotted lines; the period looked at is shaded."""
    ink = _ink(is_dark)
    lines = [_line(i, titles[name], courses.get(name, ())) for i, name in enumerate(titles)]
    drawn = [p for name in titles for p in courses.get(name, ())]
    levels = sorted({targets[name] for name in titles})
    lowest = min([*(p.value for p in drawn), *levels], default=0.9)
    return {
        "data": lines,
        "layout": _layout(ink)
        | {
            "xaxis": {"type": "date", "tickfont": {"color": ink}},
            "yaxis": {"tickformat": ".1%", "range": [max(0.0, lowest - 0.01), 1.002], "tickfont": {"color": ink}},
            "shapes": [*(_level(x) for x in levels), _shade(since, until)],
            "annotations": [_level_text(x, ink) for x in levels],
        },
    }


def ageing(rows: Sequence[Mapping[str, Any]], since: datetime, zone: tzinfo, *, is_dark: bool = False) -> Spec:
    """Open exceptions at the end of each step, stacked by age, the oldest on top; what nobody looked at yet is left empty."""
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
                "marker": {
                    "color": colour,
                    "pattern": {"shape": shape, "solidity": 0.2, "fillmode": "overlay", "fgcolor": "#ffffff"},
                },
                "hovertemplate": "%{y} " + bucket + "<extra></extra>",
            }
            for bucket, colour, shape in zip(AGES, AGE_COLOURS, PATTERNS, strict=True)
        ],
        "layout": _layout(ink)
        | {
            "barmode": "stack",
            "xaxis": {
                "type": "date",
                "tickformat": "%-d %b",
                "range": [local(since, zone), local(end, zone)],
                "tickfont": {"color": ink},
            },
            "yaxis": {"rangemode": "tozero", "tickfont": {"color": ink}},
        },
    }


def _line(i: int, title: str, points: Sequence[Point]) -> Spec:
    full = [p for p in points if not p.is_partial]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": title,
        "x": [p.bucket.isoformat() for p in full],
        "y": [p.value for p in full],
        "customdata": [p.n for p in full],
        "hovertemplate": title + ": %{y:.2%}, n %{customdata}<extra></extra>",
        "line": {"color": OKABE_ITO[i % len(OKABE_ITO)], "dash": DASHES[i % len(DASHES)], "width": 2},
        "marker": {"size": 5},
    }


def _layout(ink: str) -> Spec:
    return {
        "height": HEIGHT,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 24},
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": -0.15, "yanchor": "top", "x": 0, "font": {"color": ink}},
    }


def _level(x: float) -> Spec:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": x, "y1": x,
        "line": {"dash": "dot", "width": 1, "color": OKABE_ITO[7]},
    }  # fmt: skip


def _level_text(x: float, ink: str) -> Spec:
    return {
        "xref": "paper", "x": 0, "xanchor": "left", "yref": "y", "y": x, "yanchor": "bottom", "showarrow": False,
        "text": f"target {x * 100:g} %", "font": {"size": 10, "color": ink},
    }  # fmt: skip


def _shade(since: datetime, until: datetime) -> Spec:
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": since.isoformat(), "x1": until.isoformat(), "y0": 0, "y1": 1,
        "fillcolor": OKABE_ITO[4], "opacity": 0.08, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _ink(is_dark: bool) -> str:
    return "#e6eaee" if is_dark else "#1b2127"
