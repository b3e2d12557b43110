"""
The Scorecard in words: the headline, the composites and their parts, what the period cost. For the page and for the printed
report.

Why sentences are made here and not on the page: the page, the print view and a mail must say the same, and a sentence that
claims "better" must know what it was measured against. Why the verdict weighs attainment and what is open: a workflow that
met its target while exceptions lie past their age limit is not one to trust, and the more cheerful half alone would be a lie.
Nothing here reads the store or knows Streamlit.
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
FEW = 10  # a p90 of fewer is their maximum
FEW_MOMENTS = 3  # fewer steps than this are no course


@dataclass(frozen=True, slots=True)
class Composite:
    """One composite with its parts; `score` None is no data, and `missing` says why; `change` None nothing to compare with."""

    name: str
    title: str
    meaning: str
    score: float | None
    change: float | None
    parts: tuple[Row, ...]
    missing: str = ""


def composites(workflows: Sequence[Row], rows: Sequence[Row]) -> list[Composite]:
    """
    The three composites, in their order: the first from the workflows and their attainment (K48), the others from the rows of
    their parts. A score is the weighted mean over the parts with data; a change is None where the period before was measured
    on other parts, which would compare unlike with unlike.
    """
    every = [*map(_part_of, sorted(workflows, key=lambda w: (-w["weight"], w["workflow"]))), *rows]
    out = []
    for name, (title, meaning) in COMPOSITES.items():
        mine = tuple({**r, "change": _minus(r["score"], r["before"])} for r in every if r["composite"] == name)
        before = _mean(mine, "before") if all((r["n"] > 0) == (r["n_before"] > 0) for r in mine) else None
        score = _mean(mine, "score")
        out.append(Composite(name, title, meaning, score, _minus(score, before), mine))
    return out


def _part_of(workflow: Row) -> Row:
    return {
        "composite": "synchronisation", "part": workflow["workflow"], "title": workflow["title"], "weight": workflow["weight"],
        "score": workflow["attainment"], "n": workflow["n"], "typical_s": None,
        "before": workflow["attainment_before"], "n_before": workflow["n_before"],
    }  # fmt: skip


def _mean(rows: Sequence[Row], key: str) -> float | None:
    known = [(float(r["weight"]), float(r[key])) for r in rows if r[key] is not None]
    whole = sum(weight for weight, _ in known)
    return sum(weight * value for weight, value in known) / whole if whole else None


def _minus(now: float | None, then: float | None) -> float | None:
    return None if now is None or then is None else now - then


def headline(rows: Sequence[Row], whole: Composite, total: Row, period: str, currency: str) -> str:
    """Can the synchronisation be trusted, is it getting better, and what is open: one sentence, or what is missing for one."""
    if all(r["status"] == "no_data" for r in rows):
        return f"Not known yet: no workflow was due in the last {PERIODS[period]}."
    return f"{_verdict(rows, total)}; {_direction(whole.change, period)}. {_open(rows, total, currency)}"


def _verdict(rows: Sequence[Row], total: Row) -> str:
    bad, watch, none = ([r["title"] for r in rows if r["status"] == s] for s in ("off_target", "watch", "no_data"))
    unknown = f" ({_listed(none)}: no data)" if none else ""
    if bad:
        return f"No: {_listed(bad)} {'is' if len(bad) == 1 else 'are'} off target{unknown}"
    if watch:
        return f"Mostly: {_listed(watch)} {'misses' if len(watch) == 1 else 'miss'} the target by little{unknown}"
    n, late = len(rows) - len(none), total["n_past"]
    well = f"{'the one measured workflow is' if n == 1 else f'all {n} measured workflows are'} on target{unknown}"
    if not late:
        return f"Yes: {well}"
    verb, whole = "is" if late == 1 else "are", units.of(total["n"], "open exception")
    return f"Only in part: {well}, but {units.count(late)} of {whole} {verb} past the age limit"


def _direction(change: float | None, period: str) -> str:
    if change is None:
        return "there is no comparable period before"
    if abs(change) < SMALL:
        return f"as reliable as in the {PERIODS[period]} before"
    return f"{points(abs(change)).lstrip('+')} {'better' if change > 0 else 'worse'} than in the {PERIODS[period]} before"


def _open(rows: Sequence[Row], total: Row, currency: str) -> str:
    if not total["n"]:
        return "No exception is open."
    verb, age = "is" if total["n"] == 1 else "are", units.duration(total["oldest_s"])
    if total["n_past"] and not any(r["status"] in ("off_target", "watch") for r in rows):  # the verdict has told how many
        at_risk = f", and {units.money(total['worth'], currency)} is at risk" if total["worth"] else ""
        return f"The oldest has been open for {age}{at_risk}."
    worth = f", {units.money(total['worth'], currency)} at risk" if total["worth"] else ""
    late = f", {units.count(total['n_past'])} of them past the age limit" if total["n_past"] else ", none past its age limit"
    return f"{units.of(total['n'], 'exception')} {verb} open{late}{worth}, the oldest for {age}."


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
    """What stands behind a part's score: over how many, the p90, the change to the period before, the weight."""
    weight = f"weight {units.ratio(row['weight'])}"
    if not row["n"]:
        return f"nothing to measure yet, left out, {weight}"
    said = [f"n {units.count(row['n'])}"]
    said += [f"p90 {units.duration(row['typical_s'])}"] if row["typical_s"] is not None and row["n"] >= FEW else []
    said += [points(row["change"])] if row["change"] is not None else []
    return ", ".join([*said, weight])


def not_yet(name: str, total: Row, period: str, *, when: Callable[[datetime], str]) -> str:
    """Why a composite has no score yet, and from when it has one."""
    if name == "synchronisation":
        return f"Nothing was due in the last {PERIODS[period]}: measured from the first object that is."
    if total["first_at"].year <= 1970:
        return "Nothing was ever detected: measured from the first exception."
    if name == "exceptions" or not total["n"]:
        return f"Nothing is open, and nothing came in the last {PERIODS[period]}."
    since = f"The first exception was detected {when(total['first_at'])}; none is closed, none known for longer than it may be."
    return f"{since} The next reaches its age limit {when(total['limit_at'])}." if total["limit_at"].year > 1970 else since


def recovery(row: Row) -> str:
    """The p90 to recover of a workflow, or why none is worth saying: `3.2 h, n 42`, `none closed`, `n 3: too few`."""
    if not row["n_closed"]:
        return "none closed" if row["n_open"] else units.DASH
    if row["n_recovered"] < FEW:
        return f"n {row['n_recovered']}: too few"
    return f"{units.duration(row['recover_s'])}, n {units.count(row['n_recovered'])}"


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
