"""
Cycle times and variants from raw events, against pm4py on the same million events: what a process miner would reach for.

A case is an order, an activity its state. pm4py is timed on a DataFrame that is in memory and formatted already; the engine
reads its table. Both say the same or the row does not hold. pm4py (AGPL, and heavy) is in the extra `bench` alone: without it
the rows say so, which is no shortfall.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from schema.store import Store
from tests.bench import history
from tests.bench.refreshes import raw
from tests.bench.row import Row, told, took

EVENTS, RUNS = 1_000_000, 5
CASE, ACTIVITY, AT = "case:concept:name", "concept:name", "time:timestamp"
STEPS, VARIANTS = "cycle time of each step", "variants"
BARS = {STEPS: 8, VARIANTS: 4}
LOG = """
SELECT object_id AS "case:concept:name", toString(state) AS "concept:name", occurred_at AS "time:timestamp"
FROM events PREWHERE object_type = 'order' AND object_id < {last:String}
"""
LAST = "SELECT object_id FROM events WHERE object_type = 'order' ORDER BY object_id LIMIT 1 OFFSET {n:UInt64}"
Steps = dict[tuple[str, str], tuple[float, ...]]


def measure(store: Store) -> Iterator[Row]:
    """Over the first million events of orders."""
    if not importlib.util.find_spec("pm4py"):
        for what in BARS:
            yield Row(f"{what} from raw events, against pm4py", "pm4py is not installed: it is in the extra bench")
        return
    n = min(EVENTS, int(store.value("SELECT count() FROM events WHERE object_type = 'order'")) - 1)
    last = {"last": store.value(LAST, {"n": n})}
    log = _log(store, last)
    ours = {STEPS: lambda: _steps(store, last), VARIANTS: lambda: _variants(store, last)}
    theirs = {STEPS: lambda: _their_steps(log), VARIANTS: lambda: _their_variants(log)}
    for what, bar in BARS.items():
        is_equal = ours[what]() == theirs[what]()
        our_s, their_s = _by_turns(ours[what], theirs[what])
        said = "equal" if is_equal else "NOT equal"
        more = f"{said}, {1000 * our_s:.0f} ms against {1000 * their_s:,.0f} ms, {len(log):,} events"
        holds = is_equal and their_s >= bar * our_s
        yield Row(f"{what} from raw events, against pm4py", f"{their_s / our_s:.1f}x ({more})", f"equal, >= {bar}x", holds)


def _by_turns(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """The medians of both, each asked after the other, for a machine gets slower and faster by itself."""
    both = [(took(ours), took(theirs)) for _ in range(RUNS)]
    return statistics.median(t for t, _ in both), statistics.median(t for _, t in both)


def _log(store: Store, last: dict[str, Any]) -> Any:
    import pm4py

    found = store.arrow(LOG, last).to_pandas()
    return pm4py.format_dataframe(found, case_id=CASE, activity_key=ACTIVITY, timestamp_key=AT)


def _steps(store: Store, last: dict[str, Any]) -> Steps:
    found = store.query(raw("steps"), last)
    return {(r["a"], r["b"]): tuple(round(r[k], 3) for k in ("mean_s", "median_s", "least_s", "most_s")) for r in found}


def _their_steps(log: Any) -> Steps:
    import pm4py

    found, _, _ = pm4py.discover_performance_dfg(log)
    return {pair: tuple(round(float(one[k]), 3) for k in ("mean", "median", "min", "max")) for pair, one in found.items()}


def _variants(store: Store, last: dict[str, Any]) -> dict[tuple[str, ...], int]:
    return {tuple(r["variant"]): r["n"] for r in store.query(raw("variants"), last)}


def _their_variants(log: Any) -> dict[tuple[str, ...], int]:
    import pm4py

    return {tuple(variant): int(n) for variant, n in pm4py.get_variants(log).items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("millions", type=float)
    asked = parser.parse_args()
    dsn = history.dsn(asked.folder, asked.millions)
    with closing(history.build(dsn, asked.millions, lambda said: print(said, file=sys.stderr, flush=True))) as store:
        told(measure(store))


if __name__ == "__main__":
    main()
