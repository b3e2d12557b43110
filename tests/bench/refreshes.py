"""
What the kept answers are worth after half a million object refreshes: each held against the same answer from raw events, and
how many times as long that takes.

Why after refreshes that change something: a state that nothing ever touched again is right by its first fold. Here late,
repeated, retracted, corrected and contradictory events arrive in rounds, each round is folded by `state.refresh` as the runner
does, and only then is anything compared. The raw answers (`raw/*.sql`) know the events, the catalogue and the rules of
docs/state.md; they read nothing that is kept. Why over a copy of the history: the other parts measure it as it was.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from schema import exceptions, governance, kpi, state
from schema.errors import StoreUnavailable
from schema.migrate import migrate
from schema.store import Store, connect
from tests.bench import history
from tests.bench.row import Row, told, took

HERE = Path(__file__).parent
BAR, OBJECTS, A_ROUND, RECENT = 50, 500_000, 25_000, timedelta(days=3)
KEPT_RUNS, RAW_RUNS = 5, 2
COPIED = """
SELECT name FROM system.tables
WHERE database = {of:String} AND endsWith(engine, 'MergeTree') AND NOT startsWith(name, 'gov_') AND name != 'schema_ledger'
"""
NEWEST = "SELECT max(object_id) FROM events WHERE object_type = 'order' AND startsWith(message_id, 'arrival-')"
MONTH, WINDOWS = timedelta(days=30), {"duplicates": timedelta(days=1)}
Answer = list[tuple[object, ...]]
SQL = {
    "funnel": """
        SELECT stage, series, n FROM stages(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [], by = 'region') WHERE n > 0""",
    "freshness": "SELECT carrier, region, n, n_stale FROM freshness(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [])",
    "blocked": """
        SELECT region, waits_for, count() AS n, quantileExact(0.9)(waited_s) AS age_s
        FROM blocked_invoices(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [], by = '') GROUP BY region, waits_for""",
    "missing_proofs": """
        SELECT place, count() AS n, min(began_at) AS oldest_at FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [])
        WHERE code = 'BIL.MISSING_POD' AND is_open GROUP BY place""",
    "one_order": """
        SELECT state, state_at
        FROM objects(type = 'order', as_of = {as_of:DateTime64(3, 'UTC')}, since = '1970-01-01', scope = [], by = '')
        WHERE object_id = {id:String}""",
}
KPIS = {
    "proof_latency": ("pod_latency", "carrier"),
    "on_time": ("on_time_delivery", "carrier"),
    "attainment": ("slo_attainment", "workflow"),
    "cycle_time": ("stage_cycle_time", "stage"),
    "duplicates": ("duplicate_events", ""),
}
NAMES = {
    "funnel": "funnel by stage and region",
    "freshness": "freshness, carrier x region",
    "blocked": "blocked invoices by region and reason",
    "missing_proofs": "open exceptions BIL.MISSING_POD by place",
    "one_order": "one order's state",
    "proof_latency": "K09 proof of delivery by carrier, 30 days",
    "on_time": "K06 on-time delivery by carrier, 30 days",
    "attainment": "K48 attainment by workflow, 30 days",
    "cycle_time": "K18 cycle time by stage, 30 days",
    "duplicates": "K42 duplicate events, 24 hours",
}


def measure(folder: Path, millions: float, objects: int, say: history.Say) -> Iterator[Row]:
    """Over a copy of the history of this size, which `history` has made."""
    with closing(copied(folder, millions, say)) as store:
        yield from _measured(store, f"at {millions:g} M events", objects, say)
        store.command(f"DROP DATABASE {store.database} SYNC")


def _measured(store: Store, name: str, objects: int, say: history.Say) -> Iterator[Row]:
    done = arrive(store, objects, say)
    more = f"{done.events:,} events, {done.recomputed:,} with neighbours, {done.changed:,} rows of the state became others"
    figure = f"{done.touched:,} in {done.took_s:.0f} s ({more})"
    yield Row(f"objects refreshed {name}", figure, f">= {OBJECTS:,}", done.touched >= OBJECTS)
    what = f"  of all objects, those whose kept row is not the one computed anew {name}"
    yield tried(what, "0", lambda: drifted(store, what))
    as_of = datetime.now(UTC)
    exceptions.detect(store, as_of)
    for answer in NAMES:
        say(f"{NAMES[answer]}: kept and raw")
        what = f"{NAMES[answer]}, kept, {name}, against raw events"
        yield tried(what, f"equal, >= {BAR}x", lambda what=what, answer=answer: compared(store, what, answer, as_of))


def tried(what: str, bar: str, act: Callable[[], Row]) -> Row:
    """A question that a busy machine does not answer in time is a row that falls short, and the others are still asked."""
    try:
        return act()
    except StoreUnavailable as err:
        return Row(what, str(err), bar, holds=False)


def drifted(store: Store, what: str) -> Row:
    """Every object, row by row: at most 1,000 are told."""
    n = len(state.drift(store))
    return Row(what, f"{n:,}", "0", n == 0)


# --- what arrives ----------------------------------------------------------------------------------------------------------
def copied(folder: Path, millions: float, say: history.Say) -> Store:
    """A database of its own beside that of the history; its parts are hard links until either of the two merges them."""
    size = history.named(millions)
    with closing(history.build(history.dsn(folder, millions), millions, say)) as store:
        store.command(f"DROP DATABASE IF EXISTS refreshes_{size} SYNC")
    store = connect(f"chdb://{folder}/store?database=refreshes_{size}")
    migrate(store, governance.load())
    for row in store.query(COPIED, {"of": f"history_{size}"}):
        store.command(f"ALTER TABLE {row['name']} ATTACH PARTITION ALL FROM history_{size}.{row['name']}")
    make_views(store)
    return store


def make_views(store: Store) -> None:
    """What several raw answers begin with."""
    for view in ("objects", "held_invoices"):
        store.command(f"CREATE VIEW raw_{view} AS {raw(view)}")


@dataclass(slots=True)
class Arrived:
    """What the rounds did: events, their objects, all that were recomputed, rows of the state that became others."""

    events: int = 0
    touched: int = 0
    recomputed: int = 0
    changed: int = 0
    took_s: float = 0


def arrive(store: Store, objects: int, say: history.Say, a_round: int = A_ROUND) -> Arrived:
    """Rounds of so many objects, half of them of the last days, each folded as it has come, until so many were refreshed."""
    sql, done = HERE.joinpath("arrivals.sql").read_text("utf-8"), Arrived()
    since = {"at": datetime.now(UTC) - RECENT}
    n_recent = int(store.value("SELECT count() FROM events WHERE occurred_at > {at:DateTime64(3, 'UTC')}", since))
    first = n = int(store.value("SELECT count() FROM events"))
    asked = {"recent": max(1, 2 * n_recent // a_round), "old": max(1, 2 * (n - n_recent) // a_round)}
    for turn in range(1, 1000):
        now = datetime.now(UTC)
        store.command(sql, {"round": turn, "now": now, **asked})
        began = time.perf_counter()
        folded = state.refresh(store, since=now)
        done.took_s += time.perf_counter() - began
        done.touched, done.recomputed = done.touched + folded.touched, done.recomputed + folded.recomputed
        done.changed += int(store.value("SELECT count() FROM touched WHERE step = 3"))
        if turn % 5 == 0:
            say(f"round {turn}: {done.touched:,} of {objects:,} objects, {done.changed:,} rows changed, {done.took_s:.0f} s")
        if done.touched >= objects:
            break
    done.events = int(store.value("SELECT count() FROM events")) - first
    return done


# --- what is asked ---------------------------------------------------------------------------------------------------------
def compared(store: Store, what: str, answer: str, as_of: datetime) -> Row:
    """One answer as a page asks it, and from raw events: the median of the first against the best of the second."""
    asked = asked_of(store, answer, as_of)
    kept, kept_s = timed(lambda: kept_answer(store, answer, asked), KEPT_RUNS)
    true, raw_s = timed(lambda: raw_answer(store, answer, asked), RAW_RUNS)
    is_equal, ratio = kept == true and bool(kept), min(raw_s) / statistics.median(kept_s)
    said = "equal" if is_equal else f"NOT equal: {len(kept)} and {len(true)} rows, {len(set(kept) ^ set(true))} of them other"
    more = f"{said}, {len(kept)} rows, {1000 * statistics.median(kept_s):.0f} ms against {1000 * min(raw_s):,.0f} ms"
    return Row(what, f"{ratio:.1f}x ({more})", f"equal, >= {BAR}x", is_equal and ratio >= BAR)


def asked_of(store: Store, answer: str, as_of: datetime) -> dict[str, Any]:
    """The parameters of an answer; the one order is the newest of which something arrived."""
    order = store.value(NEWEST) if answer == "one_order" else ""
    return {"as_of": as_of, "from": as_of - WINDOWS.get(answer, MONTH), "to": as_of, "id": order}


def kept_answer(store: Store, answer: str, asked: dict[str, Any]) -> Answer:
    """As the pages ask it."""
    if answer in SQL:
        return rows_of(store.arrow(SQL[answer], asked))
    name, by = KPIS[answer]
    points = kpi.headline(store, name, start=asked["from"], end=asked["to"], as_of=asked["as_of"], by=by)
    return sorted((*((p.series,) if by else ()), round(p.value, 6), p.n) for p in points)


def raw_answer(store: Store, answer: str, asked: dict[str, Any]) -> Answer:
    """From events alone, by way of a table in memory: a reader's limits are not for what reads everything."""
    store.command(f"CREATE OR REPLACE TABLE raw_answer ENGINE = Memory AS {raw(answer)}", asked)
    return rows_of(store.arrow("SELECT * FROM raw_answer"))


def rows_of(found: pa.Table) -> Answer:
    """Rows in an order of their own, figures to the sixth digit."""
    return sorted(tuple(round(v, 6) if isinstance(v, float) else v for v in row.values()) for row in found.to_pylist())


def timed(act: Callable[[], Answer], runs: int) -> tuple[Answer, list[float]]:
    """What it says, and how long it took each time."""
    said: list[Answer] = []
    took_s = [took(lambda: said.append(act())) for _ in range(runs)]
    return said[0], took_s


def raw(name: str) -> str:
    return (HERE / "raw" / f"{name}.sql").read_text("utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("millions", type=float)
    parser.add_argument("--objects", type=int, default=OBJECTS, help="how many object refreshes")
    asked = parser.parse_args()
    told(measure(asked.folder, asked.millions, asked.objects, lambda said: print(said, file=sys.stderr, flush=True)))


if __name__ == "__main__":
    main()
