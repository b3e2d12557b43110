"""
Events as blocks of columns, and blocks as an Arrow stream, which the engine reads column by column.

Why not the driver's own insert of rows: it encodes forty columns, most of them LowCardinality, value by value in Python and
holds the GIL meanwhile; measured, Arrow takes less than half of that time, and the engine does the rest on its own threads.
Why a block a message and not a row an event: what waits for the commit is then a few buffers and no million of small objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

import pyarrow as pa
from msgspec import Struct
from msgspec.structs import astuple

from schema.errors import BadPayload
from schema.events import COLUMNS, Event

FORMAT = "ArrowStream"
CENT = Decimal("0.01")
MOMENT = pa.timestamp("ms", "UTC")
TEXT = pa.string()
TYPES: dict[str, Any] = dict.fromkeys(COLUMNS, TEXT) | {
    "event_version": pa.uint64(),
    **dict.fromkeys(("occurred_at", "recorded_at", "received_at", "ingested_at"), MOMENT),
    **dict.fromkeys(("related.object_type", "related.object_id", "keys"), pa.list_(TEXT)),
    "amount": pa.decimal128(18, 2),
    "quantity": pa.float64(),
    "is_retracted": pa.bool_(),
    "attributes": pa.map_(TEXT, TEXT),
}
# One for all blocks, in this order: what waits together is joined, and blocks of which one puts a column elsewhere are not.
BLOCK = pa.schema([(name, type_) for name, type_ in TYPES.items() if name != "ingested_at"])
NESTED = frozenset(name for name, type_ in TYPES.items() if pa.types.is_nested(type_))
# What a value may be at fault for; no wider, for a bug of ours must not turn good messages into rejects.
UNHOLDABLE = (pa.ArrowException, ArithmeticError, UnicodeError)
SAID = (*(name for name in COLUMNS if name in Event.model_fields), "related")
_said = attrgetter(*SAID)
Column = Sequence[Any]


def block(found: Sequence[Any], *, source: str, message: str, received_at: datetime) -> Any:
    """
    A record batch of the events that one message brought, in all columns but `ingested_at`.

    Raises: BadPayload, for a value that its column cannot hold.
    """
    said = _columns(found)
    related = said.pop("related")
    for name in ("object_type", "object_id"):
        said[f"related.{name}"] = [others and [getattr(other, name) for other in others] for others in related]
    if any(said["recorded_at"]):
        said["recorded_at"] = [at or first for at, first in zip(said["recorded_at"], said["occurred_at"], strict=True)]
    else:
        del said["recorded_at"]
    try:
        arrays = {name: _array(name, column) for name, column in said.items()}
    except UNHOLDABLE as err:
        raise BadPayload(f"the table of events cannot hold it: {err}") from err
    arrays.setdefault("recorded_at", arrays["occurred_at"])
    same = {"source": source, "message_id": message, "received_at": received_at}
    arrays |= {name: _repeated(name, value, len(found)) for name, value in same.items()}
    return pa.RecordBatch.from_arrays([arrays[name] for name in BLOCK.names], schema=BLOCK)


def _columns(found: Sequence[Any]) -> dict[str, Column]:
    """What the events say, by field. Structs of one type are asked for all of it at once, in two thirds of the time."""
    kinds = set(map(type, found))
    if len(kinds) == 1 and issubclass(kind := kinds.pop(), Struct):
        return dict(zip(kind.__struct_fields__, zip(*map(astuple, found), strict=True), strict=True))
    return dict(zip(SAID, zip(*map(_said, found), strict=True), strict=True))


def stream(blocks: Sequence[Any], ingested_at: datetime) -> bytes:
    """All of the blocks as one record batch, every row ingested at this time."""
    whole = pa.concat_batches(blocks)
    return encoded(whole.append_column("ingested_at", _repeated("ingested_at", ingested_at, whole.num_rows)))


def encoded(batch: Any) -> bytes:
    """A record batch as the engine reads it, in FORMAT."""
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(out.getvalue())


def _repeated(name: str, value: Any, n: int) -> Any:
    return pa.repeat(pa.scalar(value, TYPES[name]), n)


def _array(name: str, column: Column) -> Any:
    if name == "amount":
        return _amounts(column)
    if name in NESTED and not any(column):  # as in most messages
        return pa.array([[]], TYPES[name]).take(pa.repeat(0, len(column)))
    if name == "attributes":
        return pa.array([list(attributes.items()) for attributes in column], TYPES[name])
    is_same = TYPES[name] is TEXT and column.count(column[0]) == len(column)  # as most texts are, in every event or in none
    return _repeated(name, column[0], len(column)) if is_same else pa.array(column, TYPES[name])


def _amounts(column: Column) -> Any:
    try:
        return pa.array(column, TYPES["amount"])
    except pa.ArrowInvalid:  # more than two decimals: rounded, as the table would
        return pa.array([amount.quantize(CENT) for amount in column], TYPES["amount"])
