"""
From a message to stored rows: decode, wait for the group commit, and only then say so.

Why group commit and not one INSERT a message: an INSERT costs 10 to 20 ms whatever it holds, so many waiting messages
share one. Why the sender waits for it and no memory queue is acknowledged: what was acknowledged must survive a crash,
and the sender's copy is the only other one. What waits is bounded in bytes; beyond that the sender is told to come back.

Why executors and callbacks: an error that nobody foresaw travels through a Future to the one who delivered, so that no
thread dies silently and nothing here has to catch everything.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from collectors.commit import Waiting, commit
from collectors.config import MB, Limits, format_module
from collectors.message import Context, Decoded, Message, Source
from collectors.running import Receipt
from schema.errors import BadPayload, StoreUnavailable
from schema.governance import Catalogue
from schema.store import Store

__all__ = ["Overloaded", "Receipt", "Room", "Sink"]

GROUP_ROWS = 20_000
GROUP_BYTES = 10 * MB


class Overloaded(StoreUnavailable):
    """More waits than may wait: the sender keeps its data and comes back (HTTP 429 or 503 with Retry-After)."""


class Room:
    """A budget of bytes in memory, taken before they are there and given back when they are gone."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._used = 0
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        return self._used

    def take(self, n: int) -> None:
        """Take n bytes; the first comer always fits, so that no size of message is refused for ever."""
        with self._lock:
            if self._used and self._used + n > self._size:
                raise Overloaded(f"{self._used:,} bytes wait to be stored, {self._size:,} may (limits.max_queue_bytes)")
            self._used += n

    def give(self, n: int) -> None:
        with self._lock:
            self._used -= n


class Sink:
    """
    Delivers messages into a store. Safe to share between threads and event loops.

    Raises: StoreUnavailable (Overloaded) from deliver and deliver_now: nothing was acknowledged, send it again.
    """

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        limits: Limits | None = None,
        *,
        linger_s: float = 0.01,
        writers: int = 2,
    ) -> None:
        self.catalogue = catalogue
        self._store = store
        self._linger_s = linger_s
        self._room = Room((limits or Limits()).max_queue_bytes)
        self._waiting: deque[Waiting] = deque()
        self._n_rows = self._n_bytes = 0
        self._arrived = threading.Condition()
        self._slots = threading.Semaphore(writers)
        self._is_closed = self._is_drained = False
        self._decoders = ThreadPoolExecutor(2, thread_name_prefix="decode")
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="commit")
        self._dispatcher = threading.Thread(target=self._dispatch, name="sink", daemon=True)
        self._dispatcher.start()

    # --- delivering ----------------------------------------------------------------------------------------------------
    async def deliver(self, source: Source, message: Message) -> Receipt:
        """Return when the message is stored, or stands in `rejects` with its bytes and the reason."""
        return await asyncio.wrap_future(self.submit(source, message))

    def deliver_now(self, source: Source, message: Message) -> Receipt:
        """As `deliver`, for callers without an event loop."""
        return self.submit(source, message).result()

    def submit(self, source: Source, message: Message) -> Future[Receipt]:
        """Start a delivery; the Future ends when `deliver` would return."""
        if self._is_closed:
            raise StoreUnavailable("Milepost is shutting down: send it again when it is up")
        self._room.take(len(message.body))
        future: Future[Receipt] = Future()
        future.set_running_or_notify_cancel()  # a sender that hangs up does not undo what is under way
        task = self._decoders.submit(self._decode, source, message, future)
        task.add_done_callback(partial(self._decoded, message, future))
        return future

    @property
    def depth(self) -> dict[str, int]:
        """What waits: messages that are decoded, and the bytes of all that is under way."""
        return {"messages": len(self._waiting), "bytes": self._room.used}

    def close(self) -> None:
        """Take nothing more, store all that waits, then end the threads."""
        self._is_closed = True
        self._decoders.shutdown(wait=True)
        with self._arrived:
            self._is_drained = True
            self._arrived.notify_all()
        self._dispatcher.join()
        self._writers.shutdown(wait=True)

    # --- in the decode threads -----------------------------------------------------------------------------------------
    def _decode(self, source: Source, message: Message, future: Future[Receipt]) -> Waiting:
        began = time.perf_counter()
        decoded, reason = Decoded(), None
        try:
            decoded = format_module(source.format).decode(message, Context(source, self.catalogue))
        except BadPayload as err:
            reason = str(err)
        now = time.perf_counter()
        stored = replace(decoded, events=())  # the rows say the same; the dry run alone reads the events
        return Waiting(source, message, stored, reason, now - began, now, future)

    def _decoded(self, message: Message, future: Future[Receipt], task: Future[Waiting]) -> None:
        if err := task.exception():
            self._room.give(len(message.body))
            future.set_exception(err)
            return
        with self._arrived:
            self._waiting.append(task.result())
            self._count(task.result(), 1)
            self._arrived.notify()

    # --- in the dispatcher and the writer threads ------------------------------------------------------------------------
    def _dispatch(self) -> None:
        while True:
            self._slots.acquire()
            group = self._next_group()
            if not group:
                return
            task = self._writers.submit(commit, self._store, group)
            task.add_done_callback(partial(self._finish, group))

    def _next_group(self) -> list[Waiting]:
        """All that waits, up to a group; empty when the sink is drained."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting or self._is_drained)
            self._arrived.wait_for(self._is_full, timeout=self._linger_s)
            group: list[Waiting] = []
            rows = size = 0
            while self._waiting and rows < GROUP_ROWS and size < GROUP_BYTES:
                group.append(self._waiting.popleft())
                self._count(group[-1], -1)
                rows += group[-1].n_rows
                size += len(group[-1].message.body)
            return group

    def _count(self, waiting: Waiting, sign: int) -> None:
        self._n_rows += sign * waiting.n_rows
        self._n_bytes += sign * len(waiting.message.body)

    def _is_full(self) -> bool:
        return self._is_drained or self._n_bytes >= GROUP_BYTES or self._n_rows >= GROUP_ROWS

    def _finish(self, group: Sequence[Waiting], task: Future[None]) -> None:
        self._slots.release()
        self._room.give(sum(len(w.message.body) for w in group))
        err = task.exception()
        for waiting in group:
            if err:
                waiting.future.set_exception(err)
            else:
                waiting.future.set_result(waiting.receipt())
