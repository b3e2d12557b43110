"""One line of the benchmark: what was measured, the bar, and whether it holds. Ratios of one run; absolutes drift between machines."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

TURNS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """`figure` and `bar` are words with units; `holds` is None where there is no bar and the figure is for the record."""

    what: str
    figure: str
    bar: str = ""
    holds: bool | None = None

    @property
    def verdict(self) -> str:
        return "" if self.holds is None else "holds" if self.holds else "SHORT"

    def as_json(self) -> str:
        return json.dumps(asdict(self))


def at_least(what: str, got: float, bar: float, unit: str = "", *, more: str = "") -> Row:
    """A figure that must reach the bar."""
    return Row(what, f"{_told(got)}{unit}{f' ({more})' if more else ''}", f">= {bar:g}{unit}", got >= bar)


def at_most(what: str, got: float, bar: float, unit: str = "", *, more: str = "") -> Row:
    """A figure that must not pass the bar."""
    return Row(what, f"{_told(got)}{unit}{f' ({more})' if more else ''}", f"<= {bar:g}{unit}", got <= bar)


def told(rows: Iterable[Row]) -> None:
    """Print rows as they are known, a line of JSON each: each part of the benchmark is a process of its own."""
    for row in rows:
        print(row.as_json(), flush=True)


def took(act: Callable[[], object]) -> float:
    """Seconds that it takes, once."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def in_turns(*acts: Callable[[], object]) -> list[float]:
    """Seconds that each takes, the median of some turns of all: what else the machine does then falls on all of them."""
    seconds = [[took(act) for act in acts] for _ in range(TURNS)]
    return [statistics.median(one) for one in zip(*seconds, strict=True)]


def quantile(values: list[float], share: float) -> float:
    """The value below which this share lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def memory(pid: int) -> float:
    """What a process holds now, in GiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**30


def _told(figure: float) -> str:
    return f"{figure:.0f}" if figure >= 100 else f"{figure:.2f}"
