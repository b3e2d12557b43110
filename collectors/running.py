"""
What the runner lends to a kind, and what a kind gives back: the whole surface between them.

A kind is a module with `start(source, means) -> Running` and, if it takes options, a pydantic model `Options`. Why so
little: a listener gives routes, a poller gives a function for the clock, and neither needs to know threads, the
scheduler or the store; a new kind is then one file, and a test may drive it with a `deliver` of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from collectors.message import Finding, Message, Source

if TYPE_CHECKING:
    from starlette.routing import Route

    from collectors.config import Settings
    from collectors.gate import Gate


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a delivered message, said only once that is in the store. `rejected` is the reason, if all of it was."""

    n_rows: int = 0
    findings: tuple[Finding, ...] = ()
    n_rejects: int = 0
    rejected: str | None = None


Deliver = Callable[[Source, Message], Awaitable[Receipt]]
DeliverNow = Callable[[Source, Message], Receipt]


@dataclass(frozen=True, slots=True)
class Done:
    """What one run of a job did: how many it worked through, how far it got (where it works through time), and a note."""

    n: int = 0
    mark: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Means:
    """
    What a kind may use: two ways to deliver, the settings, the media types that the source's format understands, and what
    the doors of all sources share (without it, a door shares with nobody).
    """

    deliver: Deliver
    deliver_now: DeliverNow
    settings: Settings
    content_types: Sequence[str] = ()
    gate: Gate | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """What a kind starts: routes for the intake port, or a poll for the scheduler with its pause."""

    routes: Sequence[Route] = ()
    poll: Callable[[], None] | None = None
    every_s: float = 1.0
