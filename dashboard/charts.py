"""
Data in, a figure out: ECharts options as dictionaries for what refreshes by itself, Plotly figures for what does not.

Why no Streamlit here: a chart is then a function that a test reads and a report can print. Why two libraries: Plotly rebuilds
itself at every change of data, which flickers in a live part; ECharts does not, and Plotly carries the timelines of pages
that stand still. Every colour is from the Okabe-Ito set or one hue; a cell carries its number, so colour is never alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Spec = dict[str, Any]
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8a7a00", "#7f7f7f")
# One hue each, from next to nothing to the vermilion of "off target"; the last two steps carry white text.
HEAT_LIGHT = ("#f4f6f8", "#fbe3d3", "#f3bd99", "#df8453", "#b8430b")
HEAT_DARK = ("#1f272e", "#4a2a1a", "#7a3c1c", "#b05524", "#ee7a45")
AGES = ("< 4 h", "4 – 24 h", "1 – 3 d", "> 3 d")
AGE_COLOURS = ("#9ecae1", "#56B4E9", "#E69F00", "#b8430b")
MAX_NAME = 18


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a heat map: `heat` 0 to 1 colours it, `label` is written in it, `key` is what a click opens."""

    x: str
    y: str
    heat: float
    label: str
    key: str


def heatmap(cells: Sequence[Cell], *, is_dark: bool = False) -> Spec:
    """A matrix whose cells can be clicked; a pair without data stays empty, it is not zero."""
    xs, ys = sorted({c.x for c in cells}), sorted({c.y for c in cells}, reverse=True)
    ramp = HEAT_DARK if is_dark else HEAT_LIGHT
    return {
        "animation": False,
        "grid": {"left": 4, "right": 4, "top": 26, "bottom": 4, "containLabel": True},
        "xAxis": _names(xs, position="top"),
        "yAxis": _names(ys),
        "visualMap": {"show": False, "min": 0, "max": 1, "dimension": 2, "inRange": {"color": list(ramp)}},
        "tooltip": {"formatter": "{b}"},
        "series": [
            {
                "type": "heatmap",
                "selectedMode": "single",
                "select": {"itemStyle": {"borderColor": OKABE_ITO[0], "borderWidth": 2}},
                "itemStyle": {"borderColor": "#12171c" if is_dark else "#ffffff", "borderWidth": 2},
                "emphasis": {"itemStyle": {"borderColor": OKABE_ITO[0]}},
                "label": {"show": True, "fontSize": 11, "lineHeight": 14},
                "data": [_cell(c, xs, ys, is_dark) for c in cells],
            }
        ],
    }


def worst_rows(cells: Sequence[Cell], most: int) -> list[Cell]:
    """The cells of the hottest few rows, where there is room for no more."""
    hottest = sorted({c.y for c in cells}, key=lambda y: -max(c.heat for c in cells if c.y == y))[:most]
    return [c for c in cells if c.y in hottest]


def _cell(cell: Cell, xs: list[str], ys: list[str], is_dark: bool) -> Spec:
    text = "#ffffff" if cell.heat > 0.6 or is_dark else "#1b2127"
    return {
        "name": f"{cell.y} · {cell.x}: {cell.label}".replace("\n", ", "),
        "value": [xs.index(cell.x), ys.index(cell.y), round(cell.heat, 4)],
        "label": {"formatter": cell.label, "color": "#12171c" if is_dark and cell.heat > 0.85 else text},
    }


def _names(names: Sequence[str], **more: str) -> Spec:
    return {
        "type": "category",
        "data": list(names),
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "splitLine": {"show": False},
        "axisLabel": {"interval": 0, "width": 110, "overflow": "truncate"},
    } | more


def split_stages(rows: Sequence[Mapping[str, Any]], stages: Sequence[str], *, most: int = 7) -> Spec:
    """Objects in each stage, one bar a stage, split by a cut; what is beyond the largest few is `other`."""
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["series"]] = totals.get(row["series"], 0) + row["n"]
    largest = sorted(totals, key=lambda s: -totals[s])[:most]
    named = [*largest, *(["other"] if len(totals) > most else [])]
    counts = {name: dict.fromkeys(stages, 0) for name in named}
    for row in rows:
        counts[row["series"] if row["series"] in largest else "other"][row["stage"]] += row["n"]
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 34, "bottom": 4, "containLabel": True},
        "legend": {"top": 0, "left": 0, "type": "scroll", "itemWidth": 12, "itemHeight": 10},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "xAxis": {"type": "value", "min": 0, "minInterval": 1},
        "yAxis": _names(list(reversed(stages))),
        "series": [
            {
                "type": "bar",
                "stack": "all",
                "name": name or "not known",
                "data": [counts[name][stage] for stage in reversed(stages)],
                "itemStyle": {"color": OKABE_ITO[i % len(OKABE_ITO)]},
            }
            for i, name in enumerate(named)
        ],
        "aria": {"enabled": True, "decal": {"show": True}},
    }


def ageing(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Spec:
    """Open exceptions by team and age, one bar a team, the team with the oldest first."""
    teams = sorted({r["owner"] for r in rows}, key=lambda t: -max(r["oldest_s"] for r in rows if r["owner"] == t))
    counts = {(r["owner"], r["bucket"]): r["n"] for r in rows}
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 28, "bottom": 4, "containLabel": True},
        "legend": {"top": 0, "left": 0, "itemWidth": 12, "itemHeight": 10},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "xAxis": {"type": "value", "min": 0, "minInterval": 1},
        "yAxis": _names([names.get(t, t) or "nobody" for t in reversed(teams)]),
        "series": [
            {
                "type": "bar",
                "stack": "all",
                "name": bucket,
                "barMaxWidth": 18,
                "data": [counts.get((t, bucket), 0) for t in reversed(teams)],
                "itemStyle": {"color": colour},
            }
            for bucket, colour in zip(AGES, AGE_COLOURS, strict=True)
        ],
    }


# --- the swim lanes of one object ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Mark:
    """One event on a lane: when it happened, when it was received, and what it says. `kind` is ACT, PLN, EST or void."""

    lane: str
    at: datetime
    received_at: datetime
    text: str
    hover: str
    kind: str = "ACT"


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without progress that is longer than is tolerated."""

    start: datetime
    end: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Flag:
    """An exception on the timeline, from when it began."""

    at: datetime
    text: str


SYMBOLS = {"ACT": "circle", "PLN": "diamond-open", "EST": "diamond", "void": "x-thin-open"}
KINDS = {"ACT": "happened", "PLN": "planned", "EST": "estimated", "void": "retracted or a copy"}


def swim_lanes(
    marks: Sequence[Mark], gaps: Sequence[Gap], flags: Sequence[Flag], now: datetime, *, is_dark: bool = False
) -> Spec:
    """
    A Plotly figure: a lane a system, a mark an event where it happened, a tick where it was received.

    Times are drawn as they are given: convert them to the viewer's zone before.
    """
    lanes = list(dict.fromkeys(m.lane for m in sorted(marks, key=lambda m: m.at)))
    ink = "#e6eaee" if is_dark else "#1b2127"
    series = [_marks(kind, [m for m in marks if m.kind == kind]) for kind in SYMBOLS if any(m.kind == kind for m in marks)]
    return {
        "data": [_delays(marks), *series, *([_flags(flags, marks, now)] if flags else [])],
        "layout": {
            "height": 140 + 46 * (len(lanes) + bool(flags)),
            "margin": {"l": 8, "r": 24, "t": 20, "b": 64},
            "showlegend": True,
            "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
            "hovermode": "closest",
            "xaxis": {"type": "date", "showgrid": True, "tickfont": {"color": ink}},
            "yaxis": {
                "type": "category",
                "categoryorder": "array",
                "categoryarray": [*reversed(lanes), *(["exceptions"] if flags else [])],
                "range": [-0.6, len(lanes) + bool(flags) - 0.4],
                "automargin": True,
                "tickfont": {"color": ink},
            },
            "shapes": [*(_gap(g) for g in gaps), _line(now, ink)],
            "annotations": [*(_gap_text(g, ink) for g in gaps), _text(now, "now", ink)],
        },
    }


def _marks(kind: str, marks: Sequence[Mark]) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers+text" if kind == "ACT" else "markers",
        "name": KINDS[kind],
        "x": [m.at.isoformat() for m in marks],
        "y": [m.lane for m in marks],
        "text": [m.text for m in marks],
        "textposition": ["top center" if i % 2 else "bottom center" for i in range(len(marks))],
        "textfont": {"size": 10},
        "hovertext": [m.hover for m in marks],
        "hoverinfo": "text",
        "marker": {
            "symbol": SYMBOLS[kind],
            "size": 11,
            "color": {"ACT": OKABE_ITO[0], "PLN": OKABE_ITO[7], "EST": OKABE_ITO[1], "void": OKABE_ITO[5]}[kind],
            "line": {"width": 1.5},
        },
    }


def _delays(marks: Sequence[Mark]) -> Spec:
    """A thin line from where it happened to a tick where it was received."""
    x: list[str | None] = []
    y: list[str | None] = []
    for m in marks:
        x += [m.at.isoformat(), m.received_at.isoformat(), None]
        y += [m.lane, m.lane, None]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "received",
        "x": x,
        "y": y,
        "hoverinfo": "skip",
        "line": {"width": 1, "color": OKABE_ITO[7], "dash": "dot"},
        "marker": {"symbol": "line-ns-open", "size": 9, "color": OKABE_ITO[7]},
    }


def _flags(flags: Sequence[Flag], marks: Sequence[Mark], now: datetime) -> Spec:
    """Flags with their code beside them, on the side where there is room."""
    middle = min(m.at for m in marks) + (now - min(m.at for m in marks)) / 2 if marks else now
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "exception",
        "x": [f.at.isoformat() for f in flags],
        "y": ["exceptions" for _ in flags],
        "text": [f.text for f in flags],
        "textposition": ["middle left" if f.at > middle else "middle right" for f in flags],
        "textfont": {"size": 11},
        "hoverinfo": "text",
        "marker": {"symbol": "square", "size": 11, "color": "#b8430b"},
        "cliponaxis": False,
    }


def _gap(gap: Gap) -> Spec:
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": gap.start.isoformat(), "x1": gap.end.isoformat(), "y0": 0, "y1": 1,
        "fillcolor": "#E69F00", "opacity": 0.14, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _gap_text(gap: Gap, ink: str) -> Spec:
    middle = gap.start + (gap.end - gap.start) / 2
    return _text(middle, gap.text, ink)


def _line(at: datetime, ink: str) -> Spec:
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": at.isoformat(), "x1": at.isoformat(), "y0": 0, "y1": 1,
        "line": {"width": 1, "dash": "dash", "color": ink},
    }  # fmt: skip


def _text(at: datetime, text: str, ink: str) -> Spec:
    return {
        "xref": "x", "yref": "paper", "x": at.isoformat(), "y": 1, "yanchor": "bottom", "text": text, "showarrow": False,
        "font": {"size": 10, "color": ink},
    }  # fmt: skip
