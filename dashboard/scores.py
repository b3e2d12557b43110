"""
The Scorecard in words: the headline, the composites and their parts, what the period cost. For the page and for the printed
report.

Why sentences are made here and not on the page: the page, the print view and a mail must say the same, and a sentence that
claims "better" must know what it was measured against. Nothing here reads the store or knows Streamlit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard import sentences, units

Row = Mapping[str, Any]
PERIODS = {"week": "7 days", "month": "30 days", "quarter": "90 days"}
COMPOSITES = {
    "synchronisation": (
        "Sync reliability",
        "Share of objects that made their promised transition in time, weighted by workflow.",
    ),
    "exceptions": ("Exception health", "How much of what is open at the end is young enough and in somebody's hands."),
    "recovery": ("Recovery performance", "How much of what went wrong was put right within its age limit."),
}
SMALL = 0.0005


@dataclass(frozen=True, slots=True)
class Composite:
    """One composite with its parts; `score` None is no data, `change` None nothing to compare with."""

    name: str
    title: str
    meaning: str
    score: float | None
    change: float | None
    parts: tuple[Row, ...]


def composites(rows: Sequence[Row]) -> list[Composite]:
    """The three composites, in their order, from the rows of their parts."""
    out = []
    for name, (title, meaning) in COMPOSITES.items():
        mine = tuple(r for r in rows if r["composite"] == name)
        whole, change = (mine[0]["whole"], mine[0]["whole_change"]) if mine else (None, None)
        out.append(Composite(name, title, meaning, whole, change, mine))
    return out


def headline(rows: Sequence[Row], whole: Composite, total: Row, period: str, currency: str) -> str:
    """Can the synchronisation be trusted, is it getting better, and what is open: one sentence, or what is missing for one."""
    if all(r["status"] == "no_data" for r in rows):
        return f"Not known yet: no workflow was due in the last {PERIODS[period]}."
    return f"{_verdict(rows)}; {_direction(whole.change, period)}. {_open(total, currency)}"


def _verdict(rows: Sequence[Row]) -> str:
    bad, watch, none = ([r["title"] for r in rows if r["status"] == s] for s in ("off_target", "watch", "no_data"))
    unknown = f" ({_listed(none)}: no data)" if none else ""
    if bad:
        return f"No: {_listed(bad)} {'is' if len(bad) == 1 else 'are'} off target{unknown}"
    if watch:
        return f"Mostly: {_listed(watch)} {'misses' if len(watch) == 1 else 'miss'} the target by little{unknown}"
    n = len(rows) - len(none)
    return f"Yes: {'the one measured workflow is' if n == 1 else f'all {n} measured workflows are'} on target{unknown}"


def _direction(change: float | None, period: str) -> str:
    if change is None:
        return "there is no period before to compare with"
    if abs(change) < SMALL:
        return f"as reliable as in the {PERIODS[period]} before"
    return f"{points(abs(change)).lstrip('+')} {'better' if change > 0 else 'worse'} than in the {PERIODS[period]} before"


def _open(total: Row, currency: str) -> str:
    if not total["n"]:
        return "No exception is open."
    verb = "is" if total["n"] == 1 else "are"
    worth = f", {units.money(total['worth'], currency)} at risk" if total["worth"] else ""
    return f"{units.of(total['n'], 'exception')} {verb} open{worth}, the oldest for {units.duration(total['oldest_s'])}."


def incident(row: Row, *, currency: str, team: Callable[[str], str], when: Callable[[datetime], str]) -> str:
    """What one incident of the period was, where, what it cost, from when to when, and whose it is."""
    where = sentences.place(row["place"])
    text = f"{row['title'] or row['code']}{f' ({where})' if where else ''}: {units.of(row['n'], 'exception')}"
    text += f", {units.money(row['value'], currency)}" if row["value"] else ""
    if row["n_open"]:
        still = "" if row["n_open"] == row["n"] else f"{units.count(row['n_open'])} "
        text += f", since {when(row['began_at'])}, {still}still open after {units.duration(row['lasted_s'])}"
    else:
        text += f", from {when(row['began_at'])}, over after {units.duration(row['lasted_s'])}"
    return f"{text}. Owner: {team(row['owner']) or 'nobody'}."


def part_text(row: Row) -> str:
    """What stands behind a part's score, in a few words: over how many, the p90, the change to the period before."""
    if not row["n"]:
        return "no data, left out"
    said = [f"n {units.count(row['n'])}"]
    said += [f"p90 {units.duration(row['typical_s'])}"] if row["typical_s"] is not None else []
    said += [points(row["change"])] if row["change"] is not None else []
    return ", ".join(said)


def points(change: float | None) -> str:
    """A change of a share in percentage points: `+0.3 points`; empty where there is nothing to compare."""
    if change is None:
        return ""
    text = f"{change * 100:+.1f}" if abs(change) < 0.1 else f"{change * 100:+.0f}"
    return "0 points" if float(text) == 0 else f"{text} points"


def budget(left: float | None) -> str:
    """The error budget left: `65 % left`, `overdrawn 2.4 x`."""
    if left is None:
        return units.NO_DATA
    return f"{units.ratio(left)} left" if left >= 0 else f"overdrawn {units.count(1 - left)} x"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
