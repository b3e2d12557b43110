"""What is sent again because its answer never came counts once, whichever messages it shares its next INSERT with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.commit import Waiting, commit
from collectors.config import format_module
from collectors.journal import Journal
from collectors.message import Context, Message, Source
from schema.errors import BadConfig, StoreUnavailable
from schema.governance import Catalogue
from schema.store import Store
from tests.unbreakable.bodies import TABLES, telemetry

Group = Callable[..., list[Waiting]]


class Unsure:
    """The real store, whose answers get lost while `is_deaf`, and which takes nothing while `is_away`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_deaf = self.is_away = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def insert(self, *told: Any, **more: Any) -> None:
        self._do(self._store.insert, *told, **more)

    def insert_body(self, *told: Any, **more: Any) -> None:
        self._do(self._store.insert_body, *told, **more)

    def _do(self, act: Callable[..., None], *told: Any, **more: Any) -> None:
        if self.is_away:
            raise StoreUnavailable("the store is away")
        act(*told, **more)
        if self.is_deaf:
            raise StoreUnavailable("the answer got lost")


@pytest.fixture
def unsure(store: Store, monkeypatch: pytest.MonkeyPatch) -> Unsure:
    monkeypatch.setattr("collectors.commit.PAUSE_S", 0.0)
    return Unsure(store)


@pytest.fixture
def group(catalogue: Catalogue) -> Group:
    """Decoded messages of one signal, one a mark, as the sink hands them to a commit; the same mark is the same bytes."""
    at_ns = time.time_ns()

    def make(signal: str, *marks: str) -> list[Waiting]:
        source = Source("otlp", "otlp", f"otlp_{signal}")
        found = []
        for mark in marks:
            message = Message(telemetry(signal, mark, 3, at_ns), datetime.now(UTC))
            found.append(Waiting(source, message, format_module(source.format).decode(message, Context(source, catalogue))))
        return found

    return make


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Callable[[], Journal]]:
    """The journal of a process, over one folder; the next call is the next process, the last one having been killed."""
    made: list[Journal] = []

    def start() -> Journal:
        if made:
            made[-1].close()  # the end of a process lets its lock go, and does nothing else
        made.append(Journal(tmp_path / "journal"))
        return made[-1]

    yield start
    made[-1].close()


def counts(store: Store, signal: str) -> list[dict[str, int]]:
    """How often each mark is stored, in each of the tables of a signal."""
    return [
        {str(r["mark"]): int(r["n"]) for r in store.query(f"SELECT {mark} AS mark, count() AS n FROM {table} GROUP BY mark")}
        for table, mark in TABLES[signal]
    ]


@pytest.mark.parametrize("signal", TABLES)
def test_a_retry_in_another_company_adds_nothing(
    signal: str, store: Store, unsure: Unsure, group: Group, journal: Callable[[], Journal]
) -> None:
    """
    Two senders share an INSERT whose answer is lost. Each comes back with its own bytes, in another group: an INSERT that the
    engine has never seen, and rows that know no identity of their own.
    """
    mine = journal()
    unsure.is_deaf = True
    with pytest.raises(StoreUnavailable):
        commit(unsure, group(signal, "a", "b"), mine)  # type: ignore[arg-type]
    unsure.is_deaf = False
    commit(unsure, group(signal, "b", "c"), mine)  # type: ignore[arg-type]
    commit(unsure, group(signal, "a"), mine)  # type: ignore[arg-type]
    assert counts(store, signal) == [{"a": 3, "b": 3, "c": 3}] * len(TABLES[signal])
    assert store.value("SELECT count() FROM messages WHERE status = 'stored'") == 3


@pytest.mark.parametrize("signal", TABLES)
def test_a_retry_at_the_next_process_adds_nothing(
    signal: str, store: Store, unsure: Unsure, group: Group, journal: Callable[[], Journal]
) -> None:
    """Killed between the INSERT and its answer: the next process knows what the last one had sent, and the one after it too."""
    unsure.is_deaf = True
    with pytest.raises(StoreUnavailable):
        commit(unsure, group(signal, "a", "b"), journal())  # type: ignore[arg-type]
    unsure.is_deaf = False
    for mark in ("a", "b"):
        mine = journal()
        mine.recall(store)
        commit(unsure, group(signal, mark), mine)  # type: ignore[arg-type]
    assert counts(store, signal) == [{"a": 3, "b": 3}] * len(TABLES[signal])


def test_what_never_reached_the_store_is_stored_by_the_retry(
    store: Store, unsure: Unsure, group: Group, journal: Callable[[], Journal]
) -> None:
    """An INSERT that is only believed to be there would be a loss: what is open is sent again, not taken for done."""
    mine = journal()
    unsure.is_away = True
    with pytest.raises(StoreUnavailable):
        commit(unsure, group("traces", "a", "b"), mine)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable):
        commit(unsure, group("traces", "a"), mine)  # type: ignore[arg-type]
    unsure.is_away = False
    commit(unsure, group("traces", "a"), mine)  # type: ignore[arg-type]
    assert counts(store, "traces") == [{"a": 3, "b": 3}] * 2


def test_what_was_acknowledged_by_the_last_process_is_known_to_the_next(
    store: Store, group: Group, journal: Callable[[], Journal]
) -> None:
    """Killed after the commit and before the answer was on the wire: the sender knows nothing of it and tries again."""
    commit(store, group("logs", "a", "b"), journal())
    mine = journal()
    mine.recall(store)
    commit(store, group("logs", "b", "c"), mine)
    assert counts(store, "logs") == [{"a": 3, "b": 3, "c": 3}]


def test_the_same_body_twice_in_one_group_is_stored_once(store: Store, group: Group, journal: Callable[[], Journal]) -> None:
    """A sender whose patience is shorter than our commit stands in the queue twice."""
    commit(store, group("traces", "a", "b", "a"), journal())
    assert counts(store, "traces") == [{"a": 3, "b": 3}] * 2


def test_a_torn_entry_is_no_entry(store: Store, group: Group, journal: Callable[[], Journal], tmp_path: Path) -> None:
    """Killed while the journal was being written: nothing had been sent yet, and the next start must not stumble over it."""
    journal()
    (tmp_path / "journal" / "0" / "half.part").write_bytes(b'{"table": "otlp_tr')
    mine = journal()
    mine.recall(store)
    commit(store, group("traces", "a"), mine)
    assert list((tmp_path / "journal" / "0").iterdir()) == []


def test_two_processes_on_one_data_folder_keep_apart(tmp_path: Path) -> None:
    """Two collectors of one configuration, or a `load` beside a running one, must not settle each other's INSERTs."""
    first, second = Journal(tmp_path), Journal(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "0.lock", "1", "1.lock"]
    first.close()
    second.close()


def test_a_journal_that_cannot_be_made_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    """A data folder that belongs to somebody else is a person's to mend; a traceback tells nobody which."""
    (tmp_path / "journal").write_text("in the way")
    with pytest.raises(BadConfig, match=r"the journal .* cannot be made"):
        Journal(tmp_path / "journal")
