"""
The demo's enterprise, every batch three times, shuffled, from four senders at once: nothing may read otherwise.

What may differ by right is when we stored it, and two figures measure just that (how late a milestone reached us, which of two
tellings came first); so the clock of the sink stands still here. `received_at` is the batch's own in every arrival, as it is
for a replay; where a sender repeats a batch later, the first arrival counts (the folds take the least of an event's arrivals).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from random import Random
from typing import Any

import pytest

from collectors.sink import Sink
from schema import state
from schema.governance import Catalogue
from schema.store import Store
from tests.parts.stock import Stock
from tests.unbreakable.enterprise import ANCHOR, Delivery, deliveries, reading

EVERY, COPIES, SENDERS = 20, 3, 4


@pytest.fixture
def two(stock: Stock) -> Iterator[tuple[Store, Store]]:
    """Two empty stores of one engine."""
    taken = stock.take(), stock.take()
    yield taken
    for store in taken:
        stock.give(store)


def test_every_batch_three_times_shuffled_by_four_senders_changes_nothing(
    two: tuple[Store, Store], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The promise to every partner: send it again when in doubt, in whatever order, and no number of anybody's moves."""
    monkeypatch.setattr("collectors.commit.datetime", Still)
    told, (ordered, shuffled) = deliveries(EVERY), two
    deliver(ordered, catalogue, [told])
    state.rebuild(ordered)
    thrice = list(told) * COPIES
    Random(7).shuffle(thrice)
    deliver(shuffled, catalogue, [thrice[i::SENDERS] for i in range(SENDERS)], rounds=3)
    assert shuffled.value("SELECT count() FROM events") == COPIES * ordered.value("SELECT count() FROM events")
    once, again = reading(ordered), reading(shuffled)
    assert [name for name, rows in once.items() if not rows] == []
    for name, rows in once.items():
        assert rows == again[name], name


class Still(datetime):
    """A clock that stands still at the anchor."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return ANCHOR


def deliver(store: Store, catalogue: Catalogue, shares: Sequence[Sequence[Delivery]], rounds: int = 0) -> None:
    """Each share by a sender of its own, acknowledged batch by batch; and rounds of the state job while they are at it."""
    sink = Sink(store, catalogue)
    threads = [threading.Thread(target=_send, args=(sink, share)) for share in shares]
    for thread in threads:
        thread.start()
    for _ in range(rounds):
        state.refresh(store, since=state.EPOCH)
    for thread in threads:
        thread.join()
    sink.close()
    if rounds:
        state.refresh(store, since=state.EPOCH)


def _send(sink: Sink, share: Sequence[Delivery]) -> None:
    for start in range(0, len(share), 50):
        for future in [sink.submit(*told) for told in share[start : start + 50]]:
            assert future.result().rejected is None
