"""
The timeline of one object as a Plotly figure: a lane a system, marks, ticks of receipt, gaps and flags.

Why Plotly here: the page stands still, and a timeline wants zoom and hover on every mark. Knows no Streamlit, as `charts`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.charts import INK, INK_DARK, OKABE_ITO, Spec


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


WIDE_PX, TEXT_PX, SIDES = 1000, 6, ("bottom center", "top center")
BESIDE = "middle right"
SYMBOLS = {"ACT": "circle", "PLN": "diamond-open", "EST": "diamond", "void": "x-thin-open"}
KINDS = {"ACT": "happened", "PLN": "planned", "EST": "estimated", "void": "retracted or a copy"}


def swim_lanes(
    marks: Sequence[Mark],
    gaps: Sequence[Gap],
    flags: Sequence[Flag],
    now: datetime,
    *,
    is_dark: bool = False,
    width_px: int = WIDE_PX,
) -> Spec:
    """
    A Plotly figure: a lane a system, a mark an event where it happened, a tick where it was received.

    Times are drawn as they are given: convert them to the viewer's zone before. `width_px` is about how wide it will be drawn,
    so that no state is written over its neighbour.
    """
    lanes = list(dict.fromkeys(m.lane for m in sorted(marks, key=lambda m: m.at)))
    ink = INK_DARK if is_dark else INK
    begin = min((m.at for m in marks), default=now)
    per_px = max(max((m.at for m in marks), default=now) - begin, now - begin, timedelta(minutes=1)) / width_px
    kinds = {kind: sorted((m for m in marks if m.kind == kind), key=lambda m: m.at) for kind in SYMBOLS}
    series = [_marks(kind, found, per_px, ink, is_dark) for kind, found in kinds.items() if found]
    return {
        "data": [_delays(marks), *series, *([_flags(flags, marks, now, ink)] if flags else [])],
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


def _marks(kind: str, marks: Sequence[Mark], per_px: timedelta, ink: str, is_dark: bool) -> Spec:
    happened = OKABE_ITO[4] if is_dark else OKABE_ITO[0]
    texts, sides = _texts(marks, per_px)
    return {
        "type": "scatter",
        "mode": "markers+text" if kind == "ACT" else "markers",
        "name": KINDS[kind],
        "x": [m.at.isoformat() for m in marks],
        "y": [m.lane for m in marks],
        "text": texts,
        "textposition": sides,
        "textfont": {"size": 10, "color": ink},
        "hovertext": [m.hover for m in marks],
        "hoverinfo": "text",
        "cliponaxis": False,
        "marker": {
            "symbol": SYMBOLS[kind],
            "size": 11,
            "color": {"ACT": happened, "PLN": OKABE_ITO[7], "EST": OKABE_ITO[1], "void": OKABE_ITO[5]}[kind],
            "line": {"width": 1.5},
        },
    }


def _texts(marks: Sequence[Mark], per_px: timedelta) -> tuple[list[str], list[str]]:
    """What is written at each mark and on which side: a state where its lane enters it, if there is room; the rest is hover."""
    texts, sides = [], []
    said: dict[str, str] = {}
    free: dict[tuple[str, str], datetime] = {}
    follows = {
        id(a): b.at for lane in {m.lane for m in marks} for a, b in itertools.pairwise(m for m in marks if m.lane == lane)
    }
    for m in marks:
        width, is_new = per_px * (len(m.text) * TEXT_PX), said.get(m.lane) != m.text
        room = [side for side in SIDES if m.at - width / 2 >= free.get((m.lane, side), m.at - width)] if is_new else []
        if is_new and not room and m.at + width < follows.get(id(m), m.at + 2 * width):
            room = [BESIDE]
        texts.append(m.text if room else "")
        sides.append(room[0] if room else SIDES[0])
        if room:
            said[m.lane] = m.text
            free[(m.lane, room[0])] = m.at + width / 2
    return texts, sides


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


def _flags(flags: Sequence[Flag], marks: Sequence[Mark], now: datetime, ink: str) -> Spec:
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
        "textfont": {"size": 11, "color": ink},
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
