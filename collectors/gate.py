"""
What all doors of a process share: the keys, the room for bodies under way, and each sender's allowance.

Why shared: a source has several doors (OTLP has three), and a limit that each of them counts anew is none.
Why a debt and no queue: a request is let in while its sender has anything left, is then charged for all the bytes that it
brings, and what was overdrawn is waited for before the next. A body of any size so gets through, and no request waits here.
Why the number of requests at once is bounded by source: one that trickles a byte a second would else hold all connections.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

import structlog

from collectors.config import Settings
from collectors.fairness import FairPool, Room
from collectors.keys import Keyring
from collectors.refused import Refused, too_many

log = structlog.get_logger(__name__)
TELL_EVERY_S = 60.0
TOLD = (401, 403, 429)

Clock = Callable[[], float]


class Gate:
    """Shared by the doors of a process. Counting bytes is safe between threads; the rest is for the event loop."""

    def __init__(self, settings: Settings, clock: Clock = time.monotonic) -> None:
        limits = settings.limits
        self.keyring = Keyring(settings.keys_file)
        self.room = Room(limits.max_queue_bytes)
        self.unpackers = FairPool(2, "unpack")
        self._clock = clock
        self._max_at_once = limits.max_requests_at_once
        self._at_once: defaultdict[str, int] = defaultdict(int)
        self._requests = _Buckets(limits.max_requests_per_s, "requests", "max_requests_per_s")
        self._bytes = _Buckets(limits.max_bytes_per_s, "bytes", "max_bytes_per_s")
        self._refusals: dict[tuple[str, int], tuple[float, int]] = {}

    @contextlib.contextmanager
    def passing(self, source: str, whose: str) -> Iterator[None]:
        """A request under way. Raises: Refused (429), if its sender has no allowance left or too many of them already."""
        now = self._clock()
        for buckets in (self._requests, self._bytes):
            buckets.check(whose, now)
        if self._at_once[source] >= self._max_at_once:
            text = f"{self._max_at_once} requests of source {source!r} are under way, and no more may be"
            raise too_many(f"{text} (limits.max_requests_at_once)")
        self._requests.charge(whose, 1)
        self._at_once[source] += 1
        try:
            yield
        finally:
            self._at_once[source] -= 1

    def charge(self, whose: str, n_bytes: int) -> None:
        """Count bytes that a sender has brought, or that its body unfolded to."""
        self._bytes.charge(whose, n_bytes)

    def tell(self, source: str, refused: Refused) -> None:
        """Log that a sender was turned away: once a minute for each source and status, with how many it were since."""
        if refused.status not in TOLD:
            return
        key, now = (source, refused.status), self._clock()
        told_at, n = self._refusals.get(key, (-TELL_EVERY_S, 0))
        if now - told_at < TELL_EVERY_S:
            self._refusals[key] = (told_at, n + 1)
            return
        self._refusals[key] = (now, 0)
        log.warning("refused", source=source, status=refused.status, reason=str(refused), n=n + 1)


class _Buckets:
    """A token bucket for each sender: what it may use in a second, and no more than one second's worth saved up."""

    def __init__(self, per_s: int, what: str, name: str) -> None:
        self._per_s, self._what, self._name = per_s, what, name
        self._lock = threading.Lock()  # bodies are charged for by the threads that unfold them
        self._left: dict[str, tuple[float, float]] = {}

    def check(self, whose: str, now: float) -> None:
        """Raises: Refused (429) with the time until the debt is worked off."""
        if not self._per_s:
            return
        with self._lock:
            left, at = self._left.get(whose, (float(self._per_s), now))
            left = min(float(self._per_s), left + (now - at) * self._per_s)
            self._left[whose] = (left, now)
        if left <= 0:
            text = f"{self._per_s:,} {self._what} a second are allowed (limits.{self._name}), and more were sent"
            raise too_many(text, -left / self._per_s)

    def charge(self, whose: str, n: int) -> None:
        if self._per_s:
            with self._lock:
                left, at = self._left[whose]
                self._left[whose] = (left - n, at)
