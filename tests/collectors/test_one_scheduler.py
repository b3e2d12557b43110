"""Many collectors, one store: the jobs run in one process, and go on in another when that is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collectors import runner as runners
from collectors.config import Listen, Settings
from collectors.jobs.refresh import Refresh
from collectors.runner import Runner
from collectors.running import Done
from collectors.sink import Sink
from schema import state
from schema.errors import StoreUnavailable
from schema.governance import Catalogue
from schema.lease import Lease
from schema.store import Store
from tests.parts.wait import until
from tests.schema.test_state import shipment, store_events

Start = Callable[[str], Runner]


@pytest.fixture
def start(store: Store, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """A runner that has started with one job, `who`, whose runs are counted by name; stopped when the test ends."""
    monkeypatch.setattr(runners, "tame_collector", lambda: None)
    sink = Sink(store, catalogue)
    made: list[Runner] = []

    def build(who: str) -> Runner:
        settings = Settings(store="", data=tmp_path, listen=Listen(intake=0))
        runner = Runner(settings, store, catalogue, sink, lease=Lease(store))
        runner.add_job(who, Done, 0.05)
        runner.start()
        made.append(runner)
        return runner

    yield build
    for runner in made:
        runner.stop()
    sink.close()


def test_of_two_runners_one_runs_the_jobs_and_the_other_takes_over(store: Store, start: Start) -> None:
    """Two rounds of the state at once would work on one another's scratch tables."""
    first = start("one")
    start("other")
    runs = "SELECT countIf(job = 'one') AS one, countIf(job = 'other') AS other FROM job_runs"
    until(lambda: store.query(runs)[0]["one"] > 20)
    assert store.query(runs)[0]["other"] == 0
    first.stop()
    until(lambda: store.query(runs)[0]["other"] > 2)


class Torn:
    """The store, away for good at the statement that contains these words."""

    def __init__(self, store: Store, words: str) -> None:
        self._store, self._words = store, words

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def command(self, sql: str, *said: object) -> None:
        if self._words in sql:
            raise StoreUnavailable("the store is away")
        self._store.command(sql, *said)  # type: ignore[arg-type]


def test_a_round_that_the_store_broke_off_is_done_again_whole(store: Store) -> None:
    """Its first half is stored: by the events alone nothing would look new, and the state would stay behind for good."""
    refresh = Refresh(store)
    refresh()
    store_events(store, [shipment("a", 1, "departed")])
    refresh._store = Torn(store, "INSERT INTO state_new")  # type: ignore[assignment]
    with pytest.raises(StoreUnavailable):
        refresh()
    assert store.value("SELECT count() FROM object_own") == 1
    refresh._store = store
    refresh()
    assert state.drift(store) == []
    assert store.value("SELECT count() FROM object_state") == 1


def test_whoever_takes_over_redoes_what_the_last_one_may_have_left_torn(store: Store) -> None:
    """A process that dies in the middle of a round tells nobody; a new term is the sign that it may have."""
    term = [1]
    refresh = Refresh(store, lambda: term[0])
    refresh()
    store_events(store, [shipment("a", 1, "departed")])
    with pytest.raises(StoreUnavailable):
        Refresh(Torn(store, "INSERT INTO state_new"))()  # type: ignore[arg-type]
    assert refresh().n == 0
    term[0] = 3
    assert refresh().n == 1
