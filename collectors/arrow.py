"""
Rows of `events` as an Arrow stream, which the engine reads column by column.

Why not the driver's own insert of rows: it encodes forty columns, most of them LowCardinality, value by value in Python and
holds the GIL meanwhile; measured, Arrow takes less than half of that time, and the engine does the rest on its own threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from schema.events import COLUMNS

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
TABLE_SCHEMA = pa.schema(list(TYPES.items()))
Column = Sequence[Any]


def stream(rows: Sequence[tuple[Any, ...]], ingested_at: datetime) -> bytes:
    """
    One record batch of all rows, every one ingested at this time.

    Raises: pyarrow's ArrowInvalid (a ValueError) or ArrowTypeError (a TypeError), for a value that its column cannot hold.
    """
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    columns["ingested_at"] = (ingested_at,)
    arrays = [_encoder(name)(column, len(rows)) for name, column in columns.items()]
    return encoded(pa.RecordBatch.from_arrays(arrays, schema=TABLE_SCHEMA))


def encoded(batch: Any) -> bytes:
    """A record batch as the engine reads it, in FORMAT."""
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(out.getvalue())


def _encoder(name: str) -> Callable[[Column, int], Any]:
    special = {"ingested_at": _one, "received_at": _few, "amount": _amounts, "attributes": _maps}
    return special.get(name, lambda column, n: pa.array(column, TYPES[name]))


def _one(column: Column, n: int) -> Any:
    return pa.repeat(pa.scalar(column[0], MOMENT), n)


def _few(column: Column, n: int) -> Any:
    """The same few times over and over: each is encoded once."""
    places: dict[datetime, int] = {}
    indices = [places.setdefault(moment, len(places)) for moment in column]
    return pa.array(list(places), MOMENT).take(pa.array(indices))


def _amounts(column: Column, n: int) -> Any:
    try:
        return pa.array(column, TYPES["amount"])
    except pa.ArrowInvalid:  # more than two decimals: rounded, as the table would
        return pa.array([Decimal(amount).quantize(CENT) for amount in column], TYPES["amount"])


def _maps(column: Column, n: int) -> Any:
    return pa.array([list(attributes.items()) for attributes in column], TYPES["attributes"])
