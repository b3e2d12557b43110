"""
A lease: which one of several processes may run the jobs, for some seconds at a time.

Why in the store and not in a lock service: it is what all processes share, and without it no job can do anything. Why two
cannot claim one term: a claim is an INSERT whose deduplication token is that term, so that the engine keeps the first and
drops the second, which then reads who was first. All times are the store's; a holder counts its own seconds from before it
asked, so that it stops no later than another may begin.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from schema.errors import StoreUnavailable
from schema.store import Store

TTL_S = 12.0
COLUMNS = ("name", "term", "n", "holder", "until")
LAST = """
SELECT
    max(l.term) AS term, argMax(l.n, (l.term, l.n)) AS n, argMax(l.holder, (l.term, l.n)) AS holder,
    argMax(l.until, (l.term, l.n)) AS until, now64(3, 'UTC') AS now
FROM leases AS l
WHERE l.name = {name:String}
"""


@dataclass(frozen=True, slots=True)
class Term:
    """The last term of a lease, and the store's time when it was read."""

    term: int
    n: int
    holder: str
    until: datetime
    now: datetime


@contextlib.contextmanager
def holding(store: Store, *, wait_s: float = TTL_S + 3) -> Iterator[bool]:
    """
    Whether the jobs are ours for as long as the block runs: always those of an embedded store, which has one process.

    Waits as long as it takes until the lease of a process that died has run out.
    """
    if store.is_embedded:
        yield True
        return
    lease, stop, end = Lease(store), threading.Event(), time.monotonic() + wait_s
    lease.renew()
    while not lease.is_held and time.monotonic() < end:
        time.sleep(0.5)
        lease.renew()
    if not lease.is_held:
        yield False
        return

    def renew() -> None:
        while not stop.wait(lease.ttl_s / 4):
            with contextlib.suppress(StoreUnavailable):
                lease.renew()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield True
    finally:
        stop.set()
        thread.join()
        lease.release()


class Lease:
    """One process's wish to hold a lease: `renew` it a few times within `ttl_s`, act only while `is_held`."""

    def __init__(self, store: Store, name: str = "jobs", *, ttl_s: float = TTL_S) -> None:
        self._store, self._name, self.ttl_s = store, name, ttl_s
        self.holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._held_until, self._term = 0.0, 0

    @property
    def term(self) -> int:
        """The number of the term in which we last held it: another one, and somebody else may have held it in between."""
        return self._term

    @property
    def is_held(self) -> bool:
        """Whether nobody else can hold it now."""
        return time.monotonic() < self._held_until

    def renew(self) -> None:
        """Claim it if it is free, prolong it if it is ours. Raises: StoreUnavailable; what was held then runs out."""
        asked_at = time.monotonic()
        last = self._last()
        left = last.until - last.now
        if last.holder == self.holder and left > timedelta(seconds=self.ttl_s / 3):
            self._write(last.term, last.n + 1, last.now + timedelta(seconds=self.ttl_s))
        elif left <= timedelta(0):
            self._claim(last)
        else:
            return
        now = self._last()
        if now.holder == self.holder:
            self._held_until, self._term = asked_at + self.ttl_s, now.term

    def release(self) -> None:
        """Let another process have it at once. Nothing happens if it is not ours."""
        last = self._last()
        self._held_until = 0.0
        if last.holder == self.holder:
            self._write(last.term, last.n + 1, last.now)

    def _last(self) -> Term:
        return Term(**self._store.query(LAST, {"name": self._name})[0])

    def _claim(self, last: Term) -> None:
        until = last.now + timedelta(seconds=self.ttl_s)
        self._write(last.term + 1, 0, until, token=f"lease {self._name} {last.term + 1}")

    def _write(self, term: int, n: int, until: datetime, *, token: str = "") -> None:
        self._store.insert("leases", COLUMNS, [(self._name, term, n, self.holder, until)], token=token)
