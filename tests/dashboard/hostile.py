"""
A store in which every text that comes from outside is an attack on the page: HTML, Markdown, an icon, a formula.

Why every field and not the likely ones: the field that nobody thought of is the one that a partner, or whoever holds his key,
writes into. Which fields there are is read from the event itself, so that a new one is attacked as well.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from schema import events, exceptions, state
from schema.events import Event, Related
from schema.exceptions import Verb
from schema.store import Store
from tests.dashboard.telling import Told, log, tell, trace_id
from tests.parts.rows import event_rows

IMAGE = '<img src=x onerror="window.pwned=1">'
ATTACK = (
    f"{IMAGE}<script>window.pwned=1</script> [c](javascript:window.pwned=1) ![p](x) :material/bomb: :bomb: :red[r] **bo_ld** $x^2$ `c` "
    "https://evil.example/x www.evil.example eve@evil.example"
)
SHIPMENT, REJECT, TRACE, INTERFACE = f"S{ATTACK}", "r1", 7, f"I{ATTACK}"
LEFT_ALONE = ("event_id", "event_type", "object_id", "state", "currency", "trace_id", "span_id", "system_role")


def fill(store: Store, now: datetime) -> None:
    """A shipment that is stale, with its order and invoice, calls that failed, a reject, a finding, and what somebody did."""
    said = [
        _event("order", f"O{ATTACK}", "received", now - timedelta(days=9)),
        _event("shipment", SHIPMENT, "departed", now - timedelta(days=8), (("order", f"O{ATTACK}"),)),
        _event("shipment", SHIPMENT, "in_transit", now - timedelta(days=7), (("order", f"O{ATTACK}"),)),
        _event("invoice", f"B{ATTACK}", "not_ready", now - timedelta(days=6), (("shipment", SHIPMENT), ("order", f"O{ATTACK}"))),
    ]
    store.insert("events", events.COLUMNS, event_rows(said, source=ATTACK, message=ATTACK, received_at=now))
    state.refresh(store)
    exceptions.detect(store, now)
    _raise(store, now)
    for found in exceptions.find(store, now + timedelta(seconds=1)):
        verb = Verb(found["id"], "comment", ATTACK, comment=ATTACK)
        exceptions.act(store, verb, at=now + timedelta(seconds=1))
    called = {"milepost.interface": INTERFACE, "shipment.id": SHIPMENT, "milepost.partner": ATTACK, "messaging.message.id": ATTACK, ATTACK: ATTACK}
    spans = [Told(TRACE, i, now - timedelta(minutes=i), name=ATTACK, service=ATTACK, version=f"{i % 2}{ATTACK}", error=ATTACK, said=called, happened=(ATTACK,)) for i in (1, 2, 3)]
    tell(store, *spans)
    log(store, TRACE, 1, now - timedelta(minutes=1), ATTACK, severity=ATTACK[:20], service=ATTACK)
    columns = ("source", "reject_id", "message_id", "format", "name", "content_type", "headers", "received_at", "reason", "body", "status", "written_at")
    store.insert("rejects", columns, [(ATTACK, REJECT, ATTACK, ATTACK, ATTACK, ATTACK, {ATTACK: ATTACK}, now, ATTACK, ATTACK, "open", now)])
    store.insert("findings", ("source", "code", "message_id", "text", "place", "n", "format", "received_at"), [(ATTACK, ATTACK, ATTACK, ATTACK, ATTACK, 1, ATTACK, now)])


def _event(type_: Any, id_: str, reached: str, at: datetime, related: tuple[tuple[Any, str], ...] = ()) -> Event:
    texts = {name for name, field in Event.model_fields.items() if field.annotation is str} - set(LEFT_ALONE)
    known: dict[str, Any] = {
        "event_id": events.event_id(id_, reached), "event_type": f"{type_}.{reached}", "object_type": type_, "object_id": id_,
        "occurred_at": at, "state": reached, "system_role": "tms", "trace_id": trace_id(TRACE), "amount": 900, "currency": "EUR",
        "related": tuple(Related(object_type=t, object_id=i) for t, i in related), "keys": (ATTACK,), "attributes": {"a": ATTACK},
    }  # fmt: skip
    return Event(**dict.fromkeys(texts, ATTACK), **known)


def _raise(store: Store, now: datetime) -> None:
    """An exception as a detector would raise it, of an interface, with nothing but attacks in it."""
    texts = ("reason", "object_id", "tenant", "region", "warehouse", "carrier", "customer", "order_class", "mode", "place")
    row = {"code": "INT.FAIL", "fingerprint": "f", "detected_at": now, "began_at": now - timedelta(hours=9), "interface": INTERFACE, "owner": "integration", "severity": 1, "sla_s": 60, "ver": 1, "value": 5.0}
    row |= {"object_type": "shipment"} | dict.fromkeys(texts, ATTACK)
    store.insert("exceptions", list(row), [list(row.values())])


def of_now(store: Store) -> None:
    """Fill it as of this moment."""
    fill(store, datetime.now(UTC))
