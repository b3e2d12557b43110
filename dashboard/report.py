"""
The Scorecard on paper and as a table: one self-contained HTML page for A4, and a CSV file.

Why a file of its own and not the browser's print of the page: a board wants one sheet that looks the same on every machine
and in ten years, without scripts, fonts or links to anywhere. Why the CSV holds unrounded numbers: who downloads it wants
to reckon.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import jinja2

from dashboard import scores, units
from dashboard.charts import AGE_COLOURS, AGES
from dashboard.scores import Composite
from schema.kpi import Point

Row = Mapping[str, Any]
WORDS = {"on_target": "● On target", "watch": "▲ Watch", "off_target": "■ Off target", "no_data": "○ No data"}
WIDTH, HEIGHT = 76, 22
# What stands in a column, and what it is called there: the unit is in the name, for who reckons with it.
COLUMNS = {
    "workflow": "workflow",
    "title": "title",
    "owner": "owner",
    "status": "status",
    "attainment": "attainment_share",
    "n": "n_due",
    "target": "target_share",
    "budget_left": "budget_left_share",
    "attainment_before": "attainment_before_share",
    "n_before": "n_due_before",
    "change": "change_share",
    "n_opened": "exceptions_opened",
    "n_closed": "exceptions_closed",
    "n_open": "exceptions_open",
    "oldest_s": "oldest_open_seconds",
    "value": "value_at_risk",
    "recover_s": "recover_p90_seconds",
    "n_recovered": "recover_n",
}


@dataclass(frozen=True, slots=True)
class Card:
    """All that a scorecard says of one period. `by_day` is attainment by workflow, `incidents` are sentences."""

    period: str
    since: datetime
    until: datetime
    zone: tzinfo
    filters: tuple[str, ...]
    currency: str
    sentence: str
    composites: tuple[Composite, ...]
    workflows: tuple[Row, ...]
    by_day: Mapping[str, Sequence[Point]]
    ageing: tuple[Row, ...]
    incidents: tuple[str, ...]
    incident_rows: tuple[Row, ...] = ()
    first_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)


def html(card: Card) -> str:
    """The page as text; everything that comes from data is escaped."""
    moments = {r["at"] for r in card.ageing}
    n = {r["bucket"]: r["n"] for r in card.ageing if r["at"] == max(moments)}
    return _template().render(
        card=card, words=WORDS, units=units, scores=scores, peak=peak, spark=spark, bars=bars, ages=AGES, colours=AGE_COLOURS,
        is_young=0 < len(moments) < scores.FEW_MOMENTS, last=[(age, n.get(age, 0)) for age in AGES],
    )  # fmt: skip


def table(card: Card) -> str:
    """
    The table of workflows as CSV: full precision, times in UTC, the period in every row; `value_at_risk` is in `currency`,
    shares are of 1, and the unit of everything else stands in its name.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("period", "from", "until", "currency", *COLUMNS.values()))
    head = (card.period, _utc(card.since), _utc(card.until), card.currency)
    for row in card.workflows:
        writer.writerow((*head, *(_cell(_told(row, name)) for name in COLUMNS)))
    return out.getvalue()


def spark(points: Sequence[Point], target: float) -> list[str]:
    """The SVG paths of a sparkline, one a run of days without a gap; the first is the target. Scale: worst to 1."""
    full = [p for p in points if not p.is_partial]
    if not full:
        return []
    start, end = full[0].bucket.timestamp(), full[-1].bucket.timestamp()
    low = min([target, *(p.value for p in full)]) - 0.005
    day_s = 86400

    def at(p: Point) -> tuple[float, float]:
        return WIDTH * (p.bucket.timestamp() - start) / max(end - start, day_s), _y(p.value, low)

    paths = [f"M0 {_y(target, low):.1f}H{WIDTH}"]
    for i, p in enumerate(full):
        is_joined = i > 0 and (p.bucket - full[i - 1].bucket).total_seconds() <= 1.5 * day_s
        x, y = at(p)
        if is_joined:
            paths[-1] += f"L{x:.1f} {y:.1f}"
        else:
            paths.append(f"M{x:.1f} {y:.1f}")
    return paths


def peak(rows: Sequence[Row]) -> int:
    """The most exceptions that were open at one moment: the height of the tallest bar."""
    return max((sum(r["n"] for r in rows if r["at"] == at) for at in {r["at"] for r in rows}), default=0)


def bars(
    rows: Sequence[Row], since: datetime, until: datetime, width: int = 640, height: int = 76
) -> list[tuple[float, float, float, float, str]]:
    """Stacked bars of open exceptions by age as (x, y, width, height, colour) in a box of the given size, placed in time."""
    moments, tallest = sorted({r["at"] for r in rows}), peak(rows)
    if not tallest:
        return []
    step_s = min(((b - a).total_seconds() for a, b in pairwise(moments)), default=86400.0)
    slot = width * step_s / max((until - since).total_seconds(), step_s)
    out = []
    for at in moments:
        base, x = float(height), width * (at - since).total_seconds() / (until - since).total_seconds() - slot
        for row in sorted((r for r in rows if r["at"] == at and r["n"]), key=lambda r: r["position"]):
            tall = height * row["n"] / tallest
            base -= tall
            out.append(
                (
                    round(x + slot * 0.1, 1),
                    round(base, 1),
                    round(slot * 0.8, 1),
                    round(tall, 1),
                    AGE_COLOURS[row["position"] - 1],
                )
            )
    return out


def _y(value: float, low: float) -> float:
    return HEIGHT - 2 - (HEIGHT - 4) * (value - low) / max(1 - low, 0.001)


def _told(row: Row, name: str) -> Any:
    """A time to recover only where something has recovered; money to the cent."""
    if name == "recover_s" and not row["n_closed"]:
        return None
    return round(float(row[name]), 2) if name == "value" else row[name]


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def _template() -> jinja2.Template:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    ).get_template("report.html")
