"""
What must be found at the anchor: each fault with its code, its objects, its owner and its cause.

Why computed from what was told and not from what was meant: a shipment is stale only if its carrier had the time to tell and
did not, so the truth follows the same statements as the store, through rules that are written here a second time, in Python.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collectors.demo.cast import ETA_FEED
from collectors.demo.faults import CODES, HOUR, Fault
from collectors.demo.orders import Order, Shipment
from collectors.demo.rows import received_at
from collectors.demo.stock import movements
from collectors.demo.telling import Said
from collectors.demo.world import World
from schema import governance
from schema.governance import Catalogue
from schema.rules import Lifecycle

FILE = "faults.json"
FUTURE_S = 300
Step = tuple[int, int, str, str]
Fits = Callable[[Order, Shipment], bool]


def truth(seed: int, anchor: datetime, days: int = 30, *, catalogue: Catalogue | None = None) -> list[Fault]:
    """Every exception that must be open at the anchor, one entry for each scenario and code."""
    catalogue = catalogue or governance.load()
    return Truth(World(seed, anchor, days, catalogue=catalogue), catalogue).faults()


def write(faults: Iterable[Mapping[str, Any]], folder: Path, seed: int, anchor: datetime) -> Path:
    """Keep the truth beside the store: what a test compares with the inbox, and what the live part starts from."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {"seed": seed, "anchor": anchor.astimezone(UTC).isoformat(), "faults": list(faults)}
    path = folder / FILE
    path.write_text(json.dumps(said, indent=1), "utf-8")
    return path


def told(said: Iterable[Said], by: int) -> Iterator[Said]:
    """The statements that reached us by a time and were not taken back by then."""
    here = [s for s in said if received_at(s.teller.source, s.said_at) <= by]
    gone = {s.event_id for s in here if s.is_retracted}
    return (s for s in here if s.event_id not in gone)


def steps(said: Iterable[Said], life: Lifecycle) -> list[Step]:
    """What was told of one object, in order: (time, rank, state, place); a time ahead of us is held back to its arrival."""
    found = set()
    for s in said:
        state = life.states.get(s.state)
        if s.classifier == "ACT" and (state or s.location):
            received = received_at(s.teller.source, s.said_at)
            found.add((received if s.at > received + FUTURE_S else s.at, state.rank if state else 0, s.state, s.location))
    return sorted(found)


def progress(found: list[Step]) -> tuple[str, int, int]:
    """(state now, since when, last progress) of an object's steps: progress is a new state or another place."""
    state, rank, since, moved, before = "", -1, 0, 0, ("", "")
    for at, step_rank, step_state, place in found:
        if step_rank >= rank and step_state != state:
            state, rank, since = step_state, step_rank, at
        if step_state != before[0] or (place and place != before[1]):
            moved = at
        before = (step_state, place)
    return state, since, moved


def is_stale(catalogue: Catalogue, ship: Shipment, said: Iterable[Said], at: int) -> bool:
    """Whether a shipment, as it was told of, is active and its last progress older than its mode allows."""
    life = catalogue.lifecycles["shipment"]
    state, _, moved = progress(steps((s for s in said if s.object_id == ship.number), life))
    limit_s = catalogue.tolerances["shipment_status"].by_mode[ship.carrier.mode]
    return state in life.states and life.states[state].is_active and moved < at - limit_s


class Truth:
    """The faults of a world, as they stand at its anchor."""

    def __init__(self, world: World, catalogue: Catalogue) -> None:
        self._world, self._catalogue, self._broken = world, catalogue, world.faults
        self._orders = list(world.orders(world.anchor - 9 * 86_400))

    def faults(self) -> list[Fault]:
        """All of them, by scenario; 0 stands beside the scenarios of domain.md."""
        b = self._broken
        return [*self._on_shipments(), *self._on_invoices(), *self._on_stock_and_orders(), *self._on_interfaces(b.anchor)]

    def _fault(
        self, scenario: int, code: str, object_type: str, ids: Iterable[str], cause: str, began_at: int, **where: str
    ) -> Fault:
        owner = where.pop("owner", self._catalogue.exceptions[code].owner)
        column = {"interface": "interface", "source": "interface", "code": "fingerprint"}.get(object_type, "object_id")
        return Fault(scenario, code, object_type, tuple(sorted(ids)), column, owner, cause, began_at, **where)

    def _on_shipments(self) -> Iterator[Fault]:
        b = self._broken
        yield self._fault(
            1, "SHP.STALE", "shipment", self._stale(lambda o, s: s.failing_from is not None),
            "carrier.NRDX.214 fails for EU-North since the deploy of carrier-nrdx 2.9.0", b.milestones_stop_at,
            region="EU-North", carrier="NRDX", interface="carrier.NRDX.214",
        )  # fmt: skip
        yield self._fault(
            11, "SHP.STALE", "shipment", self._stale(lambda o, s: (o.region.name, s.carrier.scac) == ("US-East", "HLTR")),
            "HLTR sends the same position again with the time of sending as event time", b.resends_from,
            region="US-East", carrier="HLTR", interface="carrier.HLTR.214",
        )  # fmt: skip
        yield self._fault(
            4, "SHP.CONFLICT", "shipment", [s.number for o in self._orders if o.number in b.absent for s in o.shipments],
            "confirmed in the TMS, absent in the ERP: erp.shipments.import was never called", b.anchor - 2 * HOUR,
            region="US-East", interface="erp.shipments.import",
        )  # fmt: skip
        stalled = next(o for o in self._orders if o.amount == max(x.amount for x in self._orders))
        yield self._fault(
            5, "SHP.STALLED", "shipment", [stalled.shipments[0].number], "at the Venlo cross-dock for 30 h, worth EUR 186,400",
            b.anchor - 30 * HOUR, region="EU-West", carrier="BRGT", warehouse="RTM1",
        )  # fmt: skip

    def _on_invoices(self) -> Iterator[Fault]:
        b = self._broken
        blocked = [s.invoice.number for o in self._orders for s in o.shipments if s.invoice and b.is_proof_lost(o, s)]
        yield self._fault(
            2, "BIL.MISSING_POD", "invoice", blocked,
            "proof of delivery from VELO never came; no call on carrier.VELO.pod failed",
            b.proofs_lost[0], region="EU-West", carrier="VELO", interface="carrier.VELO.pod",
        )  # fmt: skip
        early = [s.invoice.number for o in self._orders if o.number in b.premature for s in o.shipments if s.invoice]
        yield self._fault(
            6, "BIL.PREMATURE", "invoice", early, "invoiced when packed, before the shipment departed", b.anchor - 12 * HOUR,
            region="US-East", interface="erp.invoices.post",
        )  # fmt: skip

    def _on_stock_and_orders(self) -> Iterator[Fault]:
        b = self._broken
        yield self._fault(
            3, "INV.DUP_ADJ", "inventory", self._twins(), "RTM1 writes each adjustment twice since its WMS 8.2.0",
            b.doubles_from, region="EU-West", warehouse="RTM1", interface="wms.adjustments",
        )  # fmt: skip
        yield self._fault(
            9, "SHP.CONFLICT", "order", b.stale_allocations, "GOT1 allocated on a stale order status: the ERP never released",
            b.anchor - 2 * HOUR, region="EU-North", warehouse="GOT1", interface="wms.release",
        )  # fmt: skip
        yield self._fault(
            0, "ORD.RELEASE_LATE", "order", self._late_releases(), "LYS1 releases nothing; no call on wms.release fails",
            b.release_stops_at, region="EU-West", warehouse="LYS1", interface="wms.release", owner="warehouse",
        )  # fmt: skip

    def _on_interfaces(self, anchor: int) -> Iterator[Fault]:
        b, one = self._broken, self._fault
        yield one(1, "INT.FAIL", "interface", ["carrier.NRDX.214"], "ParseError since the deploy of carrier-nrdx 2.9.0",
                  b.milestones_stop_at, region="EU-North", carrier="NRDX", interface="carrier.NRDX.214")  # fmt: skip
        yield one(7, "INT.UNMAPPED", "code", [f"tms|TMS|status|{code}" for code in CODES], "TMS codes that map to nothing",
                  b.unmapped_from)  # fmt: skip
        yield one(8, "INT.FAIL", "interface", ["erp.orders.export"], "MappingError since the ERP change, erp-connector 12.4.0",
                  b.drift_from, interface="erp.orders.export")  # fmt: skip
        yield one(10, "INT.RETRY", "interface", ["carrier.QKPK.214"], "every message takes three or four attempts; none fails",
                  b.retries_from, carrier="QKPK", interface="carrier.QKPK.214")  # fmt: skip
        yield one(12, "INT.MISSING_FEED", "source", [ETA_FEED], "the feed of estimates fell silent without an error",
                  anchor - 3 * HOUR, carrier="BRGT")  # fmt: skip
        yield one(0, "INT.CLOCK", "source", ["carrier-brgt"], "positions two hours ahead of our clock", b.clock_from,
                  carrier="BRGT")  # fmt: skip

    # --- the rules, a second time -------------------------------------------------------------------------------------------
    def _stale(self, fits: Fits) -> Iterator[str]:
        for order in self._orders:
            if any(fits(order, ship) for ship in order.shipments):
                said = list(told(self._world.tell(order).said, self._world.anchor))
                yield from (s.number for s in order.shipments if is_stale(self._catalogue, s, said, self._world.anchor))

    def _twins(self) -> list[str]:
        b = self._broken
        found = (b.double(m) for m in movements(b.seed, b.doubles_from, b.anchor))
        return [m.twin for m in found if m.twin and received_at("wms", m.at + 200) <= b.anchor]

    def _late_releases(self) -> list[str]:
        b, limit_s = self._broken, self._catalogue.tolerances["order_release"].limit_s
        return [
            o.number
            for o in self._orders
            if o.warehouse.name == "LYS1" and o.confirmed_at and o.released_at is None and o.blocked_at is None
            and b.clock.between(o.confirmed_at, b.anchor) > limit_s
        ]  # fmt: skip
