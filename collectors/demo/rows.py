"""
Statements as rows of `events`, and what brought them as rows of `messages`.

Why batches of ten minutes: partners and systems send in batches, a feed that has nothing to say sends an empty one, and so each
source has a watermark that is as old as its last batch and no older. An event is received with its batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from collectors.demo.cast import ETA_FEED, NIGHTLY_FEED, SYSTEM_SOURCES
from collectors.demo.telling import Said
from schema import events

Row = tuple[Any, ...]
Batch = tuple[datetime, datetime, str]
NOTHING = Decimal(0)
BATCH_S = 600
NIGHTLY_AT_S = 2 * 3600
DAY_S = 86_400
STORED_AFTER = timedelta(milliseconds=420)
BATCHED = (*SYSTEM_SOURCES, ETA_FEED)
PHASES = {source: 37 * i % BATCH_S for i, source in enumerate(BATCHED)}
FORMATS = {"carrier-ocln": "x12_214"}


def received_at(source: str, said_at: int) -> int:
    """When the batch with a statement reaches us: the next one of its source."""
    if source == NIGHTLY_FEED:
        return said_at + 20
    phase = PHASES[source]
    return said_at - (said_at - phase) % BATCH_S + BATCH_S


class Rows:
    """Makes rows of statements received until `until`, and keeps count of the batches that they came in."""

    def __init__(self, until: int) -> None:
        self._until = until
        self._batches: dict[tuple[str, int], Batch] = {}
        self._counts: Counter[tuple[str, int]] = Counter()

    def rows(self, said: Iterable[Said]) -> list[Row]:
        """Rows in the order of schema.events.COLUMNS, without what is not received yet."""
        found = []
        for one in said:
            at = received_at(one.teller.source, one.said_at)
            if at <= self._until:
                found.append(self._row(one, at))
        return found

    def _row(self, said: Said, received: int) -> Row:
        system, role, source, _ = said.teller
        region, warehouse, carrier, customer, order_class, mode = said.cuts
        self._counts[source, received] += 1
        got, stored, message_id = self._batches.get((source, received)) or self._batch(source, received)
        amount = Decimal(said.amount) if said.amount else NOTHING
        return (
            said.event_id, said.version, f"{said.object_type}.{'status' if said.code else said.state}",
            datetime.fromtimestamp(said.at, UTC), datetime.fromtimestamp(said.said_at, UTC), got, stored,
            said.classifier, said.object_type, said.object_id, [t for t, _ in said.related], [i for _, i in said.related],
            list(said.keys), said.state, said.code, "TMS" if said.code else "", "status" if said.code else "", "",
            system, role, source, message_id, "", region, warehouse, carrier, customer, order_class, mode,
            said.location, amount, said.currency, said.quantity, said.unit, said.trace, said.span, said.correlation,
            said.exception, said.is_retracted, said.attributes,
        )  # fmt: skip

    def _batch(self, source: str, received: int) -> Batch:
        got = datetime.fromtimestamp(received, UTC)
        batch = (got, got + STORED_AFTER, events.message_id(f"{source}/{received}".encode()))
        self._batches[source, received] = batch
        return batch

    def messages(self, since: int, eta_until: int | None) -> Iterator[Row]:
        """Rows of `messages` for every batch of the window, the empty ones among them."""
        for source in BATCHED:
            last = min(self._until, eta_until) if source == ETA_FEED and eta_until else self._until
            for at in range(received_at(source, since), last + 1, BATCH_S):
                yield self._message(source, at)
        for at in range(since - since % DAY_S + NIGHTLY_AT_S + 20, self._until + 1, DAY_S):
            if at >= since:
                yield self._message(NIGHTLY_FEED, at)

    def _message(self, source: str, at: int) -> Row:
        n, (got, _, message_id) = self._counts[source, at], self._batch(source, at)
        return message_row(source, got, FORMATS.get(source, "cloudevents"), message_id, n, 2 + 700 * n)


def message_row(source: str, got: datetime, format_: str, message_id: str, n: int, size: int) -> Row:
    """One acknowledged message, in the order of collectors.commit.MESSAGES."""
    return (source, got, got + STORED_AFTER, format_, message_id, "", "stored", n, 0, 0, size, 1.0 + n / 50, 18.0)
