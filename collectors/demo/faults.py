"""
The faults of the demo and the truth about them: which exceptions must be raised, on what, whose they are, and why.

Why faults edit plans: an enterprise does not break in its dashboard but in the world, so that every consequence (nothing
delivered, hence nothing invoiced) follows by itself, and what must not follow can be seen as well. Why the truth is taken from
the world and not from a detector: a detector is what it is there to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from collectors.demo import orders
from collectors.demo.business import BusinessClock
from collectors.demo.cast import WAREHOUSES
from collectors.demo.orders import Move, Order, Shipment, Wish, order_number, placed, plan
from collectors.demo.stories import Movement
from collectors.demo.troubles import befall, missed_nights, troubles
from schema.governance import Catalogue

HOUR, DAY = 3600, 86_400
BLOCKED_INVOICES = 240
N_STUCK, N_ABSENT, N_PREMATURE, N_STALE_ALLOCATIONS = 20, 7, 5, 8
HIGH_VALUE = 186_400
POLLED = "carrier.QKPK.214"
CODES = ("T77", "HLD9")
RESENT_FOR_S = 3 * DAY


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One exception code that a scenario of domain.md must raise, and on exactly which objects.

    `column` is the detector's column that `object_ids` stand in: object_id, interface or fingerprint.
    """

    scenario: int
    code: str
    object_type: str
    object_ids: tuple[str, ...]
    column: str
    owner: str
    cause: str
    began_at: int
    region: str = ""
    warehouse: str = ""
    carrier: str = ""
    interface: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"object_ids": list(self.object_ids)}


class Faults:
    """
    What is broken, where and since when, in the world of a seed at an anchor; `edit` puts it into a plan.

    Without faults (`is_healthy`) every edit leaves the plan as it is.
    """

    def __init__(self, seed: int, anchor: int, catalogue: Catalogue, *, since: int = 0, is_healthy: bool = False) -> None:
        self.seed, self.anchor, self.is_healthy = seed, anchor, is_healthy
        self.past = () if is_healthy else troubles(since, anchor)
        self.clock = BusinessClock(catalogue, anchor)
        self.milestones_stop_at = anchor - 16 * HOUR
        self.proofs_lost = (anchor - 31 * HOUR, anchor - 5 * HOUR)
        self.doubles_from = anchor - 20 * HOUR
        self.unmapped_from = anchor - 22 * HOUR
        self.retries_from = anchor - 4 * HOUR
        self.resends_from = anchor - 9 * HOUR
        self.eta_until = None if is_healthy else anchor - 3 * HOUR
        self.clock_from = anchor - 21 * HOUR
        self.release_stops_at = self.clock.before(anchor, 5 * HOUR)
        self._edits: tuple[Callable[[Order], None], ...] = () if is_healthy else (
            self._mapping_drift, self._release_stops, self._stale_allocation, self._milestones_stop, self._absent_in_erp,
            self._premature, self._same_position, self._proofs_lost, self._unmapped, self._wrong_clock,
        )  # fmt: skip

    def edit(self, order: Order) -> Order:
        """Put what is broken into a plan."""
        befall(order, self.past)
        for edit in self._edits:
            edit(order)
        return order

    @cached_property
    def missed_nights(self) -> frozenset[int]:
        """When a nightly file was due that never came."""
        return missed_nights(self.past)

    def retries(self, interface: str, at: int) -> int:
        """How many attempts a message takes: scenario 10 makes every message of one interface slow, and none fail."""
        is_slow = not self.is_healthy and interface == POLLED and at >= self.retries_from
        return 3 + at % 2 if is_slow else 1

    def deploys(self) -> dict[str, list[tuple[int, str]]]:
        """service -> (since, version), beside the version that each has from the beginning."""
        found = {
            "portal-connector": [(self.anchor - 12 * DAY, "5.1.0")],
            "tms-connector": [(self.anchor - 20 * DAY, "2.7.3")],
            "carrier-velo": [(self.anchor - 9 * DAY, "4.0.1")],
        }
        if not self.is_healthy:
            found["carrier-nrdx"] = [(self.milestones_stop_at - 300, "2.9.0")]
            found["wms-connector-rtm1"] = [(self.doubles_from - 600, "8.2.0")]
            found["erp-connector"] = [(self.drift_from - 240, "12.4.0")]
        return found

    # --- which orders ----------------------------------------------------------------------------------------------------
    @cached_property
    def _recent(self) -> list[Order]:
        """Plans of the last days, latest first, as they would be without faults."""
        found = placed(self.seed, self.anchor - 6 * DAY, self.anchor)
        plans = [plan(self.seed, number, at, Wish(region=region)) for number, at, region in found]
        return sorted(plans, key=lambda o: (-o.placed_at, o.number))

    @cached_property
    def drift_from(self) -> int:
        """The ERP's change: as long ago as it takes for 20 orders in GBP to be stuck, whatever the hour."""
        times = [o.confirmed_at for o in self._recent if o.customer.currency == "GBP" and o.confirmed_at]
        return sorted(t for t in times if t < self.anchor - HOUR)[-N_STUCK] - 60

    @cached_property
    def absent(self) -> frozenset[str]:
        """Shipments' orders that the TMS confirmed and the ERP never heard of."""
        return self._latest(N_ABSENT, "US-East", self._is_confirmed, ("HLTR", "QKPK", "OCLN"))

    @cached_property
    def premature(self) -> frozenset[str]:
        """Orders that finance invoices while the goods are still in the warehouse."""
        return self._latest(N_PREMATURE, "US-East", self._is_packed, ("HLTR", "OCLN"), but=self.absent)

    @cached_property
    def stale_allocations(self) -> frozenset[str]:
        """Orders that a warehouse allocates although the ERP never released them."""
        return self._latest(N_STALE_ALLOCATIONS, "EU-North", self._is_allocated, ("NRDX",))

    def _latest(
        self, n: int, region: str, fits: Callable[[Order], bool], without: Sequence[str], but: frozenset[str] = frozenset()
    ) -> frozenset[str]:
        fitting = (
            o.number
            for o in self._recent
            if o.region.name == region and o.customer.currency != "GBP" and not o.blocked_at and o.number not in but
            and o.shipments[0].carrier.scac not in without and fits(o)
        )  # fmt: skip
        return frozenset(number for _, number in zip(range(n), fitting, strict=False))

    def _is_confirmed(self, order: Order) -> bool:
        return all(s.confirmed_at < self.anchor - 2 * HOUR and (s.delivered_at or 0) > self.anchor for s in order.shipments)

    def _is_packed(self, order: Order) -> bool:
        return order.packed_at < self.anchor - HOUR

    def _is_allocated(self, order: Order) -> bool:
        return (order.allocated_at or self.anchor) < self.anchor - 2 * HOUR

    # --- orders that are there for a fault ---------------------------------------------------------------------------------
    def extra_orders(self) -> Iterator[Order]:
        """The campaign whose proofs of delivery get lost, and the valuable shipment that does not move on."""
        if self.is_healthy:
            return
        yield self._stalled()
        for i in range(BLOCKED_INVOICES - self._n_naturally_blocked):
            yield self._campaign(i)

    @cached_property
    def _n_naturally_blocked(self) -> int:
        found = placed(self.seed, self.anchor - 6 * DAY, self.anchor)
        plans = (self.edit(plan(self.seed, number, at, Wish(region=region))) for number, at, region in found)
        return sum(self.is_proof_lost(order, ship) for order in plans for ship in order.shipments)

    def _campaign(self, i: int) -> Order:
        since, until = self.proofs_lost
        delivered_at = since + 600 + (until - since - 1200) * i // BLOCKED_INVOICES
        wish = Wish("EU-West", "RTM1", "VELO", "EUR", is_single=True, is_calm=True)
        return self._so_that(600 + i, wish, delivered_at, lambda order: order.shipments[0].delivered_at or 0)

    def _stalled(self) -> Order:
        wish = Wish("EU-West", "RTM1", "BRGT", "EUR", HIGH_VALUE, is_single=True, is_calm=True)
        order = self._so_that(599, wish, self.anchor - 30 * HOUR, lambda o: o.shipments[0].moves[1].at)
        ship = order.shipments[0]
        came_at = ship.moves[1].at
        yard = [Move(came_at + k * 5 * HOUR, "at_hub", f"Venlo cross-dock {('yard', 'gate')[k % 2]}") for k in range(60)]
        ship.moves = [ship.moves[0], *yard]
        ship.delivered_at = ship.pod_at = ship.delayed_at = None
        _unbill(ship)
        return order

    def _so_that(self, i: int, wish: Wish, at: int, of: Callable[[Order], int]) -> Order:
        """An order placed so that one of its milestones falls on `at`."""
        day = next(orders.days(at - 3 * DAY, at))
        number = order_number(day, i)
        later = at - of(plan(self.seed, number, 0, wish))
        return self.edit(plan(self.seed, number, later, wish))

    # --- the edits, by scenario --------------------------------------------------------------------------------------------
    def _milestones_stop(self, order: Order) -> None:
        """1: a carrier's milestones for one region get lost after a deploy of its gateway."""
        for ship in order.shipments:
            if (ship.carrier.scac, order.region.name) == ("NRDX", "EU-North"):
                self._stop(ship)

    def _stop(self, ship: Shipment) -> None:
        until = self.milestones_stop_at
        if ship.delivered_at is None or ship.delivered_at <= until:
            return
        ship.moves = [m for m in ship.moves if m.at <= until]
        if ship.moves and ship.moves[-1].state == "at_hub":
            ship.moves.pop()  # a hub is reported when it is left, and so does not look like a long stay
        ship.loaded_at, ship.departed_at = (at if at and at <= until else None for at in (ship.loaded_at, ship.departed_at))
        ship.delivered_at = ship.pod_at = ship.delayed_at = None
        ship.failing_from = until
        _unbill(ship)

    def is_proof_lost(self, order: Order, ship: Shipment) -> bool:
        since, until = self.proofs_lost
        is_there = order.region.name == "EU-West" and ship.carrier.scac == "VELO" and ship.delivered_at is not None
        return is_there and since <= (ship.delivered_at or 0) < until

    def _proofs_lost(self, order: Order) -> None:
        """2: the proofs of delivery of one carrier in one region never come; no call fails, none is made."""
        for ship in order.shipments:
            if self.is_proof_lost(order, ship):
                ship.pod_at = None
                _unbill(ship)

    def double(self, movement: Movement) -> Movement:
        """3: a warehouse writes every adjustment twice after a WMS update."""
        is_double = not self.is_healthy and movement.warehouse.name == "RTM1" and movement.at >= self.doubles_from
        return movement._replace(twin=f"{movement.number}-2") if is_double else movement

    def _absent_in_erp(self, order: Order) -> None:
        """4: confirmed in the TMS, absent in the ERP, and nothing failed."""
        if order.number in self.absent:
            for ship in order.shipments:
                ship.erp_confirmed_at = ship.erp_departed_at = ship.invoice = None

    def _premature(self, order: Order) -> None:
        """6: invoiced when packed, hours before the shipment departs."""
        if order.number not in self.premature:
            return
        for ship in order.shipments:
            if ship.invoice:
                ship.invoice.ready_at = ship.invoice.not_ready_at = None
                ship.invoice.created_at = order.packed_at + 60
                ship.invoice.posted_at, ship.invoice.sent_at = order.packed_at + 240, order.packed_at + 600
                ship.invoice.acknowledged_at = order.packed_at + 3 * HOUR

    def _unmapped(self, order: Order) -> None:
        """7: the TMS says something about a shipment in a code that nobody mapped."""
        for ship in order.shipments:
            dice = order.rng.random()
            if ship.confirmed_at >= self.unmapped_from and dice < (0.14 if order.pace == 1 else 0.01):
                ship.unmapped = (ship.confirmed_at + 420, CODES[order.amount % 3 % 2])

    def _mapping_drift(self, order: Order) -> None:
        """8: the ERP's orders in GBP carry a field that the map does not know."""
        if order.pace == 1 and order.customer.currency == "GBP" and (order.confirmed_at or 0) >= self.drift_from:
            order.export_fails_from = order.confirmed_at
            order.confirmed_at = order.blocked_at = order.cleared_at = None
            _never_released(order)

    def _stale_allocation(self, order: Order) -> None:
        """9: the ERP put a credit block on the order; the warehouse, on an old status, allocates its stock."""
        if order.number in self.stale_allocations:
            allocated_at = order.allocated_at
            order.blocked_at, order.cleared_at = order.confirmed_at, None
            _never_released(order)
            order.allocated_at = allocated_at

    def _same_position(self, order: Order) -> None:
        """11: a carrier sends the last position again and again, with the time of sending as the time of the event."""
        for ship in order.shipments:
            if (ship.carrier.scac, order.region.name) == ("HLTR", "US-East"):
                self._resend(ship, order)

    def _resend(self, ship: Shipment, order: Order) -> None:
        if ship.delivered_at is None or ship.delivered_at <= self.resends_from or order.pace != 1:
            return
        told = [m for m in ship.moves if m.at <= self.resends_from]
        place = told[-1].location if told else WAREHOUSES[order.warehouse.name].place
        state = told[-1].state if told else "in_transit"
        first = max(self.resends_from, ship.departed_at or 0) + 1800
        ship.moves = told + [Move(at, state, place) for at in range(first, first + RESENT_FOR_S, 1800)]
        ship.delivered_at = ship.pod_at = ship.delayed_at = None
        _unbill(ship)

    def _wrong_clock(self, order: Order) -> None:
        """Beside the scenarios: now and then a carrier's position lies two hours ahead."""
        for ship in order.shipments:
            if ship.carrier.scac == "BRGT" and order.pace == 1:
                ship.moves = [
                    m._replace(claimed_s=7200) if m.state == "in_transit" and m.at >= self.clock_from and m.at % 4 == 0 else m
                    for m in ship.moves
                ]

    def _release_stops(self, order: Order) -> None:
        """Beside the scenarios: a warehouse stops releasing, and nothing fails."""
        is_there = order.warehouse.name == "LYS1" and order.pace == 1
        if is_there and order.confirmed_at and order.confirmed_at >= self.release_stops_at:
            order.blocked_at = order.cleared_at = None
            _never_released(order)


def _never_released(order: Order) -> None:
    order.released_at = order.wms_released_at = order.allocated_at = None
    order.shipments, order.return_ = [], None


def _unbill(ship: Shipment) -> None:
    if ship.invoice:
        ship.invoice.ready_at = ship.invoice.created_at = None
