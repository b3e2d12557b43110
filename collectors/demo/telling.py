"""
Who says what, when, and over which call: the statements and calls of one story, before they are rows and spans.

Why both in one place: the trace of an event must be the trace of the span that carried it, so a call is made first and the
statement takes its ids. The normal noise of an enterprise (late, twice, corrected, retracted, retried) is made here too, from
the story's own dice, because it must be the same in every replay.
Units: seconds since 1970; `said_at` is when the sender lets go of it, `at` when it happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import exp
from random import Random
from statistics import NormalDist
from typing import Any, NamedTuple

from collectors.demo.cast import service_of
from schema.events import event_id

LATE, TWICE, CORRECTED, WRONG_PLACE = 0.055, 0.003, 0.006, 0.004
FAILED_ONCE, THROTTLED = 0.002, 0.018
UNTRACED = 0.02
CORRECTABLE = ("picked", "packed", "acknowledged")
KINDS = {"portal": 2, "carrier": 5, "wms": 4}
# Quantiles of a log-normal round trip: median 164 ms, p95 560 ms.
LATENCIES_MS = tuple(max(8, int(exp(5.1 + 0.75 * NormalDist().inv_cdf((i + 0.5) / 400)))) for i in range(400))
AWAY = "503 Service Unavailable"

Related = tuple[tuple[str, str], ...]
Retries = Callable[[str, int], int]


class Teller(NamedTuple):
    """A system that makes statements: its name and role, the source it speaks through, and how soon it speaks (s)."""

    system: str
    role: str
    source: str
    lag: tuple[int, int] = (3, 50)


class Cuts(NamedTuple):
    region: str = ""
    warehouse: str = ""
    carrier: str = ""
    customer: str = ""
    order_class: str = ""
    mode: str = ""


@dataclass(slots=True)
class Call:
    """One span: an attempt to bring one message over one interface."""

    interface: str
    service: str
    kind: int
    at: int
    ms: int
    trace: str
    span: str
    parent: str
    link: tuple[str, str]
    region: str
    partner: str
    object_type: str
    object_id: str
    message: str
    attempt: int = 1
    error: str = ""
    is_throttled: bool = False


@dataclass(slots=True)
class Said:
    """One statement about one object, as its sender makes it."""

    said_at: int
    at: int
    object_type: str
    object_id: str
    state: str
    teller: Teller
    cuts: Cuts
    event_id: str = ""
    trace: str = ""
    span: str = ""
    related: Related = ()
    classifier: str = "ACT"
    location: str = ""
    amount: int = 0
    currency: str = ""
    quantity: float = 0.0
    unit: str = ""
    keys: tuple[str, ...] = ()
    correlation: str = ""
    exception: str = ""
    code: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    version: int = 1
    is_retracted: bool = False


def once(_interface: str, _at: int) -> int:
    """A world in which no interface is slow: one attempt a message."""
    return 1


class Story:
    """The statements and calls of one order (or movement), told with the dice of its plan."""

    def __init__(self, rng: Random, retries: Retries = once, pace: float = 1.0) -> None:
        self.rng, self.pace, self._retries = rng, pace, retries
        self.said: list[Said] = []
        self.calls: list[Call] = []

    def heard(self, teller: Teller, at: int, late_h: float = 0) -> int:
        """When the teller says what happened at `at`: soon, or now and then up to `late_h` hours late."""
        low, high = teller.lag
        soon = at + low + int(self.rng.random() * (high - low)) if self.pace == 1 else at
        if late_h and self.pace == 1 and self.rng.random() < LATE:
            return soon + int(3600 * self.rng.uniform(min(1.0, late_h / 2), late_h))
        return soon

    def say(
        self, teller: Teller, object_: tuple[str, str], state: str, at: int, cuts: Cuts, call: Call | None, **more: Any
    ) -> Said:
        """Make a statement, carried by `call`; `said_at` is the call's unless told. Now and then it is said twice or mended."""
        said_at = more.pop("said_at", None) or self.heard(teller, at)
        said = Said(said_at, at, *object_, state, teller, cuts, **more)
        said.event_id = event_id(teller.system, *object_, state, said.classifier, f"{at}", f"{said.code}{said.location}")
        if call and self.rng.random() >= UNTRACED:
            said.trace, said.span = call.trace, call.span
        self.said.append(said)
        if self.rng.random() < TWICE:
            self.said.append(replace(said, said_at=said.said_at + self.rng.randint(60, 3600)))
        if state in CORRECTABLE and self.rng.random() < CORRECTED:
            self.said.append(replace(said, said_at=said.said_at + 1200, at=at - 45, version=2))
        return said

    def misplace(self, said: Said) -> None:
        """Now and then a carrier scans a parcel at a wrong place and takes it back half an hour later."""
        if self.rng.random() < WRONG_PLACE:
            id_ = event_id(said.event_id, "misread")
            wrong = replace(said, event_id=id_, at=said.at + 60, said_at=said.said_at + 60, location="misread scan")
            self.said += [wrong, replace(wrong, said_at=wrong.said_at + 1800, version=2, is_retracted=True)]

    def call(
        self,
        interface: str,
        at: int,
        object_: tuple[str, str],
        cuts: Cuts,
        *,
        parent: Call | None = None,
        is_queued: bool = False,
        partner: str = "",
    ) -> Call:
        """The call that brings a message over an interface at `at`, after the attempts that it took before."""
        bits = f"{self.rng.getrandbits(256):064x}"
        trace = parent.trace if parent and not is_queued else bits[:32]
        link = (parent.trace, parent.span) if parent and is_queued else ("", "")
        last = Call(
            interface, service_of(interface, cuts.warehouse), KINDS.get(interface.partition(".")[0], 3), at, self._latency_ms(),
            trace, bits[32:48], parent.span if parent and not is_queued else "", link, cuts.region, partner,
            *object_, bits[48:],
        )  # fmt: skip
        self._tries_before(last)
        self.calls.append(last)
        return last

    def fail(self, interface: str, at: int, object_: tuple[str, str], cuts: Cuts, error: str, message: str) -> None:
        """A message that does not get through."""
        trace, span = f"{self.rng.getrandbits(128):032x}", f"{self.rng.getrandbits(64):016x}"
        service, kind = service_of(interface, cuts.warehouse), KINDS.get(interface.partition(".")[0], 3)
        self.calls.append(
            Call(interface, service, kind, at, self._latency_ms(), trace, span, "", ("", ""), cuts.region, cuts.carrier,
                 *object_, message, 1, error)
        )  # fmt: skip

    def _tries_before(self, last: Call) -> None:
        n, dice = self._retries(last.interface, last.at), self.rng.random()
        is_failed = n == 1 and dice < FAILED_ONCE
        n = 2 if n == 1 and dice < FAILED_ONCE + THROTTLED else n
        last.attempt = n
        for k in range(1, n):
            self.calls.append(
                replace(last, at=last.at - 15 * (n - k), span=f"{self.rng.getrandbits(64):016x}", attempt=k,
                        ms=self._latency_ms(), error=AWAY if is_failed else "", is_throttled=not is_failed)
            )  # fmt: skip

    def _latency_ms(self) -> int:
        return LATENCIES_MS[int(self.rng.random() * len(LATENCIES_MS))]
