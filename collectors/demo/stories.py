"""
The statements that follow from a plan: what the portal, the ERP, the WMS, the TMS and the carrier say about one order.

Why each milestone has one function: a fault leaves a step out (None in the plan) and everything that depends on it is then
not said either, as in a real enterprise, where the ERP cannot say "delivered" of what nobody reported.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from collectors.demo.cast import ETA_FEED, WAREHOUSES, Warehouse
from collectors.demo.orders import Invoice, Move, Order, Shipment
from collectors.demo.telling import Call, Cuts, Related, Retries, Story, Teller, once

PORTAL = Teller("portal", "portal", "portal")
ERP = Teller("erp", "erp", "erp")
WMS = Teller("wms", "wms", "wms")
TMS = Teller("tms", "tms", "tms")
CARRIER_LAG = (30, 200)
# By how many hours a carrier may be late with a move, so that its mode's limit is still kept.
LATE_H = {"parcel": 4.0, "ltl": 8.0, "ftl": 1.5, "ocean": 8.0}
FAILING_EVERY_S, FAILING_FOR_S = 3600, 2 * 86_400
STUCK_EVERY_S, STUCK_FOR_S = 1200, 86_400
MAPPING_ERROR = "MappingError: field 'tax_regime' of ORDERS05 is unknown to map order-v7 (currency GBP)"
REFUSED_ERROR = "ConnectionRefused: the partner's gateway took no message; sent again once it did"
PARSE_ERROR = "ParseError: 214 AT7 for EU-North: time zone 'CE' is not allowed in AT707"


class Movement(NamedTuple):
    """A stock adjustment of a warehouse; `twin` is the same document written a second time."""

    number: str
    warehouse: Warehouse
    at: int
    posted_at: int
    document: str
    line: str
    sku: str
    quantity: int
    reason: str
    value: int
    currency: str
    twin: str = ""


def tell(order: Order, retries: Retries = once, *, eta_until: int | None = None) -> Story:
    """All statements and calls of one order."""
    story = Story(order.rng, retries, order.pace)
    accepted = _accepted(story, order)
    if order.confirmed_at is None:
        _stuck(story, order)
        return story
    released = _warehouse(story, order, accepted)
    calls = [_shipment(story, order, shipment, released, eta_until) for shipment in order.shipments]
    if calls:
        _settled(story, order, *calls[-1])
    _returned(story, order)
    return story


def _cuts(order: Order, shipment: Shipment | None = None) -> Cuts:
    carrier, mode = (shipment.carrier.scac, shipment.carrier.mode) if shipment else ("", "")
    return Cuts(order.region.name, order.warehouse.name, carrier, order.customer.name, order.order_class, mode)


def _accepted(story: Story, order: Order) -> Call:
    cuts, me = _cuts(order), ("order", order.number)
    said_at = story.heard(PORTAL, order.placed_at)
    call = story.call("portal.orders", said_at, me, cuts, partner=order.customer.name)
    money = {"amount": order.amount, "currency": order.customer.currency, "keys": (order.po,)}
    story.say(PORTAL, me, "received", order.placed_at, cuts, call, said_at=said_at, **money)
    if order.confirmed_at is None:
        return call
    said_at = story.heard(ERP, order.confirmed_at)
    export = story.call("erp.orders.export", said_at, me, cuts, parent=call)
    if order.blocked_at is not None:
        story.say(ERP, me, "credit_block", order.blocked_at, cuts, export, said_at=said_at)
    story.say(ERP, me, "confirmed", order.confirmed_at, cuts, export, said_at=said_at, **money)
    if order.cleared_at is not None:
        cleared_said = story.heard(ERP, order.cleared_at)
        export = story.call("erp.orders.export", cleared_said, me, cuts, parent=call)
        story.say(ERP, me, "credit_block_cleared", order.cleared_at, cuts, export, said_at=cleared_said)
    return export


def _stuck(story: Story, order: Order) -> None:
    """The ERP's confirmation does not get through the map: exported anew every 20 minutes for a day."""
    if order.export_fails_from is None:
        return
    for at in range(order.export_fails_from, order.export_fails_from + STUCK_FOR_S, STUCK_EVERY_S):
        message = f"{order.rng.getrandbits(64):016x}"
        story.fail("erp.orders.export", at, ("order", order.number), _cuts(order), MAPPING_ERROR, message)


def _warehouse(story: Story, order: Order, accepted: Call) -> Call:
    cuts, me, call = _cuts(order), ("order", order.number), accepted
    if order.released_at is not None:
        said_at = story.heard(ERP, order.released_at)
        is_queued = order.rng.random() < 0.5
        call = story.call("wms.release", said_at, me, cuts, parent=accepted, is_queued=is_queued, partner=order.warehouse.name)
        story.say(ERP, me, "released", order.released_at, cuts, call, said_at=said_at)
    elif order.allocated_at is not None:
        call = story.call("wms.release", order.allocated_at, me, cuts, parent=accepted, partner=order.warehouse.name)
    if order.wms_released_at is not None:
        story.say(WMS, me, "released", order.wms_released_at, cuts, call)
    if order.allocated_at is None:
        return call
    story.say(WMS, me, "allocated", order.allocated_at, cuts, call)
    if order.released_at is not None:
        for state, at in (("picked", order.picked_at), ("packed", order.packed_at)):
            story.say(WMS, me, state, at, cuts, call, said_at=story.heard(WMS, at, 5))
    if order.shipments:
        story.say(WMS, me, "shipped", max(s.shipped_at for s in order.shipments), cuts, call)
    return call


def _shipment(
    story: Story, order: Order, ship: Shipment, released: Call, eta_until: int | None
) -> tuple[Call | None, Call | None]:
    """One shipment and its invoice; returns the calls that reported the delivery and posted the invoice."""
    cuts, me, of = _cuts(order, ship), ("shipment", ship.number), (("order", order.number),)
    said_at = story.heard(TMS, ship.planned_at)
    keys, scac = (ship.key, order.po), ship.carrier.scac
    story.say(TMS, me, "planned", ship.planned_at, cuts, released, said_at=said_at, related=of, keys=keys)
    story.say(TMS, me, "delivered", ship.committed_at, cuts, released, said_at=said_at, related=of, classifier="PLN")
    tendered_said = story.heard(TMS, ship.tendered_at)
    tender = story.call("tms.tender", tendered_said, me, cuts, partner=scac)
    story.say(TMS, me, "tendered", ship.tendered_at, cuts, tender, said_at=tendered_said, related=of)
    story.say(TMS, me, "confirmed", ship.confirmed_at, cuts, tender, related=of)
    if ship.unmapped:
        _unmapped(story, ship, cuts, tender, of)
    _in_the_erp(story, ship, cuts, tender, of)
    delivered = _carried(story, order, ship, cuts, of, eta_until)
    proof = _proof(story, ship, cuts, of) or delivered
    return delivered, _invoice(story, order, ship, ship.invoice, released, proof) if ship.invoice else None


def _unmapped(story: Story, ship: Shipment, cuts: Cuts, call: Call, of: Related) -> None:
    at, code = ship.unmapped or (0, "")
    story.say(TMS, ("shipment", ship.number), "unknown", at, cuts, call, related=of, code=code)


def _in_the_erp(story: Story, ship: Shipment, cuts: Cuts, tender: Call, of: Related) -> None:
    if ship.erp_confirmed_at is None:
        return
    me, said_at = ("shipment", ship.number), story.heard(ERP, ship.erp_confirmed_at)
    is_queued = story.rng.random() < 0.3
    call = story.call("erp.shipments.import", said_at, me, cuts, parent=tender, is_queued=is_queued)
    story.say(ERP, me, "confirmed", ship.erp_confirmed_at, cuts, call, said_at=said_at, related=of)
    if ship.erp_departed_at is not None:
        story.say(ERP, me, "departed", ship.erp_departed_at, cuts, call, related=of)


def _carried(story: Story, order: Order, ship: Shipment, cuts: Cuts, of: Related, eta_until: int | None) -> Call | None:
    """What the carrier reports, over its 214 interface; returns the last call."""
    scac, me, last = ship.carrier.scac, ("shipment", ship.number), None
    teller = Teller(scac, "carrier", ship.carrier.source, CARRIER_LAG)
    house = WAREHOUSES[order.warehouse.name].place
    steps = [Move(at, state, house) for at, state in ((ship.loaded_at, "loaded"), (ship.departed_at, "departed")) if at]
    end = [Move(ship.delivered_at, "delivered", "")] if ship.delivered_at else []
    for i, move in enumerate([*steps, *ship.moves, *end]):
        late_h = LATE_H[ship.carrier.mode] if move.state in ("in_transit", "at_hub", "out_for_delivery") else 0
        said_at = _through(story, ship, cuts, story.heard(teller, move.at, late_h))
        last = story.call(f"carrier.{scac}.214", said_at, me, cuts, partner=scac)
        keys = (ship.key,) if i == 0 else ()
        said = story.say(teller, me, move.state, move.at + move.claimed_s, cuts, last, said_at=said_at, related=of, keys=keys,
                         location=move.location)  # fmt: skip
        if move.state == "in_transit":
            story.misplace(said)
        if i in (1, 4):
            _estimate(story, ship, cuts, teller, last, said_at, eta_until)
    if ship.delayed_at and ship.departed_at:
        story.say(teller, me, "delayed", ship.delayed_at, cuts, last, related=of, exception="SHP.DELAY.WEATHER")
    if ship.failing_from:
        _failing(story, ship, cuts)
    return last


def _through(story: Story, ship: Shipment, cuts: Cuts, said_at: int) -> int:
    """When a report gets through: at once, or, where the interface failed then, soon after it was mended."""
    since, until = ship.unheard or (0, 0)
    if not since <= said_at < until:
        return said_at
    message = f"{story.rng.getrandbits(64):016x}"
    story.fail(f"carrier.{ship.carrier.scac}.214", said_at, ("shipment", ship.number), cuts, REFUSED_ERROR, message)
    return until + said_at % 600


def _proof(story: Story, ship: Shipment, cuts: Cuts, of: Related) -> Call | None:
    if ship.pod_at is None:
        return None
    scac, me = ship.carrier.scac, ("shipment", ship.number)
    teller = Teller(scac, "carrier", ship.carrier.source, CARRIER_LAG)
    said_at = story.heard(teller, ship.pod_at)
    call = story.call(f"carrier.{scac}.pod", said_at, me, cuts, partner=scac)
    story.say(teller, me, "pod_received", ship.pod_at, cuts, call, said_at=said_at, related=of)
    return call


def _estimate(
    story: Story, ship: Shipment, cuts: Cuts, teller: Teller, call: Call, said_at: int, eta_until: int | None
) -> None:
    """An estimate of the delivery; those for one carrier come over a feed of their own, which may fall silent."""
    at = ship.committed_at + story.rng.randint(-7200, 5400)
    if ship.carrier.source == "carrier-brgt":
        if eta_until is not None and said_at > eta_until:
            return
        teller = teller._replace(source=ETA_FEED)
    if at > said_at:
        story.say(teller, ("shipment", ship.number), "delivered", at, cuts, call, said_at=said_at, classifier="EST")


def _failing(story: Story, ship: Shipment, cuts: Cuts) -> None:
    """Each hour the carrier sends its status again, and each hour it fails."""
    first = max(ship.failing_from or 0, ship.erp_departed_at or 0) + story.rng.randrange(600)
    for at in range(first, first + FAILING_FOR_S, FAILING_EVERY_S):
        message = f"{story.rng.getrandbits(64):016x}"
        story.fail(f"carrier.{ship.carrier.scac}.214", at, ("shipment", ship.number), cuts, PARSE_ERROR, message)


def _invoice(story: Story, order: Order, ship: Shipment, invoice: Invoice, issued: Call, proof: Call | None) -> Call | None:
    """From the goods issue to the payment; one that was not waited for has no proof to follow from."""
    cuts, me = _cuts(order, ship), ("invoice", invoice.number)
    more = {
        "related": (("shipment", ship.number), ("order", order.number)),
        "amount": invoice.amount,
        "currency": order.customer.currency,
    }
    if invoice.not_ready_at is not None:
        story.say(ERP, me, "not_ready", invoice.not_ready_at, cuts, issued, **more)
    if invoice.created_at is None:
        return None
    is_queued = story.rng.random() < 0.4
    said_at = story.heard(ERP, invoice.created_at)
    parent = proof if invoice.ready_at is not None else issued
    post = story.call("erp.invoices.post", said_at, me, cuts, parent=parent, is_queued=is_queued)
    if invoice.ready_at is not None:
        story.say(ERP, me, "invoice_ready", invoice.ready_at, cuts, post, **more)
    story.say(ERP, me, "created", invoice.created_at, cuts, post, said_at=said_at, **more)
    story.say(ERP, me, "posted", invoice.posted_at, cuts, post, **more)
    for state, at in (("sent", invoice.sent_at), ("acknowledged", invoice.acknowledged_at), ("paid", invoice.paid_at)):
        story.say(ERP, me, state, at, cuts, post, said_at=story.heard(ERP, at, 6), **more)
    return post


def _settled(story: Story, order: Order, call: Call | None, post: Call | None) -> None:
    """What the ERP says of the whole order, once all its shipments are there."""
    cuts, me, ships = _cuts(order), ("order", order.number), order.shipments
    delivered = [s.delivered_at for s in ships if s.delivered_at and s.erp_confirmed_at]
    if not ships or len(delivered) < len(ships):
        return
    story.say(ERP, me, "delivered", order.after(max(delivered), 4, 20), cuts, call)
    issued = [s.invoice for s in ships if s.invoice and s.invoice.created_at]
    if len(issued) < len(ships):
        return
    invoiced = order.after(max(i.posted_at for i in issued), 0.5, 3)
    story.say(ERP, me, "invoiced", invoiced, cuts, post, said_at=story.heard(ERP, invoiced, 6))
    closed = order.after(max(i.acknowledged_at for i in issued), 300, 2880)
    story.say(ERP, me, "closed", closed, cuts, post, said_at=story.heard(ERP, closed, 6))


def _returned(story: Story, order: Order) -> None:
    if order.return_ is None or not all(s.delivered_at for s in order.shipments):
        return
    carrier = order.shipments[-1].carrier
    by_carrier = Teller(carrier.scac, "carrier", carrier.source, CARRIER_LAG)
    steps = (
        (PORTAL, "requested"), (ERP, "authorised"), (by_carrier, "in_return_transit"), (WMS, "received"), (WMS, "inspected"),
        (WMS, "restocked"), (ERP, "credited"),
    )  # fmt: skip
    cuts, me, of = _cuts(order, order.shipments[-1]), ("return", order.return_.number), (("order", order.number),)
    call = story.call("returns.credit", order.return_.times[0], me, cuts, partner=order.customer.name)
    for (teller, state), at in zip(steps, order.return_.times, strict=True):
        said_at = story.heard(teller, at, 0 if state == "credited" else 6)
        if state == "credited":
            call = story.call("returns.credit", said_at, me, cuts, parent=call, partner=order.customer.name)
        story.say(teller, me, state, at, cuts, call, said_at=said_at, related=of)


def tell_movement(seed: int, movement: Movement) -> Story:
    """A stock adjustment: the WMS writes it, the ERP posts it."""
    story = Story(Random(f"{seed}/{movement.number}"))  # noqa: S311
    cuts = Cuts(movement.warehouse.region, movement.warehouse.name)
    _adjusted(story, movement, movement.number, cuts, 0)
    if movement.twin:
        _adjusted(story, movement, movement.twin, cuts, 40 + story.rng.randrange(80))
    return story


def _adjusted(story: Story, m: Movement, number: str, cuts: Cuts, later_s: int) -> None:
    me, at = ("inventory", number), m.at + later_s
    more = {
        "correlation": f"{m.document}|{m.line}|{m.sku}|{m.quantity}|{m.reason}", "quantity": float(m.quantity), "unit": "EA",
        "amount": m.value, "currency": m.currency, "keys": (m.document,),
        "attributes": {"doc": m.document, "line": m.line, "sku": m.sku, "reason": m.reason},
    }  # fmt: skip
    said_at = story.heard(WMS, at)
    call = story.call("wms.adjustments", said_at, me, cuts, partner=m.warehouse.name)
    story.say(WMS, me, "adjusted", at, cuts, call, said_at=said_at, **more)
    posted_at = m.posted_at + later_s
    said_at = story.heard(ERP, posted_at)
    call = story.call("erp.adjustments.post", said_at, me, cuts, parent=call, is_queued=True)
    story.say(ERP, me, "posted", posted_at, cuts, call, said_at=said_at, **more)
