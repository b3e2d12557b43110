"""
The stock of the demo's warehouses: adjustments over the day, and the nightly file with the night's counts.

Why apart from orders: adjustments have no order; they are the part of the world in which a document, not an object, must be
unique, and the nightly file is the feed that is silent for 23 hours and 50 minutes and yet not missing.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import UTC, date, datetime
from random import Random

from collectors.demo.cast import NIGHTLY_FEED, REASONS, SKUS, WAREHOUSES, Warehouse
from collectors.demo.orders import DAY_ZERO, HOURS, days
from collectors.demo.rows import NIGHTLY_AT_S
from collectors.demo.stories import ERP, Movement
from collectors.demo.telling import Cuts, Story, Teller

ADJUSTMENTS = {"RTM1": (46, 24), "LYS1": (24, 8), "GOT1": (26, 9), "EWR1": (30, 10)}
COUNTS_A_NIGHT = 4
NIGHTLY = Teller("wms", "wms", NIGHTLY_FEED, (0, 0))


def movements(seed: int, since: int, until: int) -> Iterator[Movement]:
    """The adjustments of [since, until), in order of warehouse and day."""
    for day in days(since, until):
        for house in WAREHOUSES.values():
            yield from (m for m in _adjusted_on(seed, day, house) if since <= m.at < until)


def _adjusted_on(seed: int, day: date, house: Warehouse) -> Iterator[Movement]:
    rng = Random(f"{seed}/{house.name}/{day}")  # noqa: S311
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    n = ADJUSTMENTS[house.name][day.isoweekday() > 5]
    for i, hour in enumerate(sorted(rng.choices(range(24), HOURS, k=n))):
        at = midnight + hour * 3600 + rng.randrange(3600)
        number = (day.toordinal() - DAY_ZERO) * 100 + i
        document, line, posted_at = f"AD{house.name}{number}", str(rng.randint(1, 6) * 10), at + rng.randint(60, 540)
        quantity = rng.choice((-1, 1)) * rng.randint(1, 40)
        yield Movement(
            f"MV-{house.name}-{number}", house, at, posted_at, document, line, rng.choice(SKUS), quantity, rng.choice(REASONS),
            abs(quantity) * rng.randint(4, 90), _currency(house),
        )  # fmt: skip


def _currency(house: Warehouse) -> str:
    return "USD" if house.region == "US-East" else "EUR"


def nightly_counts(seed: int, since: int, until: int, but: Container[int] = ()) -> Iterator[Story]:
    """What the nightly file says, and the ERP's posting of it; but for the nights whose file never came."""
    for day in days(since, until):
        at = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + NIGHTLY_AT_S
        if since <= at < until and at not in but:
            yield _night(seed, day, at)


def _night(seed: int, day: date, at: int) -> Story:
    story = Story(Random(f"{seed}/counts/{day}"))  # noqa: S311
    for house in WAREHOUSES.values():
        for i in range(COUNTS_A_NIGHT):
            me, cuts = ("inventory", f"CN-{house.name}-{day:%y%m%d}-{i}"), Cuts(house.region, house.name)
            sku, quantity = story.rng.choice(SKUS), float(story.rng.randint(5, 900))
            more = {"quantity": quantity, "unit": "EA", "attributes": {"sku": sku}}
            call = story.call("wms.adjustments", at, me, cuts, partner=house.name)
            story.say(NIGHTLY, me, "counted", at, cuts, call, said_at=at, **more)
            story.say(ERP, me, "posted", at + 300 + story.rng.randrange(240), cuts, call, **more)
    return story
