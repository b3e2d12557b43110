"""
What went wrong in the past weeks and was mended: incidents of hours or days, so that there is a recovery to look back at.

Why in the world and not in the inbox: as with the faults of today, what a detector says of it must follow from what was told.
Why each at a place of its own, and a week ago at least: today's faults keep their size and their beginning, and an incident
that is over is not taken for one that goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from collectors.demo.orders import Move, Order, Shipment

HOUR, DAY = 3600, 86_400
LATEST_DAYS, MARGIN_S = 7, 2 * DAY
NIGHTLY_AT_H = 2


@dataclass(frozen=True, slots=True)
class Trouble:
    """
    One incident of the past, from `since` to `until`, when all that it held up goes on; `later_s` is by how much that is late.

    `by` is who took it up, `owned_after_s` after it was first seen; without a name it cleared by itself.
    """

    code: str
    since: int
    until: int
    later_s: int = 0
    region: str = ""
    warehouse: str = ""
    carrier: str = ""
    by: str = ""
    owned_after_s: int = 0
    comment: str = ""

    @property
    def over_at(self) -> int:
        """When the last of it is surely cleared."""
        return self.until + self.later_s + 6 * HOUR

    def fits(self, order: Order, ship: Shipment | None = None) -> bool:
        """Whether it is about this order, or this shipment of it."""
        carrier = ship.carrier.scac if ship else self.carrier
        here = (order.region.name, order.warehouse.name, carrier)
        return all(mine in ("", its) for mine, its in zip((self.region, self.warehouse, self.carrier), here, strict=True))


def troubles(since: int, anchor: int) -> tuple[Trouble, ...]:
    """The incidents of a history that begins at `since`, oldest first; all of them are over a week before the anchor."""

    def on(days_back: int, hour: int) -> int:
        return _workday(anchor, days_back) + hour * HOUR

    def trouble(code: str, since: int, hours: float, **more: object) -> Trouble:
        return Trouble(code, since, since + int(hours * HOUR), **more)  # type: ignore[arg-type]

    found = (
        trouble("SHP.STALE", on(25, 14), 30, region="EU-West", carrier="QKPK", later_s=30 * HOUR,
                by="Ines Duarte", owned_after_s=2400, comment="Strike at the Lille hub; it drives on tomorrow night"),
        trouble("INT.MISSING_FEED", on(22, NIGHTLY_AT_H), 24,
                by="Tomas Lindqvist", owned_after_s=5400, comment="Job of the night did not start after the patch; runs again"),
        trouble("BIL.MISSING_POD", on(19, 6), 20, region="EU-West", carrier="BRGT", later_s=26 * HOUR,
                by="Ines Duarte", owned_after_s=10_800, comment="Scanner app of the depot was down; proofs follow tomorrow"),
        trouble("ORD.RELEASE_LATE", on(17, 8), 7, warehouse="GOT1",
                by="Marek Nowak", owned_after_s=1500, comment="Label printer of line 2 exchanged"),
        trouble("INT.FAIL", on(15, 13), 5, region="US-East", carrier="HLTR",
                by="Priya Raman", owned_after_s=900, comment="Certificate of the partner had expired; renewed"),
        trouble("ORD.RELEASE_LATE", on(12, 13), 5, warehouse="EWR1"),
        trouble("BIL.MISSING_POD", on(10, 7), 9, region="EU-North", carrier="HLTR", later_s=14 * HOUR,
                by="Ines Duarte", owned_after_s=4200, comment="Carrier sends the missing proofs by mail, then by file"),
        trouble("INT.FAIL", on(9, 9), 3, carrier="VELO",
                by="Priya Raman", owned_after_s=600, comment="Rolled carrier-velo back, then forward with the mended map"),
    )  # fmt: skip
    return tuple(t for t in found if t.since > since + MARGIN_S and t.over_at < anchor - LATEST_DAYS * DAY)


def _workday(anchor: int, days_back: int) -> int:
    """Midnight (UTC) of the last day from Monday to Friday that is so many days back."""
    day = anchor // DAY - days_back
    weekday = (day + 3) % 7  # 1970 began on a Thursday
    return (day - max(0, weekday - 4)) * DAY


def befall(order: Order, found: tuple[Trouble, ...]) -> None:
    """Put what went wrong into a plan, as late as it made it."""
    if order.pace != 1:
        return
    for trouble in found:
        _EDITS.get(trouble.code, _nothing)(order, trouble)


def missed_nights(found: tuple[Trouble, ...]) -> frozenset[int]:
    """When a nightly file was due that never came."""
    return frozenset(t.since for t in found if t.code == "INT.MISSING_FEED")


def _nothing(order: Order, trouble: Trouble) -> None:
    """It is not about orders."""


def _held(order: Order, trouble: Trouble) -> None:
    """A carrier stands still: what it had on its way at the time goes on later."""
    for ship in _fitting(order, trouble):
        if ship.departed_at and ship.delivered_at and ship.departed_at < trouble.since < ship.delivered_at:
            moved = [m for m in ship.moves if m.at <= trouble.since]
            ship.moves = moved + [_move_later(m, trouble.later_s) for m in ship.moves[len(moved) :]]
            _delivered_later(order, ship, trouble.later_s)


def _unproved(order: Order, trouble: Trouble) -> None:
    """Proofs of delivery come a day late, and so does what waits for them."""
    for ship in _fitting(order, trouble):
        if ship.delivered_at and trouble.since <= ship.delivered_at < trouble.until and ship.pod_at:
            ship.pod_at += trouble.later_s
            _billed_later(ship, trouble.later_s)


def _unreleased(order: Order, trouble: Trouble) -> None:
    """A warehouse releases nothing for some hours, then all of it."""
    released_at = order.released_at
    if released_at is None or order.blocked_at is not None or not trouble.fits(order):
        return
    if not trouble.since <= released_at < trouble.until:
        return
    by = trouble.until - released_at + order.amount % 900
    order.released_at = released_at + by
    order.wms_released_at, order.allocated_at = _later(order.wms_released_at, by), _later(order.allocated_at, by)
    order.picked_at, order.packed_at = order.picked_at + by, order.packed_at + by
    for ship in order.shipments:
        _shipped_later(order, ship, by)


def _unheard(order: Order, trouble: Trouble) -> None:
    """A carrier's interface fails: what it reports meanwhile gets through when that is mended."""
    for ship in _fitting(order, trouble):
        ship.unheard = (trouble.since, trouble.until)


def _fitting(order: Order, trouble: Trouble) -> Iterator[Shipment]:
    return (ship for ship in order.shipments if trouble.fits(order, ship))


def _shipped_later(order: Order, ship: Shipment, by: int) -> None:
    ship.planned_at, ship.tendered_at = ship.planned_at + by, ship.tendered_at + by
    ship.confirmed_at, ship.shipped_at = ship.confirmed_at + by, ship.shipped_at + by
    ship.erp_confirmed_at, ship.erp_departed_at = _later(ship.erp_confirmed_at, by), _later(ship.erp_departed_at, by)
    ship.loaded_at, ship.departed_at = _later(ship.loaded_at, by), _later(ship.departed_at, by)
    ship.moves = [_move_later(m, by) for m in ship.moves]
    if ship.invoice:
        ship.invoice.not_ready_at = _later(ship.invoice.not_ready_at, by)
    _delivered_later(order, ship, by)


def _delivered_later(order: Order, ship: Shipment, by: int) -> None:
    ship.delivered_at, ship.pod_at = _later(ship.delivered_at, by), _later(ship.pod_at, by)
    ship.delayed_at = _later(ship.delayed_at, by)
    _billed_later(ship, by)
    if order.return_ and ship is order.shipments[-1]:
        order.return_.times = tuple(at + by for at in order.return_.times)


def _billed_later(ship: Shipment, by: int) -> None:
    if bill := ship.invoice:
        bill.ready_at, bill.created_at = _later(bill.ready_at, by), _later(bill.created_at, by)
        bill.posted_at, bill.sent_at = bill.posted_at + by, bill.sent_at + by
        bill.acknowledged_at, bill.paid_at = bill.acknowledged_at + by, bill.paid_at + by


def _move_later(move: Move, by: int) -> Move:
    return move._replace(at=move.at + by)


def _later(at: int | None, by: int) -> int | None:
    return None if at is None else at + by


_EDITS = {
    "SHP.STALE": _held, "BIL.MISSING_POD": _unproved, "ORD.RELEASE_LATE": _unreleased, "INT.FAIL": _unheard,
}  # fmt: skip
