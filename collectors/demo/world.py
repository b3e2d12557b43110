"""
The world of a seed: every order, movement and night of it, with what is broken at its anchor put in.

Why a world is never kept: each story is a pure function of the seed and its number, so history, telemetry, truth and the live
part each walk through the same stories, and a restart needs nothing but the seed and the anchor.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from random import Random

from collectors.demo import stock, telemetry
from collectors.demo.faults import POLLED, Faults
from collectors.demo.orders import Order, Wish, placed, plan
from collectors.demo.rows import Row, Rows
from collectors.demo.stories import tell, tell_movement
from collectors.demo.telling import Call, Cuts, Story
from schema import governance
from schema.governance import Catalogue

DAY_S = 86_400
POLL_EVERY_S, POLLS_BACK_S = 240, 2 * DAY_S
CHUNK_ROWS = 50_000


class World:
    """The enterprise of a seed, as its systems tell of it; its faults are those at the anchor."""

    def __init__(
        self, seed: int, anchor: datetime, days: int = 30, *, catalogue: Catalogue | None = None, is_healthy: bool = False
    ) -> None:
        self.seed, self.anchor, self.days = seed, int(anchor.timestamp()), days
        self.since = self.anchor - days * DAY_S
        self.faults = Faults(seed, self.anchor, catalogue or governance.load(), is_healthy=is_healthy)
        self.deploys = self.faults.deploys()

    def orders(self, since: int | None = None, until: int | None = None) -> Iterator[Order]:
        """The plans of the orders placed in [since, until), and of those that a fault adds, with what is broken in them."""
        found = placed(self.seed, since or self.since, until or self.anchor)
        for number, at, region in found:
            yield self.faults.edit(plan(self.seed, number, at, Wish(region=region)))
        yield from self.faults.extra_orders()

    def stories(self, since: int | None = None, until: int | None = None) -> Iterator[Story]:
        """All stories that begin in [since, until)."""
        since, until = since or self.since, until or self.anchor
        for order in self.orders(since, until):
            yield self.tell(order)
        for movement in stock.movements(self.seed, since, until):
            yield tell_movement(self.seed, self.faults.double(movement))
        yield from stock.nightly_counts(self.seed, since, until)
        yield self._polls(max(since, self.anchor - POLLS_BACK_S), until)

    def tell(self, order: Order) -> Story:
        """An order's story, as slow and as silent as its interfaces are."""
        return tell(order, self.faults.retries, eta_until=self.faults.eta_until)

    def _polls(self, since: int, until: int) -> Story:
        """What the hub asks one carrier every four minutes, so that its interface is never without a message."""
        story = Story(Random(f"{self.seed}/polls"), self.faults.retries)  # noqa: S311
        for at in range(since - since % POLL_EVERY_S, until, POLL_EVERY_S):
            story.call(POLLED, at, ("", ""), Cuts(), partner=POLLED.split(".")[1])
        return story

    def happened(self, story: Story) -> Iterator[Call]:
        """The calls of a story that were made by the anchor."""
        return (call for call in story.calls if call.at <= self.anchor)


def history(seed: int, anchor: datetime, days: int = 30) -> Iterator[list[Row]]:
    """
    All events received by the anchor, in chunks of about 50,000 rows in the order of schema.events.COLUMNS.

    Shape: an object's events lie together, more or less in the order in which its order was placed.
    """
    world = World(seed, anchor, days)
    rows, chunk = Rows(world.anchor), list[Row]()
    for story in world.stories():
        chunk += rows.rows(story.said)
        if len(chunk) >= CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def spans(seed: int, anchor: datetime, days: int = 30) -> Iterator[bytes]:
    """All calls made by the anchor, as OTLP requests of about 2,000 spans."""
    world = World(seed, anchor, days)
    calls = chain.from_iterable(world.happened(story) for story in world.stories())
    return (body for body, _ in telemetry.bodies(calls, world.deploys))
