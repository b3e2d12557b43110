"""
The spans of one trace in the order in which a waterfall shows them: children under their parent, by time.

Why a span whose parent is not here becomes a root: half of a trace is normal (sampling, another vendor, a crash) and must
still be seen. Why without recursion: five thousand spans one under the other are deeper than Python's stack, and a sender's
loop of parents must not hang a page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
PAGE = 80


@dataclass(frozen=True, slots=True)
class Step:
    """One span at its depth. Units: `start_ns` from the beginning of the trace."""

    row: Row
    depth: int
    start_ns: int
    is_orphan: bool = False


def arrange(rows: Sequence[Row]) -> list[Step]:
    """Every span once, depth first, siblings by time; spans of a loop of parents come last, as roots."""
    if not rows:
        return []
    zero, known = min(r["start_ns"] for r in rows), {r["span"] for r in rows}
    children: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda r: (r["start_ns"], -r["duration_ns"], r["span"])):
        children[row["parent"] if row["parent"] in known and row["parent"] != row["span"] else ""].append(row)
    out: list[Step] = []
    seen: set[str] = set()
    for root in (*children[""], *rows):
        stack = [] if root["span"] in seen else [(root, 0)]
        while stack:
            row, depth = stack.pop()
            if row["span"] in seen:
                continue
            seen.add(row["span"])
            out.append(Step(row, depth, row["start_ns"] - zero, is_orphan=depth == 0 and bool(row["parent"])))
            stack += [(child, depth + 1) for child in reversed(children[row["span"]])]
    return out


def first_page(steps: Sequence[Step], span: str) -> int:
    """The page to begin with: that of the chosen span, else that of the first error, else the first. Counted from 1."""
    for i, step in enumerate(steps):
        if step.row["span"] == span if span else step.row["is_error"]:
            return i // PAGE + 1
    return 1


def length_ns(steps: Sequence[Step]) -> int:
    """From the first begin to the last end."""
    return max((s.start_ns + s.row["duration_ns"] for s in steps), default=0)


def scale(length: int) -> tuple[float, str]:
    """(nanoseconds in the unit, the unit) in which a trace of this length is drawn."""
    for per, name, up_to in ((1e3, "µs", 1e6), (1e6, "ms", 1e10), (1e9, "s", 6e11)):
        if length < up_to:
            return per, name
    return 60e9, "min"
