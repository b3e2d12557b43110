"""
A store of millions of events: made in the engine, folded as after a bulk load, and asked what the pages and the detectors ask.

Why a history and not a busier day: what an enterprise says in a day is what it is; a store grows by the days that it keeps. So
5 million events are 45 days of 110,000 a day, 20 million are half a year, and what is asked of now must not cost the half year.
Why the statements are recorded and not listed: every page is drawn once as Streamlit draws it, and each statement that it sent
is asked again by itself; a page that gets a new one is measured with it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import streamlit as st
from streamlit.testing.v1 import AppTest

import dashboard
from collectors.jobs import refresh
from dashboard import session
from schema import exceptions, governance, state
from schema.migrate import migrate
from schema.store import Store, connect
from tests.bench.row import Row, at_most, quantile, told, took

HERE = Path(__file__).parent
EVENTS_AN_ORDER, EVENTS_A_DAY, STEP, SPAN_DAYS = 20.5, 110_000, 100_000, 30
APP = Path(dashboard.__file__).parent / "app.py"
VISITS: tuple[tuple[str, dict[str, str]], ...] = (
    ("operations", {}), ("exceptions", {}), ("object", {"type": "order", "id": "ORD-000100000"}), ("scorecard", {}),
    ("failures", {}), ("traces", {}), ("intake", {}), ("numbers", {}), ("numbers", {"kpi": "on_time_delivery"}),
)  # fmt: skip
RUNS, READERS, ROUNDS, ROUND_S = 5, 8, 5, refresh.EVERY_S
LAST_ID = "~"  # behind every id
Say = Callable[[str], None]


@dataclass(slots=True)
class Asked:
    """A statement that a page sent, and how to send it again."""

    page: str
    act: Callable[[], object]
    sql: str
    took_s: list[float] = field(default_factory=list)


def build(dsn: str, millions: float, say: Say) -> Store:
    """A store with so many million events, the calls of their last month, their state, and one round of the detectors."""
    catalogue, store = governance.load(), connect(dsn)
    migrate(store, catalogue)
    if store.value("SELECT count() FROM job_runs WHERE job = {job:String}", {"job": state.JOB}):
        return store
    store.command("TRUNCATE TABLE events")  # of a build that was broken off
    wanted = int(millions * 1e6)
    total, days = int(wanted / EVENTS_AN_ORDER), max(1, wanted // EVENTS_A_DAY)
    until = datetime.now(UTC).replace(microsecond=0)
    sql = HERE.joinpath("enterprise.sql").read_text("utf-8")
    for first in range(0, total, STEP):
        n = min(STEP, total - first)
        store.command(sql, {"first": first, "n": n, "total": total, "days": days, "until": until})
        say(f"{millions:g} M events: {100 * (first + n) // total} % made")
    store.command(HERE.joinpath("spans.sql").read_text("utf-8"), {"days": SPAN_DAYS, "until": until})
    n, n_spans = (int(store.value(f"SELECT count() FROM {table}")) for table in ("events", "otel_traces"))
    say(f"{n:,} events and {n_spans:,} spans made, now their state")
    mark = datetime.now(UTC)
    seconds = took(lambda: state.rebuild(store))
    # As the runner records a round: who serves this store goes on from here.
    store.insert("job_runs", ("job", "started_at", "duration_ms", "ok", "n", "mark", "detail"), [(state.JOB, mark, 0, True, n, mark, "")])
    say(f"{n:,} events folded in {seconds:.0f} s")
    say(f"{n:,} events merged in {took(lambda: _age(store)):.0f} s")
    exceptions.detect(store, datetime.now(UTC))
    return store


def _age(store: Store) -> None:
    """
    Merge what the engine merges by itself within a day (migrations 0193 to 0198): months and days that are over, and what is kept of objects.
    Else a history that was made in minutes lies in parts as no history of half a year does.
    """
    parts = store.query(
        """
        SELECT table, partition_id AS id, count() AS n, id = max(id) OVER (PARTITION BY table) AND id != 'all' AS is_newest
        FROM system.parts
        WHERE active AND database = currentDatabase()
          AND table IN ('events', 'otel_traces', 'interface_calls', 'object_waits', 'object_state', 'object_own')
        GROUP BY table, id
        ORDER BY table, id
        """
    )
    for part in parts:
        if part["n"] > 1 and not part["is_newest"]:
            store.command(f"OPTIMIZE TABLE {part['table']} PARTITION ID '{part['id']}' FINAL")


def measure(store: Store, millions: float, first: dict[str, float]) -> Iterator[Row]:
    """What pages, detectors and the state cost over this store, and how that grew since the first size, which it may be."""
    name = f"at {millions:g} M events"
    alone = recorded(store)
    for one in alone:
        one.took_s = [took(one.act) for _ in range(RUNS)]
    every = [t for one in alone for t in one.took_s]
    slowest = max(alone, key=lambda one: quantile(one.took_s, 0.5))
    more = f"{len(alone)} statements, slowest {1000 * quantile(slowest.took_s, 0.5):.0f} ms on {slowest.page}"
    yield at_most(f"page queries {name}, p95 alone", 1000 * quantile(every, 0.95), 50, " ms", more=more)
    yield from _crowded(store, alone, name)
    detect_s = min(took(lambda: exceptions.detect(store, datetime.now(UTC))) for _ in range(3))
    yield at_most(f"one round of all detectors {name}", detect_s, 5, " s")
    yield from _rounds(store, name)
    total = sum(quantile(one.took_s, 0.5) for one in alone)
    if first:
        what = f"page queries, growth from {first['millions']:g} to {millions:g} M"
        yield at_most(what, total / first["pages"], 1.5 if millions <= 20 else 2, "x", more="sum of medians")
        yield Row(f"detectors, growth from {first['millions']:g} to {millions:g} M", f"{detect_s / first['detect']:.2f}x")
    else:
        first |= {"millions": millions, "pages": total, "detect": detect_s}


# --- what pages ask ------------------------------------------------------------------------------------------------------
def recorded(store: Store) -> list[Asked]:
    """Each distinct statement of every page, once."""
    found: dict[str, Asked] = {}
    page = ""

    def listening(ask: Callable[..., Any]) -> Callable[..., Any]:
        def heard(sql: str, params: Any = None) -> Any:
            fixed = sorted((k, v) for k, v in (params or {}).items() if not isinstance(v, datetime))
            found.setdefault(f"{sql} {fixed}", Asked(page, lambda: ask(sql, params), sql))
            return ask(sql, params)

        return heard

    plain = {name: getattr(store, name) for name in ("query", "value", "arrow")}
    for name, ask in plain.items():
        setattr(store, name, listening(ask))
    session.open(store, governance.load())
    try:
        for page, params in VISITS:
            st.cache_data.clear()
            test = AppTest.from_file(str(APP), default_timeout=600)
            for key, value in params.items():
                test.query_params[key] = value
            test.switch_page(f"app_pages/{page}.py").run()
    finally:
        session.close()
        for name, ask in plain.items():
            setattr(store, name, ask)
    return list(found.values())


def _crowded(store: Store, alone: list[Asked], name: str) -> Iterator[Row]:
    """
    Eight readers with half a second of thought between two questions, while a thousand objects a second are touched, each half
    second other ones, and folded as often as the runner does it.
    """
    stop, waits = Event(), list[float]()

    def read(first: int) -> None:
        turn = first
        while not stop.wait(0.5):
            waits.append(took(alone[turn % len(alone)].act))
            turn += 1

    def write() -> None:
        bounds, salt = [newest(store, 500 * i) for i in (4, 3, 2, 1)] + [LAST_ID], int(store.value("SELECT count() FROM events"))
        while not stop.wait(0.5):
            touch(store, bounds[salt % 4], salt, before=bounds[salt % 4 + 1])
            salt += 1

    def fold() -> None:
        jobs, took_s = store.for_jobs(), 0.0
        while not stop.wait(max(0.05, ROUND_S - took_s)):
            began = time.perf_counter()
            state.refresh(jobs, since=datetime.now(UTC) - timedelta(seconds=took_s + ROUND_S))
            took_s = time.perf_counter() - began

    threads = [Thread(target=read, args=(7 * n,)) for n in range(READERS)] + [Thread(target=write), Thread(target=fold)]
    for thread in threads:
        thread.start()
    time.sleep(20)
    stop.set()
    for thread in threads:
        thread.join()
    yield at_most(f"page queries {name}, p95 with 8 readers and ingest", 1000 * quantile(waits, 0.95), 150, " ms", more=f"n {len(waits)}")


# --- what the state costs --------------------------------------------------------------------------------------------------
def newest(store: Store, n: int) -> str:
    """The oldest one of the n newest orders: who asks for those from there on reads no others."""
    ids = "SELECT DISTINCT object_id FROM object_state WHERE object_type = 'order' ORDER BY object_id DESC LIMIT {n:UInt64}"
    return str(store.value(f"SELECT min(object_id) FROM ({ids})", {"n": n}))


def touch(store: Store, since: str, salt: int, *, before: str = LAST_ID) -> None:
    """An event for each order between these: a milestone that was said before comes again, later and in a new place."""
    store.command(
        """
        INSERT INTO events (event_id, event_type, occurred_at, recorded_at, received_at, ingested_at, classifier, object_type, object_id,
                            state, system, system_role, source, region)
        SELECT 'touch-' || toString({salt:UInt64}) || '-' || object_id, 'order.packed', last_at, now64(3), now64(3), now64(3), 'ACT',
               object_type, object_id, 'packed', 'wms', 'wms', 'wms', region
        FROM object_state FINAL WHERE object_type = 'order' AND object_id >= {since:String} AND object_id < {before:String}
        """,
        {"since": since, "before": before, "salt": salt},
    )


def _rounds(store: Store, name: str) -> Iterator[Row]:
    """
    A round each two seconds, on the runner's handles, while a thousand objects a second are touched, in each round other ones. Of
    what the process does in that time, merges too, only the statement that makes the events is not the state's.
    """
    jobs, waits, making, salt = store.for_jobs(), list[float](), 0.0, int(store.value("SELECT count() FROM events"))
    bounds = [newest(store, int(ROUND_S * 1000) * i) for i in range(ROUNDS, 0, -1)] + [LAST_ID]
    began, cpu = time.perf_counter(), time.process_time()
    for i in range(ROUNDS):
        before = time.process_time()
        touch(store, bounds[i], salt, before=bounds[i + 1])
        making += time.process_time() - before
        waits.append(took(lambda: state.refresh(jobs, since=datetime.now(UTC) - timedelta(seconds=3))))
        time.sleep(max(0.0, began + ROUND_S * (i + 1) - time.perf_counter()))
    share = (time.process_time() - cpu - making) / (ROUNDS * ROUND_S)
    more = f"a round each {ROUND_S:g} s; one took {quantile(waits, 0.5):.2f} s, making its events {1000 * making / ROUNDS:.0f} ms of a core"
    yield at_most(f"state behind events {name}, 1,000 objects/s", ROUND_S + quantile(waits, 0.95), 6, " s", more=f"{ROUNDS} rounds")
    yield at_most(f"state rounds {name}, cores", share, 0.3, more=more)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("millions", type=float, nargs="+")
    asked = parser.parse_args()
    first: dict[str, float] = {}
    for size in asked.millions:
        store = build(dsn(asked.folder, size), size, lambda said: print(said, file=sys.stderr, flush=True))
        told(measure(store, size, first))
        store.close()


def dsn(folder: Path, millions: float) -> str:
    """Where the store of this size lies."""
    return f"chdb://{folder}/store?database=history_{named(millions)}"


def named(millions: float) -> str:
    """A size as a part of a database's name."""
    return f"{millions:g}".replace(".", "_")


if __name__ == "__main__":
    main()
