"""
A pool of the driver's clients, for one use each: what one use waits for must not wait for another's.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from schema.errors import StoreUnavailable


class Closes(Protocol):
    """What is asked of a client here."""

    def close(self) -> None: ...


C = TypeVar("C", bound=Closes)


class Pool(Generic[C]):
    """At most `size` clients, opened when first needed, last used first."""

    def __init__(self, make: Callable[[], C], size: int) -> None:
        self._make = make
        self._slots = threading.BoundedSemaphore(size)
        self._idle: queue.LifoQueue[C] = queue.LifoQueue()

    def take(self) -> C:
        if not self._slots.acquire(timeout=30):
            raise StoreUnavailable("the store is busy: no free handle within 30 s")
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            pass
        try:
            return self._make()
        except BaseException:
            self._slots.release()
            raise

    def give(self, client: C) -> None:
        self._idle.put(client)
        self._slots.release()

    def close(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()
