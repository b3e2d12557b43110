"""
Events as rows of `events`, one by one and in Python: how tests put them into a store, and what the blocks are held against.

Why beside collectors/arrow.py, which makes a block of all of them for the sink: two ways to the same row, written apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from schema.events import COLUMNS, Event

INGESTED_AT = COLUMNS.index("ingested_at")


def event_row(event: Event, *, source: str, message: str, received_at: datetime) -> tuple[Any, ...]:
    """One row in the order of COLUMNS; `ingested_at` is when it was received, until somebody says otherwise."""
    said = {name: getattr(event, name) for name in COLUMNS if name in Event.model_fields} | {
        "recorded_at": event.recorded_at or event.occurred_at, "received_at": received_at, "ingested_at": received_at,
        "related.object_type": [r.object_type for r in event.related], "related.object_id": [r.object_id for r in event.related],
        "keys": list(event.keys), "source": source, "message_id": message, "attributes": dict(event.attributes),
    }  # fmt: skip
    return tuple(said[name] for name in COLUMNS)


def event_rows(found: Iterable[Event], *, source: str, message: str, received_at: datetime) -> list[tuple[Any, ...]]:
    """`event_row` for each event, in order."""
    return [event_row(event, source=source, message=message, received_at=received_at) for event in found]
