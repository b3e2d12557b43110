"""
Statements as rows of `events`, and what brought them as rows of `messages`.

Why batches of ten minutes: partners and systems send in batches, a feed that has nothing to say sends an empty one, and so each
source has a watermark that is as old as its last batch and no older. An event is received with its batch.

Why columns and not rows: a month is three hundred thousand statements of forty values, most of them few and the same; as tuples
and Python times they took a quarter of the demo's start, as Arrow columns a twentieth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from collectors import arrow
from collectors.demo.cast import ETA_FEED, NIGHTLY_FEED, SYSTEM_SOURCES, TRACES
from collectors.demo.telling import Cuts, Said
from schema import events

Row = tuple[Any, ...]
Batch = tuple[str, int]  # the source and when it was received
BATCH_S = 600
NIGHTLY_AT_S = 2 * 3600
DAY_S = 86_400
STORED_AFTER_MS = 420
BATCHED = (*SYSTEM_SOURCES, ETA_FEED)
PHASES = {source: 37 * i % BATCH_S for i, source in enumerate(BATCHED)}
FORMATS = {"carrier-ocln": "x12_214", TRACES: "otlp_traces"}

MESSAGES = {
    "source": pa.string(), "received_at": arrow.MOMENT, "stored_at": arrow.MOMENT, "format": pa.string(),
    "message_id": pa.string(), "status": pa.string(), "n_rows": pa.uint32(), "bytes": pa.uint32(), "decode_ms": pa.float32(),
    "commit_ms": pa.float32(),
}  # fmt: skip


def received_at(source: str, said_at: int) -> int:
    """When the batch with a statement reaches us: the next one of its source."""
    if source == NIGHTLY_FEED:
        return said_at + 20
    phase = PHASES[source]
    return said_at - (said_at - phase) % BATCH_S + BATCH_S


class Rows:
    """Gathers statements received until `until`, and keeps count of the batches that they came in."""

    def __init__(self, until: int) -> None:
        self._until = until
        self._said: list[Said] = []
        self._batches: list[Batch] = []
        self._counts: Counter[Batch] = Counter()

    def __len__(self) -> int:
        return len(self._said)

    def take(self, said: Iterable[Said]) -> int:
        """Keep what is received by now; how many."""
        before = len(self._said)
        for one in said:
            source = one.teller.source
            at = received_at(source, one.said_at)
            if at <= self._until:
                self._said.append(one)
                self._batches.append((source, at))
        return len(self._said) - before

    def flush(self) -> Any:
        """A record batch of the statements kept, with the columns of schema.events.COLUMNS; nothing is kept then."""
        said, batches = self._said, self._batches
        self._said, self._batches = [], []
        self._counts.update(batches)
        columns = _columns(said) | _edges(batches)
        missing = {name: _word([""] * len(said)) for name in events.COLUMNS if name not in columns}
        return pa.RecordBatch.from_pydict({name: (columns | missing)[name] for name in events.COLUMNS})

    def messages(self, since: int, eta_until: int | None, missed: Container[int] = ()) -> Iterator[Row]:
        """Rows of `messages` for every batch of the window, the empty ones too, without nightly files that never came."""
        for source in BATCHED:
            last = min(self._until, eta_until) if source == ETA_FEED and eta_until else self._until
            for at in range(received_at(source, since), last + 1, BATCH_S):
                yield self._message(source, at)
        for at in range(since - since % DAY_S + NIGHTLY_AT_S + 20, self._until + 1, DAY_S):
            if at >= since and at - 20 not in missed:
                yield self._message(NIGHTLY_FEED, at)

    def _message(self, source: str, at: int) -> Row:
        n = self._counts[source, at]
        return message_row(source, at, _message_id((source, at)), n, 2 + 700 * n)


def message_row(source: str, at: int, message_id: str, n: int, size: int) -> Row:
    """One acknowledged message, in the order of MESSAGES; times are milliseconds."""
    got, format_ = at * 1000, FORMATS.get(source, "cloudevents")
    return (source, got, got + STORED_AFTER_MS, format_, message_id, "stored", n, size, 1.0 + n / 50, 18.0)


def message_batch(messages: Iterable[Row]) -> Any:
    """Messages as a record batch; what it does not name is empty or zero."""
    columns = zip(MESSAGES.items(), zip(*messages, strict=True), strict=True)
    return pa.RecordBatch.from_pydict({name: pa.array(column, type_) for (name, type_), column in columns})


# --- columns ------------------------------------------------------------------------------------------------------------
def _columns(said: Sequence[Said]) -> dict[str, Any]:
    """What the statements themselves say."""
    return _kinds(said) | {
        "event_id": _texts([s.event_id for s in said]),
        "event_version": pa.array([s.version for s in said], pa.uint64()),
        "occurred_at": _moments([s.at for s in said]),
        "recorded_at": _moments([s.said_at for s in said]),
        "classifier": _word([s.classifier for s in said]),
        "object_id": _texts([s.object_id for s in said]),
        "related.object_type": _lists([[type_ for type_, _ in s.related] if s.related else () for s in said]),
        "related.object_id": _lists([[id_ for _, id_ in s.related] if s.related else () for s in said]),
        "keys": _lists([s.keys for s in said]),
        "location": _word([s.location for s in said]),
        "amount": pa.array([s.amount for s in said], pa.int32()).cast(arrow.TYPES["amount"]),
        "currency": _word([s.currency for s in said]),
        "quantity": pa.array([s.quantity for s in said], pa.float64()),
        "unit": _word([s.unit for s in said]),
        "trace_id": _texts([s.trace for s in said]),
        "span_id": _texts([s.span for s in said]),
        "correlation_id": _texts([s.correlation for s in said]),
        "exception_code": _word([s.exception for s in said]),
        "is_retracted": pa.array([s.is_retracted for s in said], pa.bool_()),
        "attributes": pa.array([list(s.attributes.items()) if s.attributes else () for s in said], arrow.TYPES["attributes"]),
    }


def _kinds(said: Sequence[Said]) -> dict[str, Any]:
    """Who says it, of which kind of object and state, and the cuts."""
    return {
        **_words([s.teller[:3] for s in said], {"system": 0, "system_role": 1, "source": 2}),
        **_words([s.cuts for s in said], {name: i for i, name in enumerate(Cuts._fields)}),
        **_words(
            [_kind(s.object_type, s.state, s.code) for s in said],
            {"event_type": 0, "object_type": 1, "state": 2, "source_code": 3, "code_list": 4, "code_element": 5},
        ),
    }


@cache
def _kind(object_type: str, state: str, code: str) -> tuple[str, ...]:
    if code:
        return (f"{object_type}.status", object_type, state, code, "TMS", "status")
    return (f"{object_type}.{state}", object_type, state, "", "", "")


def _edges(batches: Sequence[Batch]) -> dict[str, Any]:
    """What the batches add: which one, and when it was received and stored."""
    places = dict[Batch, int]()
    which = pa.array([places.setdefault(batch, len(places)) for batch in batches], pa.int32())
    received = _moments([at for _, at in places])
    return {
        "received_at": received.take(which),
        "ingested_at": pc.add(received, pa.scalar(STORED_AFTER_MS, pa.duration("ms"))).take(which),
        "message_id": _texts([_message_id(batch) for batch in places]).take(which),
    }


def _words(values: Sequence[tuple[str, ...]], parts: Mapping[str, int]) -> dict[str, Any]:
    """Columns of the parts of tuples that are few and come again and again."""
    places = dict[tuple[str, ...], int]()
    which = pa.array([places.setdefault(value, len(places)) for value in values], pa.int32())
    return {name: _texts([value[i] for value in places]).dictionary_encode().take(which) for name, i in parts.items()}


def _word(values: Sequence[str]) -> Any:
    return _texts(values).dictionary_encode()


def _texts(values: Sequence[str]) -> Any:
    return pa.array(values, pa.string())


def _moments(times: Sequence[int]) -> Any:
    return pc.multiply(pa.array(times, pa.int64()), 1000).cast(arrow.MOMENT)


def _lists(values: Sequence[Sequence[str]]) -> Any:
    return pa.array(values, pa.list_(pa.string()))


def _message_id(batch: Batch) -> str:
    return events.message_id(f"{batch[0]}/{batch[1]}".encode())
