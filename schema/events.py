"""
The canonical business event, its identity, and the columns of its row in `events`.

Why one flat model: every source, whatever its standard, says the same thing, that an object reached a milestone at a
time, and everything downstream is a fold over those statements. What a standard says beyond that goes to `attributes`.

Why the identity is computed from the payload alone: a replay, a retry or a second delivery must produce the same
`event_id`, or a duplicate would count as news. The four clocks are kept apart because each answers another question:
`occurred_at` (it happened), `recorded_at` (the sender wrote it), `received_at` (our edge), `ingested_at` (the store).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

OBJECT_TYPES = ("order", "shipment", "inventory", "invoice", "return")
ObjectType = Literal["order", "shipment", "inventory", "invoice", "return"]
Classifier = Literal["PLN", "EST", "ACT"]

MAX_TEXT = 512
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT, strip_whitespace=True)]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, strip_whitespace=True)]


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as err:
        raise ValueError(f"{value} lies in no year from 1 to 9999 in UTC") from err


Instant = Annotated[AwareDatetime, AfterValidator(_utc), Field(ge=datetime(1970, 1, 1, tzinfo=UTC))]


class Related(BaseModel):
    """Another object that the event names: an order has shipments, a shipment has invoices, many to many."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    object_type: ObjectType
    object_id: Identifier


class Event(BaseModel):
    """
    One statement that an object reached a milestone, planned (PLN), estimated (EST) or actual (ACT).

    Units:  times are aware and kept in UTC with milliseconds; `amount` is in `currency`, `quantity` in `unit`.
    Raises: pydantic.ValidationError, which names the field, what was got and what is allowed.
    Source: domain.md 2.1 of the founding brief: envelope terms of DCSA T&T, EPCIS 2.0 and X12 AT7.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_id: Identifier
    event_version: int = Field(default=1, ge=0, lt=2**63)
    event_type: Identifier
    occurred_at: Instant
    recorded_at: Instant | None = None
    classifier: Classifier = "ACT"
    object_type: ObjectType
    object_id: Identifier
    related: tuple[Related, ...] = ()
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
    amount: Annotated[Decimal, Field(ge=-(10**14), le=10**14)] = Decimal(0)
    currency: Annotated[str, StringConstraints(max_length=3)] = ""
    quantity: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    unit: Text = ""
    trace_id: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32})?$")] = ""
    span_id: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{16})?$")] = ""
    correlation_id: Text = ""
    exception_code: Text = ""
    is_retracted: bool = False
    attributes: Mapping[str, Annotated[str, StringConstraints(max_length=8192)]] = Field(default_factory=dict)


# The order in which a row of `events` is written; `source`, `message_id` and the two edge clocks are the collector's.
COLUMNS = (
    "event_id", "event_version", "event_type", "occurred_at", "recorded_at", "received_at", "ingested_at",
    "classifier", "object_type", "object_id", "related.object_type", "related.object_id", "keys",
    "state", "source_code", "code_list", "code_element", "code_version",
    "system", "system_role", "source", "message_id",
    "tenant", "region", "warehouse", "carrier", "customer", "order_class", "mode", "location",
    "amount", "currency", "quantity", "unit",
    "trace_id", "span_id", "correlation_id", "exception_code", "is_retracted", "attributes",
)  # fmt: skip


def event_id(*parts: str) -> str:
    """Identity from what the document itself says: its sender, control numbers and the position of the statement."""
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


def message_id(body: bytes) -> str:
    """Identity of a message by its bytes: the same bytes are the same message, whoever sends them again."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()
