"""
The history as blocks of bytes: what one INSERT each brings into the store, and at the end the truth about its faults.

Why bytes: they are made in a process of their own (apart.py) and decoded by the engine, so that neither Python tuples nor the
interpreter's lock stand between the two. Why in a fixed order and size: a block's position is its name, by which a load that
is begun again folds into the one before.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from collectors import arrow
from collectors.demo import telemetry
from collectors.demo.cast import TRACES
from collectors.demo.rows import Row, Rows, message_batch, message_row
from collectors.demo.telling import Call
from collectors.demo.truth import Truth
from collectors.demo.world import World
from schema.events import message_id
from schema.governance import Catalogue

SPAN_DAYS = 21  # telemetry is kept for a shorter time than business events
DAY_S = 86_400
CHUNK_ROWS = 30_000
CHUNK_SPANS = 10 * telemetry.SPANS_A_BODY
EVENTS, SPANS, MESSAGES, TRUTH = "events", "spans", "messages", "truth"


@dataclass(frozen=True, slots=True)
class Block:
    """The bytes of one INSERT of `n` rows; those of the truth are JSON."""

    kind: str
    body: bytes
    n: int


def blocks(world: World, catalogue: Catalogue) -> Iterator[Block]:
    """All that is known by the anchor: events and spans as their stories are told, then messages, then the truth."""
    with _calm_collector():
        yield from _Telling(world).blocks()
        if not world.faults.is_healthy:
            faults = [fault.as_dict() for fault in Truth(world, catalogue).faults()]
            yield Block(TRUTH, orjson.dumps(faults), len(faults))


class _Telling:
    """Walks once through all stories and gathers what they say."""

    def __init__(self, world: World) -> None:
        self._world, self._rows = world, Rows(world.anchor)
        self._calls: list[Call] = []
        self._bodies: list[tuple[str, int, int]] = []

    def blocks(self) -> Iterator[Block]:
        spans_since = self._world.anchor - SPAN_DAYS * DAY_S
        for story in self._world.stories():
            self._rows.take(story.said)
            self._calls += [call for call in self._world.happened(story) if call.at >= spans_since]
            if len(self._rows) >= CHUNK_ROWS:
                yield self._events()
            if len(self._calls) >= CHUNK_SPANS:
                yield self._spans()
        if self._rows:
            yield self._events()
        if self._calls:
            yield self._spans()
        broken = self._world.faults
        batches = self._rows.messages(self._world.since, broken.eta_until, broken.missed_nights)
        batch = message_batch([*batches, *self._exported()])
        yield Block(MESSAGES, arrow.encoded(batch), batch.num_rows)

    def _events(self) -> Block:
        batch = self._rows.flush()
        return Block(EVENTS, arrow.encoded(batch), batch.num_rows)

    def _spans(self) -> Block:
        """Several requests in one: end to end they are one valid request."""
        made = list(telemetry.bodies(self._calls, self._world.deploys))
        self._bodies += [(message_id(body), n, len(body)) for body, n in made]
        self._calls = []
        return Block(SPANS, b"".join(body for body, _ in made), sum(n for _, n in made))

    def _exported(self) -> Iterator[Row]:
        """The bodies as messages, a minute apart, the last of them just before the anchor."""
        for back, (id_, n, size) in enumerate(reversed(self._bodies), 1):
            yield message_row(TRACES, self._world.anchor - 60 * back, id_, n, size)


@contextlib.contextmanager
def _calm_collector() -> Iterator[None]:
    """A million small objects and no cycles: the collector would only walk over them again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
