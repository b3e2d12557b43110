"""
A small enterprise in a store, for the pages to show: orders, their shipments and invoices, some of them stuck, and what the
detectors find in that.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from schema import events, exceptions, state
from schema.events import Event, Related
from schema.store import Store
from tests.parts.rows import event_rows

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REGIONS = {"EU-West": ("ROT", "ANR"), "EU-North": ("GOT",), "US-East": ("EWR", "SAV"), "APAC": ("SIN",)}
CARRIERS = ("ACME", "NORDFREIGHT", "GLOBEX", "HANSA")
CUSTOMERS = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir")
STEPS = (
    ("order", "received", "erp", 0), ("order", "confirmed", "erp", 0.3), ("order", "released", "erp", 0.6),
    ("order", "allocated", "wms", 2), ("order", "picked", "wms", 5), ("order", "packed", "wms", 6),
    ("shipment", "planned", "tms", 3), ("shipment", "confirmed", "tms", 4), ("shipment", "loaded", "carrier", 8),
    ("order", "shipped", "wms", 8.5), ("shipment", "departed", "carrier", 9), ("shipment", "in_transit", "carrier", 13),
    ("shipment", "at_hub", "carrier", 24), ("shipment", "out_for_delivery", "carrier", 40),
    ("shipment", "delivered", "carrier", 45),
    ("invoice", "not_ready", "erp", 9), ("shipment", "pod_received", "carrier", 50), ("invoice", "invoice_ready", "erp", 51),
    ("invoice", "created", "erp", 53), ("invoice", "posted", "erp", 53.2),
    ("invoice", "sent", "erp", 54), ("invoice", "acknowledged", "erp", 60),
)  # fmt: skip
STALE_AT, NO_POD_AT = 13, 50


def fill(store: Store, now: datetime, *, orders: int = 60, seed: int = 7) -> None:
    """Put the enterprise into a store: events, the state, exceptions, and what the jobs would have noted."""
    rng = random.Random(seed)
    said = [e for i in range(orders) for e in _order(i, now, rng)]
    rows = event_rows(said, source="events", message="m1", received_at=now)
    received = events.COLUMNS.index("received_at")
    rows = [(*r[:received], r[3] + timedelta(seconds=40), now, *r[received + 2 :]) for r in rows]
    store.insert("events", events.COLUMNS, rows)
    state.refresh(store)
    exceptions.detect(store, now)
    _fail(store, now)
    columns = ("job", "started_at", "duration_ms", "ok", "n", "mark", "detail")
    store.insert("job_runs", columns, [("state", now, 40, True, 5, now, ""), ("detect", now, 90, True, 5, EPOCH, "")])


def _order(i: int, now: datetime, rng: random.Random) -> Iterator[Event]:
    region = rng.choices(list(REGIONS), [5, 2, 3, 1])[0]
    cuts = {
        "region": region,
        "warehouse": rng.choice(REGIONS[region]),
        "carrier": rng.choice(CARRIERS),
        "customer": rng.choice(CUSTOMERS),
        "order_class": rng.choice(("standard", "standard", "express")),
        "mode": rng.choice(("ftl", "ltl", "parcel")),
    }
    ids = {"order": f"45{i:06d}", "shipment": f"SHP-{i:05d}", "invoice": f"90{i:06d}"}
    amount = round(rng.lognormvariate(8.6, 1.0), 2)
    start = now - timedelta(hours=rng.uniform(0.1, 90))
    is_stale = cuts["carrier"] == "ACME" and rng.random() < 0.45
    is_without_pod = cuts["carrier"] in ("ACME", "GLOBEX") and region == "EU-West" and rng.random() < 0.8
    for type_, reached, role, hours in STEPS:
        at = start + timedelta(hours=hours * rng.uniform(0.9, 1.15))
        if at > now or (is_stale and hours > STALE_AT) or (is_without_pod and hours >= NO_POD_AT):
            continue
        yield _event(type_, ids, reached, role, at, cuts, amount)
    if start + timedelta(hours=9) < now:
        promised = start + timedelta(hours=44)
        yield _event("shipment", ids, "delivered", "tms", promised, cuts, amount, classifier="PLN")
        yield _event(
            "shipment",
            ids,
            "delivered",
            "carrier",
            promised + timedelta(hours=rng.uniform(-3, 9)),
            cuts,
            amount,
            classifier="EST",
        )
    if rng.random() < 0.1 and start + timedelta(hours=20) < now:
        yield _event("shipment", ids, "delayed", "carrier", start + timedelta(hours=20), cuts, amount)
    if rng.random() < 0.97:
        yield _event("shipment", ids, "confirmed", "erp", min(now, start + timedelta(hours=5)), cuts, amount)


def _event(
    type_: Any,
    ids: dict[str, str],
    reached: str,
    role: str,
    at: datetime,
    cuts: dict[str, str],
    amount: float,
    *,
    classifier: Any = "ACT",
) -> Event:
    related = {"order": (), "shipment": ("order",), "invoice": ("shipment", "order")}[type_]
    return Event(
        event_id=events.event_id(type_, ids[type_], reached, role, classifier),
        event_type=f"{type_}.{reached}",
        occurred_at=at,
        classifier=classifier,
        object_type=type_,
        object_id=ids[type_],
        related=tuple(Related(object_type=r, object_id=ids[r]) for r in related),  # type: ignore[arg-type]
        keys=(f"1Z{ids['shipment'][4:]}",) if type_ == "shipment" else (),
        state=reached,
        system=role.upper(),
        system_role=role,
        source_code={"delivered": "D1", "departed": "AF", "in_transit": "X6"}.get(reached, ""),
        code_list="X12" if reached in ("delivered", "departed", "in_transit") else "",
        code_element="1650" if reached in ("delivered", "departed", "in_transit") else "",
        amount=amount if type_ == "order" else 0,  # type: ignore[arg-type]
        currency="EUR" if type_ == "order" else "",
        trace_id=events.event_id(ids["order"]) if role != "carrier" else "",
        **cuts,
    )


def _fail(store: Store, now: datetime) -> None:
    """An interface that fails, as the detectors of the technical half would leave it."""
    columns = (
        "code", "fingerprint", "detected_at", "began_at", "closed_at", "reason", "value", "object_type", "object_id", "region",
        "carrier", "interface", "trace_id", "place", "owner", "severity", "workflow", "sla_s", "ver",
    )  # fmt: skip
    since = now - timedelta(hours=3)
    row = ("INT.FAIL", "acme-pod", since, since, EPOCH, "92 of 104 messages failed: 401 token expired", 0.0, "", "", "EU-West",
           "ACME", "acme-pod", "0af7651916cd43dd8448eb211c80319c", "acme-pod", "integration", 1, "", 14400, 1)  # fmt: skip
    store.insert("exceptions", columns, [row])
