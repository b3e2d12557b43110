"""
From a message to stored rows: decode, wait for the group commit, and only then say so.

Why group commit and not one INSERT a message: an INSERT costs 10 to 50 ms whatever it holds, so many waiting messages
share one. Why the sender waits for it and no memory queue is acknowledged: what was acknowledged must survive a crash,
and the sender's copy is the only other one. What waits is bounded in bytes; beyond that the sender is told to come back.

Why a group waits a moment for what its source has at the decoders: of 48 senders who are answered at once, the first few to
be back would else be a group of their own, at the price of a whole one.

Why sources take turns at the decoders and at the places of a group, and share the room (collectors/fairness.py): one that
floods must find itself waiting, and not the others.

Why executors and callbacks: an error that nobody foresaw travels through a Future to the one who delivered, so that no
thread dies silently and nothing here has to catch everything.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from collectors.commit import Waiting, commit
from collectors.config import MB, Limits, format_module
from collectors.fairness import FairPool, Overloaded, Room, Turns
from collectors.journal import Journal
from collectors.masking import masked
from collectors.message import Context, Decoded, Message, Source
from collectors.running import Receipt
from schema.errors import BadPayload, StoreUnavailable
from schema.governance import Catalogue
from schema.store import Store

__all__ = ["Overloaded", "Receipt", "Room", "Sink"]

GROUP_ROWS = 20_000
GROUP_BYTES = 10 * MB
GATHER_S = 0.05  # at most, for what is being decoded


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
        journal: Journal | None = None,
    ) -> None:
        self.catalogue = catalogue
        self._store = store
        self._journal = journal or Journal()
        self._linger_s = linger_s
        self._room = Room((limits or Limits()).max_queue_bytes)
        self._waiting: Turns[Waiting] = Turns()
        self._n_rows = self._n_bytes = 0
        self._decoding: Counter[str] = Counter()
        self._arrived = threading.Condition()
        self._n_lanes, self._n_groups, self._bytes_under_way = writers + 1, 0, 0
        self._is_closed = self._is_drained = False
        self._decoders = FairPool(2, "decode")
        self._writers = ThreadPoolExecutor(self._n_lanes, thread_name_prefix="commit")
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
        self._room.take(len(message.body), source.name)
        with self._arrived:
            self._decoding[source.name] += 1
        future: Future[Receipt] = Future()
        future.set_running_or_notify_cancel()  # a sender that hangs up does not undo what is under way
        task = self._decoders.submit(source.name, len(message.body), self._decode, source, message, future)
        task.add_done_callback(partial(self._decoded, source, message, future))
        return future

    @property
    def depth(self) -> dict[str, int]:
        """What waits: messages that are decoded, and the bytes of all that is under way."""
        return {"messages": len(self._waiting), "bytes": self._room.used}

    def close(self) -> None:
        """Take nothing more, store all that waits, then end the threads."""
        self._is_closed = True
        self._decoders.shutdown()
        with self._arrived:
            self._is_drained = True
            self._arrived.notify_all()
        self._dispatcher.join()
        self._writers.shutdown(wait=True)

    # --- in the decode threads -----------------------------------------------------------------------------------------
    def _decode(self, source: Source, message: Message, future: Future[Receipt]) -> Waiting:
        began, n_bytes = time.perf_counter(), len(message.body)
        message, reason = masked(source, message)
        decoded = Decoded()
        try:
            if not reason:
                decoded = format_module(source.format).decode(message, Context(source, self.catalogue))
        except BadPayload as err:
            reason = str(err)
        now = time.perf_counter()
        stored = replace(decoded, found=())  # the blocks say the same; the dry run alone reads what was found
        return Waiting(source, message, stored, reason, now - began, now, future, n_bytes)

    def _decoded(self, source: Source, message: Message, future: Future[Receipt], task: Future[Waiting]) -> None:
        err = task.exception()
        with self._arrived:
            self._decoding[source.name] -= 1
            if not err:
                self._waiting.put(task.result(), source.name, len(message.body))
                self._count(task.result(), 1)
            self._arrived.notify()
        if err:
            self._room.give(len(message.body), source.name)
            future.set_exception(err)

    # --- in the dispatcher and the writer threads ------------------------------------------------------------------------
    def _dispatch(self) -> None:
        while group := self._next_group():
            task = self._writers.submit(commit, self._store, group, self._journal)
            task.add_done_callback(partial(self._finish, group))

    def _next_group(self) -> list[Waiting]:
        """What waits and may go, in turns, up to a group; empty when the sink is drained."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._may_go() or (self._is_drained and not self._waiting))
            self._arrived.wait_for(self._is_full, timeout=self._linger_s)
            self._arrived.wait_for(self._is_gathered, timeout=GATHER_S)
            group: list[Waiting] = []
            sources, rows, size = self._may_go(), 0, 0
            while rows < GROUP_ROWS and size < GROUP_BYTES and (waiting := self._waiting.take(sources)):
                group.append(waiting)
                self._count(waiting, -1)
                rows += waiting.n_rows
                size += waiting.n_bytes
            self._n_groups += bool(group)
            self._bytes_under_way += size
            return group

    def _may_go(self) -> Sequence[str]:
        """
        The sources that a group may be made of now; none, while all lanes are taken. One that is alone and has a group under
        way gets a second lane for half as much and not for less: of 48 senders whoever is answered first would else be a group
        alone. (Were as much again asked for, the lane would stay empty: a group of 26 under way, and 22 that wait for it.)
        """
        n_free = self._n_lanes - self._n_groups
        is_little = 2 * self._n_bytes < self._bytes_under_way and not self._is_full()
        return self._waiting.may_go(n_free == 1 or is_little) if n_free else ()

    def _is_gathered(self) -> bool:
        """Whether a group would be full, be of several sources, or have all that has come of its one source."""
        sources = self._may_go()
        return self._is_full() or len(sources) != 1 or not self._decoding[sources[0]]

    def _count(self, waiting: Waiting, sign: int) -> None:
        self._n_rows += sign * waiting.n_rows
        self._n_bytes += sign * waiting.n_bytes

    def _is_full(self) -> bool:
        return self._is_drained or self._n_bytes >= GROUP_BYTES or self._n_rows >= GROUP_ROWS

    def _finish(self, group: Sequence[Waiting], task: Future[None]) -> None:
        with self._arrived:
            self._n_groups -= 1
            for waiting in group:
                self._waiting.done(waiting.source.name)
                self._bytes_under_way -= waiting.n_bytes
            self._arrived.notify_all()
        for waiting in group:
            self._room.give(waiting.n_bytes, waiting.source.name)
        err = task.exception()
        for waiting in group:
            if failed := err or waiting.failed:
                waiting.future.set_exception(failed)
            else:
                waiting.future.set_result(waiting.receipt())
