"""
What passes between kinds and formats: a Message in, Batches and Findings out.

Why so little: a kind knows how bytes arrive and nothing of their meaning, a format knows what bytes mean and does no
I/O. N kinds and M formats then make N + M modules, each found by its name and tested alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from collectors import arrow
from collectors.plain import Plain
from schema import events
from schema.events import Event

if TYPE_CHECKING:
    from schema.governance import Catalogue

Statement = Event | Plain


@dataclass(frozen=True, slots=True)
class Source:
    """A source of the configuration: kind + format, who speaks through it, and what its messages leave unsaid."""

    name: str
    kind: str
    format: str
    system: str = ""
    system_role: str = ""
    partner: str = ""
    zone: str = "UTC"
    defaults: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    mask: Sequence[str] = ()


@dataclass(frozen=True)
class Message:
    """Bytes as they arrived. `name` says where (path, topic and offset, URL); headers are lower case."""

    body: bytes
    received_at: datetime
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str = ""

    @cached_property
    def id(self) -> str:
        return events.message_id(self.body)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd in a message that was stored all the same: a wrong count, an unmapped code, an unknown field."""

    code: str
    text: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """
    What one message adds to one table: a block of rows, or a body that the engine decodes itself.

    Shape: either `block` (collectors/arrow.py), or `body` (serialized protobuf, concatenable with its like); `n` rows.
    """

    table: str
    block: Any = None
    body: bytes = b""
    n: int = 0

    def __len__(self) -> int:
        return self.n


@dataclass(frozen=True, slots=True)
class Reject:
    """A part that cannot be stored. `body` is a message of the same format by itself, so that it can be replayed."""

    body: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """
    All that a format made of one message. `found` is what was said; `batches` is what is stored; `rejects` are the parts that
    were wrong where the rest was right (all wrong: raise BadPayload).
    """

    batches: tuple[Batch, ...] = ()
    findings: tuple[Finding, ...] = ()
    found: tuple[Statement, ...] = ()
    rejects: tuple[Reject, ...] = ()

    @property
    def events(self) -> tuple[Event, ...]:
        """What was said, as the dry run prints it."""
        return tuple(Event.model_validate(one, from_attributes=True) for one in self.found)


@dataclass(frozen=True, slots=True)
class Context:
    """What a format may know beside the message: its source, and the catalogue with its code maps."""

    source: Source
    catalogue: Catalogue


def decoded(
    message: Message,
    context: Context,
    found: Sequence[Statement],
    findings: Sequence[Finding] = (),
    rejects: Sequence[Reject] = (),
) -> Decoded:
    """
    Business events as one Batch for `events`; the source's defaults were applied by the format already.

    Raises: BadPayload, for a value that its column cannot hold.
    """
    batches: tuple[Batch, ...] = ()
    if found:
        block = arrow.block(found, source=context.source.name, message=message.id, received_at=message.received_at)
        batches = (Batch("events", block, n=len(found)),)
    return Decoded(batches, tuple(findings), tuple(found), tuple(rejects))
