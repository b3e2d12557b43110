"""
Answers that all sessions share: one asks for all, an older one is drawn meanwhile, and what was cleared is asked anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dashboard import kept
from dashboard.kept import Kept
from tests.parts.wait import until


class Slow:
    """A store that answers with a new number each time, and only when it is let."""

    def __init__(self) -> None:
        self.n, self.is_let, self.begun = 0, threading.Event(), threading.Event()
        self.is_let.set()

    def ask(self, mark: str, *args: object) -> tuple[object, ...]:
        self.n += 1
        n = self.n
        self.begun.set()
        assert self.is_let.wait(20)
        return (n, *args)

    def hold(self) -> None:
        """From now on it does not answer."""
        self.is_let.clear()
        self.begun.clear()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    monkeypatch.setattr(kept, "REST", 0)
    found = Slow()
    yield found
    found.is_let.set()


def test_ten_viewers_cost_one_query(slow: Slow) -> None:
    """Ten people who watch one page must not ask the store ten times, however long it takes."""
    slow.hold()
    answers = Kept(slow.ask)
    with ThreadPoolExecutor(10) as viewers:
        drawn = [viewers.submit(answers, "mark", ("region=EU-West",)) for _ in range(10)]
        assert slow.begun.wait(20)
        time.sleep(0.1)
        slow.is_let.set()
        assert {d.result() for d in drawn} == {(1, ("region=EU-West",))}


def test_another_part_of_the_data_is_another_answer(slow: Slow) -> None:
    """What is kept for one who sees all must never be drawn for one who sees a region."""
    answers = Kept(slow.ask)
    assert answers("mark", ()) == (1, ())
    assert answers("mark", ("region=EU-West",)) == (2, ("region=EU-West",))
    assert answers("mark", ()) == (1, ())


def test_who_has_an_answer_does_not_wait_for_a_slow_store(slow: Slow) -> None:
    """A part that refreshes draws what is known, and the new answer with its next refresh."""
    answers = Kept(slow.ask)
    assert answers("before", 7) == (1, 7)
    slow.hold()
    assert answers("after", 7) == (1, 7)
    slow.is_let.set()
    until(lambda: answers("after", 7) == (2, 7))
    assert slow.n == 2


def test_an_answer_that_is_too_old_is_waited_for(slow: Slow) -> None:
    """No page may show for minutes what was true minutes ago, and look alive."""
    answers = Kept(slow.ask, oldest_s=0)
    assert answers("before") == (1,)
    assert answers("after") == (2,)


def test_what_a_verb_has_changed_is_asked_anew(slow: Slow) -> None:
    """Not even an answer that is on its way is kept: the store may have given it before the verb."""
    answers = Kept(slow.ask)
    slow.hold()
    with ThreadPoolExecutor(2) as viewers:
        before = viewers.submit(answers, "mark")
        assert slow.begun.wait(20)
        answers.clear()
        after = viewers.submit(answers, "mark")
        until(lambda: slow.n == 2)
        slow.is_let.set()
        assert (before.result(), after.result()) == ((1,), (2,))
    assert answers("mark") == (2,)


def test_what_is_not_waited_for_comes_later(slow: Slow) -> None:
    """An incident is shown before its cause is known; the cause follows."""
    answers = Kept(slow.ask, is_waited_for=False)
    slow.hold()
    assert answers("mark") is None
    slow.is_let.set()
    until(lambda: answers("mark") == (1,))


def test_a_dear_statement_rests(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    """While events come in something has changed all the time; what took long is not asked again at once."""
    monkeypatch.setattr(kept, "REST", 1e9)
    answers = Kept(slow.ask)
    assert [answers(str(n)) for n in range(5)] == [(1,)] * 5


def test_nobody_changes_what_another_sees() -> None:
    """A page that sorts its rows in place must not sort everybody's."""
    answers = Kept(lambda mark: [3, 1, 2])
    answers("mark").sort()
    assert answers("mark") == [3, 1, 2]


def test_a_read_within_a_read_does_not_wait_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The few threads that ask may ask for each other's reads: none may wait for a thread that waits for it."""
    monkeypatch.setattr(kept, "_asking", ThreadPoolExecutor(1))
    inner = Kept(lambda mark: 1)
    outer = Kept(lambda mark: inner("mark") + 1)
    assert outer("mark") == 2
