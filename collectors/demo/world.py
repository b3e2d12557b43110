"""
The world of a seed: every order, movement and night of it, with what is broken at its anchor put in.

Why a world is never kept: each story is a pure function of the seed and its number, so history, telemetry, truth and the live
part each walk through the same stories, and a restart needs nothing but the seed and the anchor.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random

from collectors.demo import stock
from collectors.demo.faults import POLLED, Faults
from collectors.demo.orders import Order, Wish, placed, plan
from collectors.demo.stories import tell, tell_movement
from collectors.demo.telling import Call, Cuts, Story
from schema import governance
from schema.governance import Catalogue

DAY_S = 86_400
POLL_EVERY_S, POLLS_BACK_S = 240, 2 * DAY_S


class World:
    """The enterprise of a seed, as its systems tell of it; its faults are those at the anchor."""

    def __init__(
        self, seed: int, anchor: datetime, days: int = 30, *, catalogue: Catalogue | None = None, is_healthy: bool = False
    ) -> None:
        self.seed, self.anchor, self.days = seed, int(anchor.timestamp()), days
        self.since = self.anchor - days * DAY_S
        self.faults = Faults(seed, self.anchor, catalogue or governance.load(), since=self.since, is_healthy=is_healthy)
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
        yield from stock.nightly_counts(self.seed, since, until, but=self.faults.missed_nights)
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
