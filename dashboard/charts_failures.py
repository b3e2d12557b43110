"""
The course of one interface as Plotly figures: what it does, what it usually does, and when its version changed.

Why the usual is drawn and not only told: a share of failures of 3 % is a catastrophe on one interface and Tuesday on
another, and the eye sees which in the distance between two lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from dashboard.charts import OKABE_ITO, Spec, beside_the_end

Row = Mapping[str, Any]
USUAL = "#7f7f7f"
FAILED = "#b8430b"
HEIGHT = 220
# A day without a year below it, which Plotly would cut; the hours of a day without seconds.
DAY_AND_HOUR = [
    {"dtickrange": [None, 86399999], "value": "%H:%M\n%-d %b"},
    {"dtickrange": [86400000, None], "value": "%-d %b"},
]


def calls(rows: Sequence[Row], marks: Sequence[tuple[datetime, str]], zone: tzinfo, *, is_dark: bool = False) -> Spec:
    """Calls a bucket, failed ones apart, with the usual number as a line."""
    good = [r["n"] - r["n_errors"] if r["n"] is not None else None for r in rows]
    data = [
        _bars(rows, [r["n_errors"] for r in rows], "failed", FAILED, "x", zone),
        _bars(rows, good, "went through", OKABE_ITO[0], "", zone),
        _usual(rows, "usual_n", zone),
    ]
    layout = _layout(marks, zone, is_dark) | {"barmode": "stack"}
    last = next((r for r in reversed(rows) if r["n"]), None)
    said = [((last["n_errors"] + last["n"]) / 2, "through")] if last else []
    said += [(last["n_errors"] / 2, "✕ failed")] if last and any(r["n_errors"] for r in rows) else []
    said += _last(rows, "usual_n", "usual")
    tops = [x for r in rows for x in (r["n"], r["usual_n"]) if x]
    layout["annotations"] += _at_the_end(said, max(tops, default=1), layout["font"]["color"])
    return {"data": data, "layout": layout}


def line(
    rows: Sequence[Row],
    name: str,
    usual: str,
    marks: Sequence[tuple[datetime, str]],
    zone: tzinfo,
    *,
    per: float = 1.0,
    suffix: str = "",
    is_dark: bool = False,
) -> Spec:
    """One measure a bucket, times `per`; a bucket without a call is a gap. `suffix` is the unit on the axis."""
    rows = [{**r, **{one: r[one] * per for one in (name, usual) if one and r[one] is not None}} for r in rows]
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "now",
            "x": _times(rows, zone),
            "y": [r[name] for r in rows],
            "line": {"color": OKABE_ITO[5] if name == "error_share" else OKABE_ITO[4 if is_dark else 0], "width": 2},
            "marker": {"size": 4},
            "connectgaps": False,
        }
    ]
    if usual:
        data.append(_usual(rows, usual, zone))
    layout = _layout(marks, zone, is_dark)
    layout["yaxis"] |= {"ticksuffix": suffix}
    said = [*_last(rows, name, "now"), *(_last(rows, usual, "usual") if usual else [])]
    tops = [r[one] for r in rows for one in (name, usual) if one and r[one]]
    layout["annotations"] += _at_the_end(said, max(tops, default=1), layout["font"]["color"])
    return {"data": data, "layout": layout}


def filled(rows: Sequence[Row], since: datetime, until: datetime, bucket_s: int) -> list[dict[str, Any]]:
    """The rows with an empty one for each bucket in which nothing was called, so that a gap is drawn as a gap."""
    if not rows:
        return []
    step, names = timedelta(seconds=bucket_s), list(rows[0])
    known = {r["bucket"]: dict(r) for r in rows}
    first = min(known)
    while first - step >= since - step / 2:
        first -= step
    n = max(1, round((until - first).total_seconds() / bucket_s))
    nothing = dict.fromkeys(names)
    return [known.get(first + i * step, nothing | {"bucket": first + i * step}) for i in range(n)]


def _bars(rows: Sequence[Row], y: list[Any], name: str, colour: str, pattern: str, zone: tzinfo) -> Spec:
    marker = {"color": colour, "pattern": {"shape": pattern, "solidity": 0.25, "fillmode": "overlay", "fgcolor": "#ffffff"}}
    return {"type": "bar", "name": name, "x": _times(rows, zone), "y": y, "marker": marker}


def _usual(rows: Sequence[Row], name: str, zone: tzinfo) -> Spec:
    return {
        "type": "scatter", "mode": "lines", "name": "usual", "x": _times(rows, zone), "y": [r[name] for r in rows],
        "line": {"color": USUAL, "dash": "dash", "width": 1.5}, "connectgaps": False,
    }  # fmt: skip


def _times(rows: Sequence[Row], zone: tzinfo) -> list[str]:
    """Plotly draws the wall clock that it is given."""
    return [local(r["bucket"], zone) for r in rows]


def local(at: datetime, zone: tzinfo) -> str:
    """A time as the viewer's wall clock, without a zone."""
    return at.astimezone(zone).replace(tzinfo=None).isoformat()


def _layout(marks: Sequence[tuple[datetime, str]], zone: tzinfo, is_dark: bool) -> Spec:
    ink = "#e6eaee" if is_dark else "#1b2127"
    return {
        "height": HEIGHT,
        "margin": {"l": 8, "r": 62, "t": 22, "b": 36},
        "showlegend": False,
        "hovermode": "x unified",
        "font": {"color": ink},
        "xaxis": {"type": "date", "tickfont": {"color": ink}, "tickformatstops": DAY_AND_HOUR},
        "yaxis": {"rangemode": "tozero", "tickfont": {"color": ink}},
        "shapes": [_mark(local(at, zone)) for at, _ in marks],
        "annotations": [_name(local(at, zone), text, ink) for at, text in marks],
    }


def _last(rows: Sequence[Row], name: str, text: str) -> list[tuple[float, str]]:
    """The last value of a measure with the name that stands beside it."""
    found = next((r[name] for r in reversed(rows) if r[name] is not None), None)
    return [] if found is None else [(found, text)]


def _at_the_end(said: Sequence[tuple[float, str]], top: float, ink: str) -> list[Spec]:
    """Names at the right end of what they name, pushed apart where they would lie on each other."""
    out, lowest = [], float("-inf")
    for value, text in sorted(said):
        y = max(value, lowest)
        lowest = y + top * 0.11
        out.append(beside_the_end(y, text, ink, xshift=4))
    return out


def _mark(at: str) -> Spec:
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
        "line": {"width": 1.5, "dash": "dot", "color": OKABE_ITO[3]},
    }  # fmt: skip


def _name(at: str, text: str, ink: str) -> Spec:
    return {
        "xref": "x", "yref": "paper", "x": at, "y": 1, "yanchor": "bottom", "text": text, "showarrow": False,
        "font": {"size": 10, "color": ink},
    }  # fmt: skip
