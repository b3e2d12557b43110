"""
A trace as a waterfall: a Plotly figure with a bar a span, coloured by service, errors, events and log records marked.

Why one series a service and not one a span: a legend that names services can be read, and a figure of five thousand series cannot
be drawn. An error has a cross and a word beside it, so that colour is never the only sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard import units
from dashboard.charts import OKABE_ITO, Spec
from dashboard.waterfall import Step, length_ns, scale

ROW_PX, MAX_NAME = 24, 44
FAILED = "#b8430b"
SHAPES = ("", "/", ".", "\\", "x", "-", "|", "+")


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
    ink = "#e6eaee" if is_dark else "#1b2127"
    total = length_ns(whole)
    per, unit = scale(total)
    paint = colours([s.row["service"] for s in whole])
    ticks = [_name(s, chosen) for s in steps]
    return {
        "data": [
            *(_bars(name, steps, paint[name], i, per, total) for i, name in enumerate(paint) if any(s.row["service"] == name for s in steps)),
            *_errors(steps, per),
            *_events(steps, whole, per),
            *_logs(steps, whole, logs, per),
        ],
        "layout": {
            "height": 90 + ROW_PX * len(steps),
            "barmode": "overlay",
            "bargap": 0.35,
            "margin": {"l": 8, "r": 8, "t": 40, "b": 8},
            "hovermode": "closest",
            "showlegend": True,
            "legend": {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "font": {"color": ink}},
            "xaxis": {
                "side": "bottom", "title": {"text": f"{unit} since the trace began"}, "range": [-total / per * 0.01, total / per * 1.14 or 1],
                "tickfont": {"color": ink}, "zeroline": False,
            },
            "yaxis": {
                "tickmode": "array", "tickvals": list(range(len(steps))), "ticktext": ticks, "autorange": "reversed",
                "automargin": True, "showgrid": False, "tickfont": {"color": ink, "size": 11}, "ticklabelposition": "outside",
            },
        },
    }  # fmt: skip


def _bars(service: str, steps: Sequence[Step], colour: str, i: int, per: float, total: int) -> Spec:
    mine = [(at, s) for at, s in enumerate(steps) if s.row["service"] == service]
    least = total / per * 0.002
    return {
        "type": "bar",
        "orientation": "h",
        "name": service or "no service",
        "y": [at for at, _ in mine],
        "base": [s.start_ns / per for _, s in mine],
        "x": [max(s.row["duration_ns"] / per, least) for _, s in mine],
        "customdata": [s.row["span"] for _, s in mine],
        "text": [_label(s) for _, s in mine],
        "textposition": "outside",
        "cliponaxis": False,
        "textfont": {"size": 10},
        "hovertext": [hover(s.row) for _, s in mine],
        "hoverinfo": "text",
        "marker": {
            "color": colour,
            "line": {"width": [2 if s.row["is_error"] else 0 for _, s in mine], "color": FAILED},
            "pattern": {"shape": SHAPES[i % len(SHAPES)], "solidity": 0.15},
        },
    }


def _label(step: Step) -> str:
    """What stands beside a bar: how long, the attempt, whether it failed, and the business keys."""
    row = step.row
    parts = [units.duration(row["duration_ns"] / 1e9) if row["duration_ns"] >= 1e9 else short(row["duration_ns"])]
    parts += [f"attempt {row['attempt']}"] if row["attempt"] > 1 else []
    parts += ["✕ failed"] if row["is_error"] else []
    parts += [", ".join(o[1] for o in row["objects"][:2])] if row["objects"] else []
    return escape(" · ".join(parts))


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


def _name(step: Step, chosen: str) -> str:
    indent = "\u00a0\u00a0" * min(step.depth, 12)
    text = ("… " if step.is_orphan else "") + step.row["name"]
    text = escape(
        text if len(text) <= MAX_NAME - 2 * min(step.depth, 12) else text[: MAX_NAME - 2 * min(step.depth, 12) - 1] + "…"
    )
    return f"{indent}<b>▸ {text}</b>" if step.row["span"] == chosen else f"{indent}{text}"


def _errors(steps: Sequence[Step], per: float) -> list[Spec]:
    found = [(i, s) for i, s in enumerate(steps) if s.row["is_error"]]
    x = [(s.start_ns + s.row["duration_ns"]) / per for _, s in found]
    return [_points("failed", x, [i for i, _ in found], [hover(s.row) for _, s in found], "x", FAILED)] if found else []


def _events(steps: Sequence[Step], whole: Sequence[Step], per: float) -> list[Spec]:
    zero = min((s.row["start_ns"] for s in whole), default=0)
    found = [(i, at, name) for i, s in enumerate(steps) for at, name, _ in s.row["happened"]]
    x, y = [(at - zero) / per for _, at, _ in found], [i for i, _, _ in found]
    return (
        [_points("event", x, y, [escape(f"event: {name}") for _, _, name in found], "diamond", OKABE_ITO[7])] if found else []
    )


def _logs(steps: Sequence[Step], whole: Sequence[Step], logs: Sequence[Mapping[str, Any]], per: float) -> list[Spec]:
    zero = min((s.row["start_ns"] for s in whole), default=0)
    rows = {s.row["span"]: i for i, s in enumerate(steps)}
    found = [(rows[r["span"]], r) for r in logs if r["span"] in rows]
    x, y = [(r["at_ns"] - zero) / per for _, r in found], [i for i, _ in found]
    texts = [escape(f"{r['severity']}: {r['body'][:200]}") for _, r in found]
    return [_points("log record", x, y, texts, "triangle-down", OKABE_ITO[6])] if found else []


def _points(name: str, x: Sequence[float], y: Sequence[int], texts: Sequence[str], symbol: str, colour: str) -> Spec:
    return {
        "type": "scatter", "mode": "markers", "name": name, "x": list(x), "y": list(y), "hovertext": list(texts), "hoverinfo": "text",
        "marker": {"symbol": symbol, "size": 8, "color": colour},
    }  # fmt: skip
