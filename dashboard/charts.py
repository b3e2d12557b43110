"""
Data in, a figure out: ECharts options as dictionaries for what refreshes by itself, Plotly figures for what does not.

Why no Streamlit here: a chart is then a function that a test reads and a report can print. Why two libraries: Plotly rebuilds
itself at every change of data, which flickers in a live part; ECharts does not, and Plotly carries the timelines of pages
that stand still. Every colour is from the Okabe-Ito set or one hue; a cell carries its number, so colour is never alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8a7a00", "#7f7f7f")
# One hue each, from next to nothing to the vermilion of "off target"; the last two steps carry white text.
HEAT_LIGHT = ("#f4f6f8", "#fbe3d3", "#f3bd99", "#df8453", "#b8430b")
HEAT_DARK = ("#1f272e", "#4a2a1a", "#7a3c1c", "#b05524", "#ee7a45")
AGES = ("< 4 h", "4 – 24 h", "1 – 3 d", "> 3 d")
# The older the hotter: the hue of the maps, each step apart from its neighbour and from the page.
AGE_COLOURS = ("#e8b08a", "#d07f4a", "#b8430b", "#6b2204")
AGE_COLOURS_DARK = ("#7d6153", "#a8694a", "#d97a45", "#ffb183")
INK, INK_DARK = "#1b2127", "#e6eaee"
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
    ramp, ink = (HEAT_DARK, INK_DARK) if is_dark else (HEAT_LIGHT, INK)
    return {
        "animation": False,
        "grid": {"left": 4, "right": 4, "top": 26, "bottom": 4, "containLabel": True},
        "xAxis": _names(xs, position="top", axisLabel=_label(ink)),
        "yAxis": _names(ys, axisLabel=_label(ink)),
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
    ground = _on_ramp(HEAT_DARK if is_dark else HEAT_LIGHT, cell.heat)
    return {
        "name": f"{cell.y} · {cell.x}: {cell.label}".replace("\n", ", "),
        "value": [xs.index(cell.x), ys.index(cell.y), round(cell.heat, 4)],
        "label": {"formatter": cell.label, "color": _ink_on(ground)},
    }


def _on_ramp(ramp: Sequence[str], heat: float) -> tuple[float, ...]:
    """The colour (red, green, blue, 0 to 255) that a ramp has at `heat`, as ECharts interpolates it."""
    at = min(max(heat, 0.0), 1.0) * (len(ramp) - 1)
    low, high = ramp[int(at)], ramp[min(int(at) + 1, len(ramp) - 1)]
    return tuple(a + (b - a) * (at - int(at)) for a, b in zip(_rgb(low), _rgb(high), strict=True))


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def _ink_on(ground: Sequence[float]) -> str:
    """Black or white, whichever stands out more on a ground (WCAG's relative luminance)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in ground)]
    luminance = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "#ffffff" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "#000000"


def _names(names: Sequence[str], **more: Any) -> Spec:
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


def ageing(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], *, is_dark: bool = False) -> Spec:
    """Open exceptions by team and age, one bar a team with its total, the team with the oldest first; the older the hotter."""
    teams = sorted({r["owner"] for r in rows}, key=lambda t: -max(r["oldest_s"] for r in rows if r["owner"] == t))
    counts = {(r["owner"], r["bucket"]): r["n"] for r in rows}
    shown = list(reversed(teams))
    ink = INK_DARK if is_dark else INK
    bars: list[Spec] = [
        {
            "type": "bar",
            "stack": "all",
            "name": bucket,
            "barWidth": 13,
            "data": [counts.get((t, bucket), 0) for t in shown],
            "itemStyle": {"color": colour},
        }
        for bucket, colour in zip(AGES, AGE_COLOURS_DARK if is_dark else AGE_COLOURS, strict=True)
    ]
    return {
        "animation": False,
        "grid": {"left": 4, "right": 40, "top": 22, "bottom": 2, "containLabel": True},
        "legend": {"top": 0, "left": 0, "itemWidth": 12, "itemHeight": 10, "data": list(AGES), "textStyle": {"color": ink}},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "xAxis": {"type": "value", "min": 0, "minInterval": 1, "show": False},
        "yAxis": _names([names.get(t, t) or "nobody" for t in shown], axisLabel=_label(ink, width=130)),
        "series": [*bars, _totals([sum(counts.get((t, b), 0) for b in AGES) for t in shown], ink)],
    }


def _totals(totals: Sequence[int], ink: str) -> Spec:
    """Nothing to see but the total at the end of each bar."""
    label = {"show": True, "position": "right", "formatter": "{c}", "color": ink, "fontSize": 11}
    return {
        "type": "bar", "name": "all", "barWidth": 13, "barGap": "-100%", "silent": True, "data": list(totals),
        "itemStyle": {"color": "transparent"}, "label": label,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """One stage's backlog: how many now, how many usually (if that is known), and a note that stands beside the bar."""

    name: str
    n: int
    usual: float | None
    note: str


def backlog(bars: Sequence[Bar], *, is_dark: bool = False) -> Spec:
    """A bar a stage, what is usual as a tick on it, the numbers in words at its end."""
    shown, ink = list(reversed(bars)), INK_DARK if is_dark else INK
    label = {"show": True, "position": "right", "color": ink, "fontSize": 11}
    return {
        "animation": False,
        "grid": {"left": 4, "right": 210, "top": 2, "bottom": 2, "containLabel": True},
        "tooltip": {"formatter": "{b}: {c}"},
        "xAxis": {"type": "value", "min": 0, "show": False},
        "yAxis": _names([b.name for b in shown], axisLabel=_label(ink)),
        "series": [
            {
                "type": "bar",
                "name": "now",
                "barWidth": 13,
                "itemStyle": {"color": OKABE_ITO[4] if is_dark else OKABE_ITO[0]},
                "data": [{"value": b.n, "label": label | {"formatter": _said(b)}} for b in shown],
            },
            {
                "type": "scatter",
                "name": "usual",
                "symbol": "rect",
                "symbolSize": [3, 19],
                "itemStyle": {"color": ink},
                "data": [[b.usual, i] for i, b in enumerate(shown) if b.usual is not None],
            },
        ],
    }


def _said(bar: Bar) -> str:
    usual = f"usual {bar.usual:,.0f}" if bar.usual is not None else ""
    return " · ".join(t for t in (f"{bar.n:,}", usual, bar.note) if t)


def _label(ink: str, *, width: int = 110) -> Spec:
    return {"interval": 0, "width": width, "overflow": "truncate", "color": ink}


def beside_the_end(y: float, text: str, ink: str, *, xshift: int) -> Spec:
    """A name at the right end of what it names, as Plotly's annotation: outside the plot, at the height of the value `y`."""
    return {
        "xref": "paper", "x": 1, "xanchor": "left", "xshift": xshift, "yref": "y", "y": y, "yanchor": "middle", "text": text,
        "showarrow": False, "font": {"size": 11, "color": ink},
    }  # fmt: skip
