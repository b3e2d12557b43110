"""
The course of one KPI against its target, as a Plotly figure: gaps are gaps, the still-filling bucket is hollow.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta, tzinfo
from typing import Any

from dashboard import units
from dashboard.charts import OKABE_ITO, Spec
from dashboard.charts_failures import DAY_AND_HOUR, local
from schema.kpi import Point


def trend(
    points: Sequence[Point], target: float, unit: str, bucket_s: int, zone: tzinfo, currency: str, *, is_dark: bool = False
) -> Spec:
    """A line with a dotted target, the unit on its axis. Seconds are drawn in the unit that people use for such values."""
    ink = "#e6eaee" if is_dark else "#1b2127"
    per, name = _unit(unit, max([target, *(abs(p.value) for p in points)]), currency)
    x: list[str | None] = []
    y: list[float | None] = []
    texts: list[str] = []
    for before, p in zip([None, *points], points, strict=False):
        if before and p.bucket - before.bucket > 1.5 * timedelta(seconds=bucket_s):
            x, y, texts = [*x, None], [*y, None], [*texts, ""]
        x.append(local(p.bucket, zone))
        y.append(p.value / per)
        texts.append(f"{units.value(p.value, unit, currency)}, n {units.count(p.n)}{', still filling' if p.is_partial else ''}")
    hollow = [p.is_partial for p in points]
    axis: dict[str, Any] = {"rangemode": "tozero", "tickfont": {"color": ink}, "ticksuffix": f" {name}"}
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": x,
                "y": y,
                "hovertext": texts,
                "hoverinfo": "text+x",
                "connectgaps": False,
                "line": {"color": OKABE_ITO[4 if is_dark else 0], "width": 2},
                "marker": {"size": 6, "symbol": ["circle-open" if h else "circle" for h in _spread(hollow, y)]},
            }
        ],
        "layout": {
            "height": 260,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 36},
            "showlegend": False,
            "xaxis": {"type": "date", "tickfont": {"color": ink}, "tickformatstops": DAY_AND_HOUR},
            "yaxis": axis,
            "shapes": [_level(target / per)],
            "annotations": [_level_text(target / per, f"target {units.value(target, unit, currency)}", ink)],
        },
    }


def _spread(flags: Sequence[bool], y: Sequence[float | None]) -> list[bool]:
    """The flags, with one for each gap put between."""
    left = iter(flags)
    return [False if value is None else next(left) for value in y]


def _unit(unit: str, largest: float, currency: str) -> tuple[float, str]:
    if unit != "seconds":
        return 0.01 if unit == "ratio" else 1.0, {"ratio": "%", "count": "", "currency": currency, "per_hour": "/ h"}[unit]
    for per, name in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if largest >= 2 * per:
            return per, name
    return 1.0, "s"


def _level(y: float) -> Spec:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": y, "y1": y,
        "line": {"dash": "dot", "width": 1.5, "color": OKABE_ITO[7]},
    }  # fmt: skip


def _level_text(y: float, text: str, ink: str) -> Spec:
    return {
        "xref": "paper", "x": 1, "xanchor": "right", "yref": "y", "y": y, "yanchor": "bottom", "text": text, "showarrow": False,
        "font": {"size": 10, "color": ink},
    }  # fmt: skip
