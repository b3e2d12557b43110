"""
A trace as a waterfall: a Plotly figure with a bar a span, coloured by service, errors, events and log records marked.

Why one series a service and not one a span: a legend that names services can be read, and a figure of five thousand series
cannot be drawn. An error has a cross and a word beside it, so that colour is never the only sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard import units
from dashboard.charts import OKABE_ITO, Spec
from dashboard.waterfall import Step, length_ns, scale

ROW_PX, NAMES_PX, MAX_NAME = 24, 160, 25
FAILED = "#b8430b"
NO_BREAK = "\u00a0"


def colours(services: Sequence[str]) -> dict[str, str]:
    """A colour a service, the same for the same set of services."""
    return {name: OKABE_ITO[i % (len(OKABE_ITO) - 1)] for i, name in enumerate(sorted(set(services)))}


def waterfall(
    steps: Sequence[Step], whole: Sequence[Step], logs: Sequence[Mapping[str, Any]], chosen: str, *, is_dark: bool = False
) -> Spec:
    """
    The figure of one page of a trace. `whole` is all of it, for its scale and colours; `logs` are drawn on their spans.

    A bar's `customdata` is its span id. Rows are numbered, so that two spans of one name stay apart.
    """
    ink, paper = ("#e6eaee", "#12171c") if is_dark else ("#1b2127", "#ffffff")
    per, unit = scale(length_ns(whole))
    paint = colours([s.row["service"] for s in whole])
    zero = min((s.row["start_ns"] for s in whole), default=0)
    first, last = _extent(steps, per)
    return {
        "data": [
            *(_bars(name, mine, paint[name], per, last - first, ink) for name in paint if (mine := _of(steps, name))),
            *_errors(steps, per, paper),
            *_events(steps, zero, per, (paper, ink)),
            *_logs(steps, zero, logs, per, (ink, paper)),
        ],
        "layout": {
            "height": 90 + ROW_PX * len(steps),
            "barmode": "overlay",
            "margin": {"l": NAMES_PX, "r": 8, "t": 40, "b": 40},
            "hovermode": "closest",
            "showlegend": True,
            "legend": {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "font": {"color": ink}},
            "xaxis": {
                "title": {"text": f"{unit} since the trace began", "font": {"color": ink, "size": 11}},
                "range": [first - (last - first) * 0.01, last + (last - first) * 0.16],
                "tickfont": {"color": ink},
                "zeroline": False,
            },
            "yaxis": {"range": [len(steps) - 0.4, -0.6], "showticklabels": False, "showgrid": False, "zeroline": False},
            "annotations": [_name(i, s, chosen, ink) for i, s in enumerate(steps)],
        },
    }


def _of(steps: Sequence[Step], service: str) -> list[tuple[int, Step]]:
    return [(i, s) for i, s in enumerate(steps) if s.row["service"] == service]


def _extent(steps: Sequence[Step], per: float) -> tuple[float, float]:
    """From the first begin to the last end of what is shown, so that one page of a long trace fills the width."""
    first = min((s.start_ns for s in steps), default=0) / per
    last = max((s.start_ns + s.row["duration_ns"] for s in steps), default=0) / per
    return first, last if last > first else first + 1


def _bars(service: str, mine: Sequence[tuple[int, Step]], colour: str, per: float, shown: float, ink: str) -> Spec:
    least = shown * 0.002
    return {
        "type": "bar",
        "orientation": "h",
        "name": service or "no service",
        "y": [at for at, _ in mine],
        "base": [s.start_ns / per for _, s in mine],
        "x": [max(s.row["duration_ns"] / per, least) for _, s in mine],
        "customdata": [s.row["span"] for _, s in mine],
        "width": 0.62,
        "text": [_label(s) for _, s in mine],
        "textposition": "outside",
        "constraintext": "none",
        "cliponaxis": False,
        "textfont": {"size": 11, "color": ink},
        "hovertext": [hover(s.row) for _, s in mine],
        "hoverinfo": "text",
        "marker": {
            "color": colour,
            "line": {"width": [2 if s.row["is_error"] else 0 for _, s in mine], "color": FAILED},
        },
    }


def _label(step: Step) -> str:
    """What stands beside a bar: how long, the attempt, whether it failed, and the business keys."""
    row = step.row
    parts = [units.duration(row["duration_ns"] / 1e9) if row["duration_ns"] >= 1e9 else short(row["duration_ns"])]
    parts += [f"attempt {row['attempt']}"] if row["attempt"] > 1 else []
    parts += ["✕ failed"] if row["is_error"] else []
    parts += [", ".join(o[1] for o in row["objects"][:2])] if row["objects"] else []
    return NO_BREAK * (3 if row["is_error"] else 1) + escape(" · ".join(parts))  # room for the cross at the end of the bar


def short(ns: int) -> str:
    """A duration below a minute in its own unit: `12 µs`, `164 ms`, `1.5 s`."""
    per, unit = (1e3, "µs") if ns < 1e6 else (1e6, "ms") if ns < 1e9 else (1e9, "s")
    return f"{units.count(ns / per)} {unit}"


def hover(row: Mapping[str, Any]) -> str:
    """A span on hover: name, service, kind, duration, message, keys. Foreign text is escaped, for Plotly reads tags."""
    lines = [row["name"], f"{row['service']} · {row['kind']}", short(row["duration_ns"])]
    lines += [f"✕ {row['message'] or 'failed'}"] if row["is_error"] else []
    lines += [f"{o[0]} {o[1]}" for o in row["objects"][:5]]
    return "<br>".join(escape(line) for line in lines)


def escape(text: str) -> str:
    """Text that Plotly shows and does not read as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _name(i: int, step: Step, chosen: str, ink: str) -> Spec:
    """The name of a span at the left, indented by its depth; a span whose parent is not here begins with an ellipsis."""
    depth = min(step.depth, 10)
    text, most = ("… " if step.is_orphan else "") + step.row["name"], MAX_NAME - depth
    text = escape(text if len(text) <= most else text[: most - 1] + "…")
    return {
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "xshift": 8 * depth - NAMES_PX + 4,
        "yref": "y",
        "y": i,
        "yanchor": "middle",
        "text": f"<b>{text}</b>" if step.row["span"] == chosen else text,
        "showarrow": False,
        "align": "left",
        "font": {"size": 11, "color": ink},
    }


def _errors(steps: Sequence[Step], per: float, edge: str) -> list[Spec]:
    found = [(i, s) for i, s in enumerate(steps) if s.row["is_error"]]
    x = [(s.start_ns + s.row["duration_ns"]) / per for _, s in found]
    return [_points("failed", x, [i for i, _ in found], [hover(s.row) for _, s in found], "x", (FAILED, edge))] if found else []


def _events(steps: Sequence[Step], zero: int, per: float, paint: tuple[str, str]) -> list[Spec]:
    found = [(i, at, name) for i, s in enumerate(steps) for at, name, _ in s.row["happened"]]
    x, y = [(at - zero) / per for _, at, _ in found], [i for i, _, _ in found]
    return [_points("event", x, y, [escape(f"event: {name}") for _, _, name in found], "diamond", paint)] if found else []


def _logs(
    steps: Sequence[Step], zero: int, logs: Sequence[Mapping[str, Any]], per: float, paint: tuple[str, str]
) -> list[Spec]:
    rows = {s.row["span"]: i for i, s in enumerate(steps)}
    found = [(rows[r["span"]], r) for r in logs if r["span"] in rows]
    x, y = [(r["at_ns"] - zero) / per for _, r in found], [i for i, _ in found]
    texts = [escape(f"{r['severity']}: {r['body'][:200]}") for _, r in found]
    return [_points("log record", x, y, texts, "triangle-down", paint)] if found else []


def _points(name: str, x: Sequence[float], y: Sequence[int], texts: Sequence[str], symbol: str, paint: tuple[str, str]) -> Spec:
    """Marks of one kind; `paint` is fill and edge, so that they stand out on a bar of any colour."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": list(x),
        "y": list(y),
        "hovertext": list(texts),
        "hoverinfo": "text",
        "marker": {"symbol": symbol, "size": 10, "color": paint[0], "line": {"width": 1.5, "color": paint[1]}},
    }
