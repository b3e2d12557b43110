"""
The plan of one order: when everything that belongs to it happens, from its placing to the payment of its invoices.

Why a plan first and statements later: an order's plan is a pure function of the seed and its number, so that the history, its
telemetry, the truth about faults and the live part agree without sharing any state. A fault edits the plan (what never happens
is None); who then says what, and over which interface, follows from the plan alone.
Units: all times are whole seconds since 1970; `pace` divides every duration (the live part's fast lane).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from random import Random
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from collectors.demo.cast import (
    CARRIERS,
    CAST_BY_REGION,
    HOUSES_BY_REGION,
    ORDER_CLASSES,
    REGIONS,
    SHARES,
    Carrier,
    Customer,
    Region,
    Warehouse,
)

T = TypeVar("T")
WEEKDAY_ORDERS, WEEKEND_ORDERS = 315, 135
HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 18, 16, 14, 16, 17, 16, 14, 11, 8, 6, 5, 4, 3, 2)
DAY_S = 86_400
DAY_ZERO = date(2020, 1, 1).toordinal()


class Move(NamedTuple):
    """A step of a shipment as its carrier sees it; `claimed_s` is what a wrong clock adds to its time."""

    at: int
    state: str
    location: str
    claimed_s: int = 0


@dataclass(slots=True)
class Invoice:
    number: str
    amount: int
    not_ready_at: int | None
    ready_at: int | None
    created_at: int | None
    posted_at: int
    sent_at: int
    acknowledged_at: int
    paid_at: int


@dataclass(slots=True)
class Shipment:
    number: str
    key: str
    carrier: Carrier
    planned_at: int
    tendered_at: int
    confirmed_at: int
    erp_confirmed_at: int | None
    loaded_at: int | None
    departed_at: int | None
    erp_departed_at: int | None
    shipped_at: int
    moves: list[Move]
    delivered_at: int | None
    pod_at: int | None
    committed_at: int
    delayed_at: int | None
    invoice: Invoice | None
    failing_from: int | None = None
    unmapped: tuple[int, str] | None = None
    unheard: tuple[int, int] | None = None


@dataclass(slots=True)
class Return:
    number: str
    times: tuple[int, ...]


@dataclass(slots=True)
class Order:
    number: str
    rng: Random
    pace: float
    customer: Customer
    region: Region
    warehouse: Warehouse
    order_class: str
    amount: int
    po: str
    placed_at: int
    blocked_at: int | None
    cleared_at: int | None
    confirmed_at: int | None
    released_at: int | None
    wms_released_at: int | None
    allocated_at: int | None
    picked_at: int
    packed_at: int
    shipments: list[Shipment] = field(default_factory=list)
    return_: Return | None = None
    export_fails_from: int | None = None

    def after(self, at: int, low_min: float, high_min: float) -> int:
        """A time between low and high minutes later, at the order's pace."""
        return at + int((low_min + self.rng.random() * (high_min - low_min)) * 60 / self.pace)


class Wish(NamedTuple):
    """What an order shall be where chance shall not decide."""

    region: str = ""
    warehouse: str = ""
    carrier: str = ""
    currency: str = ""
    amount: int = 0
    is_single: bool = False
    is_calm: bool = False


NO_WISH = Wish()


def placed(seed: int, since: int, until: int) -> Iterator[tuple[str, int, str]]:
    """(number, placed_at, region) of the orders placed in [since, until), shaped by each region's own days and hours."""
    for day in days(since - DAY_S, until + DAY_S):
        for number, at, region in _placed_on(seed, day):
            if since <= at < until:
                yield number, at, region


def _placed_on(seed: int, day: date) -> Iterator[tuple[str, int, str]]:
    rng = Random(f"{seed}/{day}")  # noqa: S311
    total = WEEKDAY_ORDERS if day.isoweekday() < 6 else WEEKEND_ORDERS
    i = 0
    for region in REGIONS.values():
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(region.zone)).timestamp())
        n = round(total * region.share * rng.uniform(0.92, 1.08))
        for hour in rng.choices(range(24), HOURS, k=n):
            yield order_number(day, i), midnight + hour * 3600 + rng.randrange(3600), region.name
            i += 1


def order_number(day: date, i: int) -> str:
    """Orders of a day count from 0; those that a fault adds from 600."""
    return f"SO{(day.toordinal() - DAY_ZERO) * 1000 + i:07d}"


def plan(seed: int, number: str, placed_at: int, wish: Wish = NO_WISH, pace: float = 1.0) -> Order:
    """All times of one order, as they would be if nothing went wrong."""
    rng = Random(f"{seed}/{number}")  # noqa: S311
    order = _accepted(rng, number, placed_at, wish, pace)
    is_split = rng.random() < 0.12 and not wish.is_single
    carrier = CARRIERS[wish.carrier] if wish.carrier else _pick(rng, list(CARRIERS.values()), SHARES[order.region.name])
    parts = [0.6, 0.4] if is_split else [1.0]
    order.shipments = [_shipment(order, carrier, i, round(order.amount * part), wish) for i, part in enumerate(parts)]
    if rng.random() < 0.05 and not wish.is_calm:
        order.return_ = _return(order)
    return order


def _accepted(rng: Random, number: str, at: int, wish: Wish, pace: float) -> Order:
    region = REGIONS[wish.region]
    houses = HOUSES_BY_REGION[region.name]
    house = next((w for w in houses if w.name == wish.warehouse), None) or _pick(rng, houses, [w.share for w in houses])
    buyers = [c for c in CAST_BY_REGION[region.name] if wish.currency in ("", c.currency)]
    classes = list(ORDER_CLASSES)
    order = Order(
        number=number, rng=rng, pace=pace, customer=rng.choice(buyers), region=region, warehouse=house,
        order_class=_pick(rng, classes, list(ORDER_CLASSES.values())),
        amount=wish.amount or min(45_000, max(120, int(rng.lognormvariate(8.4, 0.8)))), po=f"PO-{rng.randrange(10**6, 10**7)}",
        placed_at=at, blocked_at=None, cleared_at=None, confirmed_at=None, released_at=None, wms_released_at=None,
        allocated_at=None, picked_at=0, packed_at=0,
    )  # fmt: skip
    confirmed = order.confirmed_at = order.after(at, 1, 8)
    if rng.random() < 0.06 and not wish.is_calm:
        order.blocked_at = confirmed - 1
        order.cleared_at = order.after(confirmed, 40, 300)
    order.released_at = order.after(order.cleared_at or confirmed, 3, 25)
    order.wms_released_at = order.after(order.released_at, 0.4, 4)
    order.allocated_at = order.after(order.wms_released_at, 5, 50)
    order.picked_at = order.after(order.allocated_at, 20, 150)
    order.packed_at = order.after(order.picked_at, 10, 60)
    return order


def _shipment(order: Order, carrier: Carrier, i: int, amount: int, wish: Wish) -> Shipment:
    rng, after = order.rng, order.after
    planned = after(order.released_at or order.placed_at, 5, 20)
    tendered = after(planned, 2, 20)
    confirmed = after(tendered, 6, 75)
    loaded = max(after(order.packed_at, 20, 150), after(confirmed, 15, 40))
    departed = after(loaded, 12, 55)
    moves = route(order, carrier, departed)
    delivered = after(moves[-1].at, *ARRIVES[carrier.mode])
    is_late = rng.random() < 0.035
    shipment = Shipment(
        number=f"SH{order.number[2:]}{'AB'[i]}", key=_key(rng, carrier), carrier=carrier, planned_at=planned,
        tendered_at=tendered, confirmed_at=confirmed, erp_confirmed_at=after(confirmed, 1, 9), loaded_at=loaded,
        departed_at=departed, erp_departed_at=after(departed, 2, 12), shipped_at=after(loaded, 0.5, 3), moves=moves,
        delivered_at=delivered, pod_at=after(delivered, 9, 95),
        committed_at=after(delivered, -420, -40) if is_late else after(delivered, 60, 900),
        delayed_at=after(moves[len(moves) // 2].at, 2, 6) if is_late or (rng.random() < 0.015 and not wish.is_calm) else None,
        invoice=None,
    )  # fmt: skip
    shipment.invoice = _invoice(order, shipment, amount)
    return shipment


def _invoice(order: Order, shipment: Shipment, amount: int) -> Invoice:
    after = order.after
    ready = after(shipment.pod_at or 0, 1, 9)
    created = after(ready, 0.5, 4)
    posted = after(created, 0.5, 6)
    sent = after(posted, 0.5, 9)
    acknowledged = after(sent, 8, 300)
    not_ready = after(shipment.shipped_at, 0.5, 5)
    return Invoice(
        number=f"IN{shipment.number[2:]}", amount=amount, not_ready_at=not_ready, ready_at=ready, created_at=created,
        posted_at=posted, sent_at=sent, acknowledged_at=acknowledged, paid_at=after(acknowledged, 2880, 25000),
    )  # fmt: skip


# Minutes from the last move to the delivery, and the legs of a route: (state, low, high) in minutes from the step before.
# Each leg, with the hours by which it may be told late, stays under its mode's limit of the catalogue.
ARRIVES = {"parcel": (90, 390), "ltl": (120, 480), "ftl": (20, 80), "ocean": (180, 600)}
LEGS = {
    "parcel": (
        ("at_hub", 100, 300), ("in_transit", 120, 360), ("at_hub", 180, 390), ("out_for_delivery", 120, 390),
    ),
    "ltl": (
        ("in_transit", 120, 480), ("at_hub", 240, 720), ("in_transit", 240, 780), ("at_hub", 180, 700),
        ("out_for_delivery", 180, 720),
    ),
}  # fmt: skip


def route(order: Order, carrier: Carrier, departed_at: int) -> list[Move]:
    """The moves of a shipment after its departure; consecutive ones differ in state or place."""
    rng, places, at = order.rng, order.region.places, departed_at
    legs = LEGS.get(carrier.mode) or _long_haul(rng, carrier.mode)
    first = rng.randrange(len(places))
    moves = []
    for i, (state, low, high) in enumerate(legs):
        at = order.after(at, low, high)
        moves.append(Move(at, state, places[(first + i) % len(places)]))
    return moves


def _long_haul(rng: Random, mode: str) -> list[tuple[str, int, int]]:
    if mode == "ftl":
        return [("in_transit", 70, 120)] * rng.randrange(4, 10) + [("out_for_delivery", 60, 120)]
    sea = [("in_transit", 840, 1680)] * rng.randrange(7, 12)
    to_port = [("at_hub", 400, 800), ("in_transit", 400, 800)]
    return [*to_port, *sea, ("at_hub", 500, 800), ("in_transit", 300, 800), ("out_for_delivery", 300, 900)]


def _return(order: Order) -> Return:
    after = order.after
    at = order.shipments[-1].delivered_at or order.placed_at
    times = []
    for low, high in ((1440, 8000), (30, 480), (240, 1800), (1440, 5000), (120, 1200), (60, 480), (60, 1200)):
        at = after(at, low, high)
        times.append(at)
    return Return(f"RT{order.number[2:]}", tuple(times))


def _key(rng: Random, carrier: Carrier) -> str:
    n = rng.randrange(10**8, 10**9)
    return {"parcel": f"1Z{n}", "ocean": f"{carrier.scac}{n % 10**7:07d}"}.get(carrier.mode, f"PRO{n}")


def _pick(rng: Random, among: Sequence[T], shares: Sequence[float]) -> T:
    return rng.choices(among, shares)[0]


def days(since: int, until: int) -> Iterator[date]:
    """The UTC days that a window touches."""
    for at in range(since - since % DAY_S, until, DAY_S):
        yield datetime.fromtimestamp(at, UTC).date()
