"""
The plain events (collectors/plain.py) of a batch of CloudEvents, read from the bytes into their types.

Why a second reader beside `cloudevents`: there an event becomes a table of loose fields first, to which much may be done. Most
events of a batch need none of it, and read at once they take half of the time; as Python does one thing at a time, that
decides how many come in. What this reader does not take (an extension, a code to be mapped, a word that no lifecycle knows,
any doubt) it leaves to the other: what an event means is defined there, and a property test holds both to the same answer.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

import msgspec

from collectors.canonical import Canonical
from collectors.plain import NOT_PLAIN, TOO_FINE, Identifier, Instant, Plain, Text, is_plain
from schema.events import MAX_TEXT, OBJECT_TYPES, ObjectType, event_id

TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
NO_TRACE = "0" * 32
# What a source may give that nothing else is made of.
GIVEN = frozenset({
    "system", "system_role", "tenant", "region", "warehouse", "carrier", "customer", "order_class", "mode", "location", "unit",
})  # fmt: skip
# What the envelope may say in its place, and an amount as JSON writes it.
LOOSE: tuple[tuple[str, Any, Any], ...] = (
    ("event_id", Text, ""),
    ("event_type", Text, ""),
    ("occurred_at", Instant | None, None),
    ("object_type", ObjectType | Literal[""], ""),
    ("object_id", Text, ""),
    ("amount", str | int | float, Decimal(0)),
)
PARTS = msgspec.json.Decoder(list[msgspec.Raw])

Given = tuple[tuple[str, str], ...]


def read(body: bytes, canonical: Canonical) -> list[Plain | None]:
    """Each event of a batch, or None where `cloudevents` must be asked; none at all, if the body is no batch."""
    given = tuple(canonical.defaults)
    if not all(name in GIVEN and value == value.strip() and len(value) <= MAX_TEXT for name, value in given):
        return []
    try:
        parts = PARTS.decode(body)
    except NOT_PLAIN:
        return []
    decoder, is_fine = _decoder(given), TOO_FINE.search(body) is not None
    return [None if is_fine and TOO_FINE.search(part) else _event(decoder, part, canonical) for part in parts]


@lru_cache(maxsize=256)
def _decoder(given: Given) -> msgspec.json.Decoder[Any]:
    """Reads one envelope with its event, in which what the source gives stands for what is not said."""
    strict: dict[str, Any] = {"kw_only": True, "forbid_unknown_fields": True, "gc": False}
    said = msgspec.defstruct("Said", [*LOOSE, *((name, Text, value) for name, value in given)], bases=(Plain,), **strict)
    envelope: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        ("specversion", Literal["1.0", "0.3"]),
        *((name, Identifier) for name in ("id", "source", "type")),
        ("data", said),
        ("time", Instant | None, None),
        ("datacontenttype", Literal["application/json"], "application/json"),
        *((name, Text, "") for name in ("subject", "traceparent", "tracestate", "correlationid", "dataschema", "schemaurl")),
    ]
    return msgspec.json.Decoder(msgspec.defstruct("Envelope", envelope, **strict))


def _event(decoder: msgspec.json.Decoder[Any], part: bytes, canonical: Canonical) -> Plain | None:
    """What the event does not say itself from its envelope, in the order of `cloudevents`."""
    try:
        envelope = decoder.decode(part)
        said = envelope.data
        if type(said.amount) is not Decimal:
            said.amount = Decimal(str(said.amount))
    except NOT_PLAIN:
        return None
    if not said.event_id:
        said.event_id = event_id(envelope.source, envelope.id)
    if not said.event_type:
        said.event_type = envelope.type
    if not said.occurred_at:
        said.occurred_at = envelope.time
    if not said.object_id:
        said.object_id = envelope.subject
    if not said.object_type:
        said.object_type = object_type(said.event_type)
    if not said.correlation_id:
        said.correlation_id = envelope.correlationid
    if envelope.traceparent and not said.trace_id:
        said.trace_id, said.span_id = trace(envelope.traceparent) or (said.trace_id, said.span_id)
    is_settled = (said.object_type, said.state) in canonical.settled if said.state else not said.source_code
    is_whole = is_settled and said.object_type and said.object_id and said.occurred_at
    return said if is_whole and is_plain(said) else None


def object_type(event_type: str) -> str:
    """The first part of an event's type that names a type of object; empty, if none does."""
    return next((part for part in event_type.split(".") if part in OBJECT_TYPES), "")


def trace(traceparent: str) -> tuple[str, str] | None:
    """Trace id and span id of a W3C trace context; none, if it is none."""
    found = TRACEPARENT.fullmatch(traceparent.lower())
    return (found[1], found[2]) if found and found[1] != NO_TRACE else None
