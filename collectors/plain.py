"""
Events that need no mending, told without Pydantic: what `Event` would make of the same fields, unchanged.

Why beside Event and not in its place: Event says what an event is, and what is wrong with one in words that its sender reads;
but that takes several times as long, and of ten thousand events most are plain. What is not beyond doubt here (a blank at an
end, a flag in quotes, a time finer than microseconds) is left to Event: a property test holds both to the same answer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from schema.events import MAX_TEXT, Classifier, ObjectType

Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Identifier = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
Instant = Annotated[datetime, Meta(tz=True)]

TIMES = ("occurred_at", "recorded_at")
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
MAX_AMOUNT = Decimal(10**14)
# Pydantic cuts what lies beyond microseconds, msgspec rounds it.
TOO_FINE = re.compile(rb"\.[0-9]{7}")

# What reading says of what is not plain: wrong types, broken JSON, no UTF-8, numbers that are none, nesting without end.
NOT_PLAIN = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)


class PlainRelated(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """As schema.events.Related."""

    object_type: ObjectType
    object_id: Identifier


class Plain(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """As schema.events.Event, field by field; of these types and no others."""

    event_id: Identifier
    event_version: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 1
    event_type: Identifier
    occurred_at: Instant
    recorded_at: Instant | None = None
    classifier: Classifier = "ACT"
    object_type: ObjectType
    object_id: Identifier
    related: tuple[PlainRelated, ...] = ()
    keys: tuple[Text, ...] = ()
    state: Text = ""
    source_code: Text = ""
    code_list: Text = ""
    code_element: Text = ""
    code_version: Text = ""
    system: Text = ""
    system_role: Text = ""
    tenant: Text = ""
    region: Text = ""
    warehouse: Text = ""
    carrier: Text = ""
    customer: Text = ""
    order_class: Text = ""
    mode: Text = ""
    location: Text = ""
    amount: Decimal = Decimal(0)
    currency: Annotated[str, Meta(max_length=3)] = ""
    quantity: float = 0.0
    unit: Text = ""
    trace_id: Annotated[str, Meta(pattern=r"\A([0-9a-f]{32})?\Z")] = ""
    span_id: Annotated[str, Meta(pattern=r"\A([0-9a-f]{16})?\Z")] = ""
    correlation_id: Text = ""
    exception_code: Text = ""
    is_retracted: bool = False
    attributes: Mapping[str, Annotated[str, Meta(max_length=8192)]] = {}


PLAIN = list[Plain]
texts = attrgetter(*(field.name for field in msgspec.structs.fields(Plain) if field.type in (Text, Identifier)))


def plain(found: Sequence[dict[str, Any]]) -> list[Plain | None]:
    """Each of them as it is, or None where Event must be asked."""
    try:
        said = msgspec.convert(found, PLAIN)
    except NOT_PLAIN:
        return [_one(fields) for fields in found]
    return [one if is_plain(one) and not _is_too_fine(fields) else None for one, fields in zip(said, found, strict=True)]


def _one(fields: dict[str, Any]) -> Plain | None:
    try:
        one = msgspec.convert(fields, Plain)
    except NOT_PLAIN:
        return None
    return one if is_plain(one) and not _is_too_fine(fields) else None


def _is_too_fine(fields: dict[str, Any]) -> bool:
    return any(type(time := fields.get(name)) is str and TOO_FINE.search(time.encode()) for name in TIMES)


def is_plain(one: Plain) -> bool:
    """What the types do not say: the ranges of times and numbers, and that no text is to be stripped."""
    return (
        FIRST <= one.occurred_at < LAST
        and (one.recorded_at is None or FIRST <= one.recorded_at < LAST)
        and one.amount.is_finite()
        and -MAX_AMOUNT <= one.amount <= MAX_AMOUNT
        and math.isfinite(one.quantity)
        and not _is_padded(texts(one))
        and not (one.keys and _is_padded(one.keys))
        and not (one.related and _is_padded([other.object_id for other in one.related]))
    )


def _is_padded(said: Sequence[str]) -> bool:
    """Whether one of them has blanks at an end, of which Event strips some; usually there is none in any."""
    return len(f"|{'|'.join(said)}|".split(None, 1)) > 1 and any(text != text.strip() for text in said)
