"""What a crash or a stop cut in two is owed, and done by the next start: nothing stays half folded for good."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors import config
from collectors.jobs.refresh import Refresh
from collectors.runner import Runner
from schema import migrate, retention, state, waits
from schema.events import Event
from schema.governance import Catalogue, parse
from schema.store import Store
from tests.parts import ROOT
from tests.schema.test_state import all_rows, shipment, store_events
from tests.unbreakable.test_retention import OLD, TODAY, YOUNG, keeping

OBJECTS = [f"S{i}" for i in range(8)]

# In a process of its own, which dies as from kill -9 when it has written the first chunk of what another catalogue makes owed.
DIES = """
import os, signal, sys
from schema import governance, migrate, state
from schema.store import connect
from tests.schema.test_state import store_events
from tests.unbreakable.test_half_done import remapped, under_way

store, is_second = connect(f"chdb://{sys.argv[1]}/store"), sys.argv[2] == "again"
print("owed" if migrate.migrate(store, remapped(governance.load())) else "not owed", flush=True)
state.CHUNK_OBJECTS, write = 4, state._write_changes
if is_second:
    state.settle(store)
    print(state.drift(store), migrate.migrate(store, remapped(governance.load())), flush=True)
else:
    store_events(store, under_way())
    state._write_changes = lambda *said: (write(*said), os.kill(os.getpid(), signal.SIGKILL))
    state.settle(store)
store.close()
"""


class Died(Exception):
    """What stands for the end of the process."""


def remapped(catalogue: Catalogue) -> Catalogue:
    """The catalogue with another meaning of one code, by which every shipment of these tests is another."""
    said = catalogue.model_dump(by_alias=True)
    for codes in (m["codes"] for m in said["code_maps"] if m["list"] == "X12"):
        if "D1" in codes:
            codes["D1"]["state"] = "in_transit"
    return parse(said, "test")


def under_way() -> list[Event]:
    """Shipments of which a carrier's code says where they are."""
    return [shipment(f"{i}", 0, "unknown", object_id=i, source_code="D1", code_list="X12", code_element="1650") for i in OBJECTS]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four objects or so are a chunk: eight are a bulk load."""
    monkeypatch.setattr(state, "CHUNK_OBJECTS", 4)


@pytest.fixture
def settled(store: Store) -> Store:
    """A store with eight shipments under way, folded whole."""
    store_events(store, under_way())
    state.settle(store)
    assert not state.is_owed(store)
    return store


def dying(monkeypatch: pytest.MonkeyPatch, name: str, after: int) -> None:
    """This step of the fold is done so many times, and then the process is no more."""
    step: Callable[..., Any] = getattr(state, name)
    turns = iter(range(after))

    def once(*said: Any) -> Any:
        if next(turns, None) is None:
            raise Died
        return step(*said)

    monkeypatch.setattr(state, name, once)


def test_a_process_killed_in_the_fold_that_another_catalogue_owes_leaves_it_to_the_next_start(tmp_path: Path) -> None:
    """The tables of the catalogue are there and half of the rows are by it: without a word in the store both look right for ever."""
    run = [sys.executable, "-c", DIES, str(tmp_path)]
    killed = subprocess.run([*run, "first"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (killed.returncode, killed.stdout) == (-9, "owed\n"), killed.stderr
    again = subprocess.run([*run, "again"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.stdout == "owed\n[] False\n", again.stderr


@pytest.mark.parametrize("step", ["_fold_everything", "_write_changes"])
@pytest.mark.usefixtures("small_chunks")
def test_whatever_step_of_a_fold_of_everything_was_the_last_it_is_owed(
    settled: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Half of the rows are by other rules than the rest; the first round of whoever runs the jobs folds it whole."""
    assert migrate.migrate(settled, remapped(catalogue))
    with monkeypatch.context() as until:
        dying(until, step, 0 if step == "_fold_everything" else 1)
        with pytest.raises(Died):
            state.settle(settled)
    assert state.drift(settled) != []
    assert migrate.migrate(settled, remapped(catalogue)), "the catalogue is loaded, and the state is not of it"
    assert Refresh(settled)().n == len(OBJECTS)
    assert state.drift(settled) == []
    assert not migrate.migrate(settled, remapped(catalogue))
    migrate.migrate(settled, catalogue)


@pytest.mark.usefixtures("small_chunks")
def test_waits_torn_in_a_bulk_load_are_healed_by_the_first_round_after_the_start(store: Store) -> None:
    """A round of so many objects is a fold of everything: it has to mend what a small one would."""
    store_events(store, under_way())
    store.command("DROP VIEW object_waits_mv")
    state.refresh(store)  # the state of all, and the waits of none
    waits.define(store)
    assert len(state.drift(store)) == len(OBJECTS)
    store_events(store, [shipment("z", 9, "delivered", object_id="S3")])
    state.refresh(store, is_redo=True)
    assert state.drift(store) == []


@pytest.mark.usefixtures("small_chunks")
def test_a_stop_leaves_a_fold_of_everything_between_two_chunks(
    settled: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Minutes at twenty million events: whoever stops Milepost in them would take kill -9, and the next start goes on anyway."""
    state.owe(settled)
    begun, stopping, written = threading.Event(), threading.Event(), list[int]()
    write = state._write_changes

    def slow(*said: Any) -> None:
        write(*said)
        written.append(1)
        begun.set()
        stopping.wait(60)

    monkeypatch.setattr(state, "_write_changes", slow)
    runner = Runner(config.Settings(store="", data=tmp_path), settled, catalogue, None)  # type: ignore[arg-type]
    runner.add_job("state", Refresh(settled), 60.0)
    runner.start()
    assert begun.wait(60)
    leaving = threading.Thread(target=runner.stop)
    leaving.start()
    while not state._left.is_set():
        assert leaving.is_alive()
    stopping.set()
    leaving.join(60)
    assert written == [1]
    assert state.is_owed(settled)
    assert runner.health["job state"].status == "waiting"
    state.settle(settled)
    assert (state.is_owed(settled), state.drift(settled)) == (False, [])


def test_an_object_that_lost_a_part_of_its_events_is_folded_anew_though_the_process_died(
    store: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no orphan, so that no later run would find it: what it was in a month that is gone would be said of it for ever."""
    store_events(store, [shipment("a", 0, "departed")], ingested_at=OLD)
    store_events(store, [shipment("b", 9, "delivered")], ingested_at=YOUNG)
    state.settle(store)
    with monkeypatch.context() as until:
        until.setattr(retention, "_forget_objects", dies)
        with pytest.raises(Died):
            retention.retain(store, keeping(catalogue, events=30), TODAY)
    assert [r["h_state"] for r in all_rows(store)] == [["departed", "delivered"]]
    state.settle(store)
    assert [r["h_state"] for r in all_rows(store)] == [["delivered"]]


def dies(*said: object) -> None:
    """The end of the process."""
    raise Died


def test_a_round_waits_for_the_fold_of_another_job_of_its_process(settled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scratch tables are one fold's: a round between another's steps would take its objects for gone."""
    stage, is_staged, goes_on = state._stage_chunk, threading.Event(), threading.Event()

    def slow(*said: Any) -> int:
        n = stage(*said)
        is_staged.set()
        goes_on.wait(60)
        return n

    monkeypatch.setattr(state, "_stage_chunk", slow)
    daily = threading.Thread(target=state.rebuild, args=(settled,))
    daily.start()
    assert is_staged.wait(60)
    store_events(settled, [shipment("z", 9, "delivered", object_id="S3")])
    ordinary = threading.Thread(target=state.refresh, args=(settled,))
    ordinary.start()
    ordinary.join(1.0)
    assert ordinary.is_alive()
    goes_on.set()
    daily.join(60)
    ordinary.join(60)
    monkeypatch.undo()
    assert len(all_rows(settled)) == len(OBJECTS)
    assert state.drift(settled) == []


def test_the_newest_version_is_asked_for_only_where_another_process_may_have_written(settled: Store) -> None:
    """The newest version of millions of rows, each two seconds, is a question that only another process could change."""
    asked = list[str]()
    value = settled.value
    settled.value = lambda sql, *said: (asked.append(sql), value(sql, *said))[1]  # type: ignore[method-assign]
    try:
        for n, is_redo in ((1, False), (2, False), (3, True)):
            store_events(settled, [shipment(f"z{n}", 9 + n, "in_transit", object_id="S3", location=str(n))])
            state.refresh(settled, is_redo=is_redo)
            assert sum("max(ver)" in sql for sql in asked) == is_redo
    finally:
        del settled.value  # type: ignore[method-assign]
    assert state.drift(settled) == []
