"""
Fair shares of what all sources use together: bytes in memory, threads, places in a group commit.

Why a source may hold no more than what is still free beside it: one source alone then gets half of the room, two a third
each, n sources 1/(n+1) each, and whoever comes next always finds room, without a reservation for each of many sources of
which most are silent (dynamic thresholds: Choudhury and Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet
Switches", 1998).

Why turns are counted in bytes and not in messages: a source that sends bodies of 20 MB would otherwise get a thousand times
the time of one that sends 20 kB. The next turn is that of the source that has had least since it began to wait (fair
queueing by virtual time); a source that was silent gets no credit for it.

Why a source alone leaves one lane free, and has one at a time while others are about: what runs cannot be taken back, so that
who comes while a flood holds all threads would wait for the end of the flood's work, and not only for its turn.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from schema.errors import StoreUnavailable

T = TypeVar("T")
ABOUT_S = 1.0
TURN_BYTES = 1024  # what a turn costs beside its bytes: an empty message is work too


class Overloaded(StoreUnavailable):
    """More waits than may wait: the sender keeps its data and comes back (HTTP 429 or 503 with Retry-After)."""


class Room:
    """A budget of bytes in memory, taken before they are there and given back when they are gone. Safe between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._used = 0
        self._held: defaultdict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        return self._used

    def take(self, n: int, whose: str = "") -> None:
        """Take n bytes for a source; the first comer always fits, so that no size of message is refused for ever."""
        with self._lock:
            held, free = self._held[whose], self._size - self._used
            if self._used and held + n > free:
                raise Overloaded(
                    f"{self._used:,} bytes wait to be stored, {held:,} of them of this source; {self._size:,} may wait, and of "
                    "one source no more than is free beside it (limits.max_queue_bytes)"
                )
            self._used += n
            self._held[whose] += n

    def give(self, n: int, whose: str = "") -> None:
        with self._lock:
            self._used -= n
            self._held[whose] -= n
            if not self._held[whose]:
                del self._held[whose]


class Turns(Generic[T]):
    """
    What waits, by source, taken in turns and under way until it is said to be done. Not safe between threads by itself: its
    owner holds a lock.
    """

    def __init__(self) -> None:
        self._queues: dict[str, deque[tuple[T, int]]] = {}
        self._had: defaultdict[str, int] = defaultdict(int)
        self._under_way: Counter[str] = Counter()
        self._seen_at: dict[str, float] = {}
        self._now = 0
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def put(self, item: T, whose: str, n_bytes: int) -> None:
        if whose not in self._queues:
            self._queues[whose] = deque()
            self._had[whose] = max(self._had[whose], self._now)
        self._queues[whose].append((item, n_bytes + TURN_BYTES))
        self._seen_at[whose] = time.monotonic()
        self._n += 1

    def may_go(self, is_last_lane: bool) -> list[str]:
        """Whose turn may be next: sources of which nothing is under way; one that is alone has every lane but the last."""
        idle = [whose for whose in self._queues if not self._under_way[whose]]
        return idle or ([] if is_last_lane or self._n_about() > 1 else list(self._queues))

    def take(self, among: Collection[str]) -> T | None:
        """The first that waits of the source whose turn it is; None, if none of these waits any more."""
        waiting = self._queues.keys() & among
        if not waiting:
            return None
        whose = min(waiting, key=lambda one: (self._had[one], one))
        self._now = max(self._now, self._had[whose])
        item, cost = self._queues[whose].popleft()
        self._had[whose] += cost
        self._under_way[whose] += 1
        self._n -= 1
        if not self._queues[whose]:
            del self._queues[whose]
        return item

    def done(self, whose: str) -> None:
        self._under_way[whose] -= 1
        self._seen_at[whose] = time.monotonic()
        if not self._under_way[whose]:
            del self._under_way[whose]

    def _n_about(self) -> int:
        """How many sources have something here, or had until a moment ago."""
        lately = time.monotonic() - ABOUT_S
        return len(self._queues.keys() | self._under_way.keys() | {one for one, at in self._seen_at.items() if at > lately})


@dataclass(frozen=True, slots=True)
class _Task:
    """What a pool has to run, and whose future is told."""

    whose: str
    act: Callable[..., Any]
    args: tuple[Any, ...]
    future: Future[Any]


class FairPool:
    """An executor of `n` threads and one more, whose free threads take the task of the source whose turn it is."""

    def __init__(self, n: int, name: str) -> None:
        self._n_lanes, self._n_busy = n + 1, 0
        self._threads = ThreadPoolExecutor(self._n_lanes, thread_name_prefix=name)
        self._turns: Turns[_Task] = Turns()
        self._changed = threading.Condition()

    def submit(self, whose: str, n_bytes: int, act: Callable[..., T], *args: Any) -> Future[T]:
        """Run `act` in a thread when the turn of its source comes."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # who stops waiting does not undo what is under way
        with self._changed:
            self._turns.put(_Task(whose, act, args, future), whose, n_bytes)
        self._start_next()
        return future

    def shutdown(self) -> None:
        """Run all that waits, then end the threads."""
        with self._changed:
            self._changed.wait_for(lambda: not self._turns)
        self._threads.shutdown(wait=True)

    def _start_next(self) -> None:
        with self._changed:
            if self._n_busy == self._n_lanes:
                return
            task = self._turns.take(self._turns.may_go(self._n_busy == self._n_lanes - 1))
            if task is None:
                return
            self._n_busy += 1
            running = self._threads.submit(task.act, *task.args)
        running.add_done_callback(partial(self._ended, task))

    def _ended(self, task: _Task, running: Future[Any]) -> None:
        with self._changed:
            self._n_busy -= 1
            self._turns.done(task.whose)
        self._start_next()
        with self._changed:
            self._changed.notify_all()
        if err := running.exception():
            task.future.set_exception(err)
        else:
            task.future.set_result(running.result())
