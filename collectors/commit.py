"""
One group of decoded messages into the store: one INSERT a table, then the accounts (rejects, findings, messages).

Why tables in a fixed order and the accounts last: an INSERT into several tables is not one transaction, so a row in
`messages` must mean that all of the message is stored; a crash before it leaves a message that nobody acknowledged,
which its sender sends again.

Why a group that fails for its data is taken apart table by table and message by message: one wrong message must not
hold back the others, nor may rows that another table has already taken be inserted twice. So is one that meets a fault of ours:
that message alone fails, and is no reject.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import Any

from collectors import arrow
from collectors.journal import Claim, Entry, Journal
from collectors.journal import Key as Stored
from collectors.message import Batch, Decoded, Finding, Message, Reject, Source
from collectors.running import Receipt
from schema import events, observe
from schema.errors import StoreUnavailable
from schema.store import StatementError, Store, first_line

REJECTS = (
    "source", "reject_id", "message_id", "format", "name", "content_type", "headers", "received_at", "reason", "body",
    "status", "written_at",
)  # fmt: skip
FINDINGS = ("source", "code", "message_id", "text", "place", "n", "format", "received_at")
MESSAGES = (
    "source", "received_at", "stored_at", "format", "message_id", "name", "status", "n_rows", "n_rejects", "n_findings",
    "bytes", "decode_ms", "commit_ms",
)  # fmt: skip
# No data is at fault if a table, column or database is missing or access is denied: that is our side, and a retry helps.
OUR_SIDE = frozenset({10, 16, 60, 81, 291, 497, 516})
# What Python raises of a fault of ours in making a block of columns; pyarrow's errors are among them.
FAULTS = (ArithmeticError, LookupError, TypeError, ValueError)
MAX_FINDINGS = 100
ATTEMPTS = 2
PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Target:
    """The table that rows go to, and the claim under which telemetry goes there."""

    store: Store
    table: str
    claim: Claim


@dataclass(slots=True)
class Waiting:
    """A decoded message whose sender waits for the commit."""

    source: Source
    message: Message
    decoded: Decoded
    rejected: str | None = None
    decode_s: float = 0.0
    queued_at: float = field(default_factory=time.perf_counter)
    future: Future[Receipt] = field(default_factory=Future)
    n_bytes: int = 0  # of the body as it came, which is what it was given room for
    failed: Exception | None = None  # by a fault of ours: its sender is told, and nothing of it is in the accounts

    @property
    def n_rows(self) -> int:
        return 0 if self.rejected else sum(len(batch) for batch in self.decoded.batches)

    def receipt(self) -> Receipt:
        """What the sender may be told, once the commit is done."""
        if self.rejected:
            return Receipt(rejected=self.rejected, n_rejects=1)
        return Receipt(self.n_rows, tuple(kind for kind, _ in _kinds_of(self)), len(self.decoded.rejects))


def commit(store: Store, group: Sequence[Waiting], journal: Journal) -> None:
    """
    Store a group; a message that the store refuses for its data is rejected alone, one of a fault of ours fails alone.

    Raises: StoreUnavailable, if the store is away after a second attempt: nothing of the group may be acknowledged.
    """
    token = uuid.uuid4().hex
    telemetry = _telemetry(group)
    with observe.span("sink.commit", messages=len(group)), journal.claim(telemetry) as claim:
        if telemetry:
            journal.settle(partial(_redo, store))
        for table, waiting in sorted(_by_table(group).items()):
            _insert_or_split(Target(store, table, claim), [w for w in waiting if not w.rejected and not w.failed], token)
        stored = [w for w in group if not w.failed]
        _accounts(store, stored, token)
    observe.stored(sum(w.n_rows for w in stored))


def _telemetry(group: Sequence[Waiting]) -> set[Stored]:
    """What of a group has no identity but its bytes."""
    return {(batch.table, w.message.id) for w in group for batch in w.decoded.batches if batch.body}


def _redo(store: Store, entry: Entry) -> bool:
    """Repeat an INSERT whose outcome nobody knows; False if the store refuses its data, so that nothing of it is there."""
    try:
        _again(partial(entry.insert, store))
    except StatementError:
        return False
    return True


def _by_table(group: Sequence[Waiting]) -> dict[str, list[Waiting]]:
    found: dict[str, list[Waiting]] = defaultdict(list)
    for waiting in group:
        for table in {batch.table for batch in waiting.decoded.batches if len(batch)}:
            found[table].append(waiting)
    return found


def _batches(table: str, group: Sequence[Waiting]) -> Iterator[Batch]:
    return (batch for waiting in group for batch in waiting.decoded.batches if batch.table == table)


def _insert_or_split(target: Target, group: Sequence[Waiting], token: str) -> None:
    try:
        _insert(target, group, token)
    except StatementError as err:
        if len(group) == 1:
            group[0].rejected = f"the store refused it for {target.table}: {first_line(err)}"
        else:
            _split(target, group, token)
    except FAULTS as err:
        if any(batch.block is None for batch in _batches(target.table, group)):
            raise  # of bytes nobody could tell whether they are there
        if len(group) == 1:
            group[0].failed = err
        else:
            _split(target, group, token)


def _split(target: Target, group: Sequence[Waiting], token: str) -> None:
    for i, waiting in enumerate(group):
        _insert_or_split(target, [waiting], f"{token}-{i}")


def _insert(target: Target, group: Sequence[Waiting], token: str) -> None:
    store, table = target.store, target.table
    blocks = [batch.block for batch in _batches(table, group) if batch.block is not None]
    if blocks:
        _again(lambda: _insert_blocks(store, table, blocks, f"{token}-{table}"))
        return
    bodies = [(w.message.id, batch.body) for w in group for batch in _batches(table, [w])]
    target.claim.store(table, bodies, lambda entry: _again(partial(entry.insert, store)))


def _insert_blocks(store: Store, table: str, blocks: Sequence[Any], token: str) -> None:
    """With the time of this attempt as `ingested_at`: what the state job reads next must not lie in its past."""
    store.insert_body(table, arrow.stream(blocks, datetime.now(UTC)), arrow.FORMAT, token=token)


def _again(insert: Callable[[], None]) -> None:
    """An insert, and one more attempt with the same token: an answer that got lost is then no reason to send again."""
    for attempt in range(ATTEMPTS):
        try:
            return insert()
        except StatementError as err:
            if err.code in OUR_SIDE:
                raise StoreUnavailable(f"the store cannot take rows: {first_line(err)}") from err
            raise
        except StoreUnavailable:
            if attempt + 1 == ATTEMPTS:
                raise
            time.sleep(PAUSE_S)
    return None


# --- the accounts -------------------------------------------------------------------------------------------------------
def _accounts(store: Store, group: Sequence[Waiting], token: str) -> None:
    now = datetime.now(UTC)
    rejects = list(chain.from_iterable(_reject_rows(w, now) for w in group))
    findings = list(chain.from_iterable(_finding_rows(w) for w in group))
    tables = (
        ("rejects", REJECTS, rejects),
        ("findings", FINDINGS, findings),
        ("messages", MESSAGES, [_message_row(w, now) for w in group]),
    )
    for table, columns, rows in tables:
        _account(store, table, columns, rows, token)


def _account(store: Store, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], token: str) -> None:
    _again(lambda: store.insert(table, columns, rows, token=f"{token}-{table}"))


def reject_id(source: str, message: Message, body: bytes) -> str:
    """The same bytes under the same CloudEvents headers from the same source are the same reject, whenever they come."""
    said = sorted(f"{key}={value}" for key, value in message.headers.items() if key.startswith("ce"))
    return events.event_id(source, events.message_id(body), *said)


def _reject_rows(w: Waiting, now: datetime) -> list[tuple[Any, ...]]:
    whole = (Reject(w.message.body, w.rejected),) if w.rejected else w.decoded.rejects
    return [
        (
            w.source.name, reject_id(w.source.name, w.message, reject.body), w.message.id, w.source.format, w.message.name,
            w.message.content_type, dict(w.message.headers), w.message.received_at, reject.reason, reject.body, "open", now,
        )
        for reject in whole
    ]  # fmt: skip


def _finding_rows(w: Waiting) -> list[tuple[Any, ...]]:
    if not w.decoded.findings:
        return []
    name, format_, id_, at = w.source.name, w.source.format, w.message.id, w.message.received_at
    return [(name, f.code, id_, f.text, f.where, n, format_, at) for f, n in _kinds_of(w)]


def _kinds_of(w: Waiting) -> list[tuple[Finding, int]]:
    """Each oddity once, where it was first met, and how often it was: ten thousand equal findings are one row."""
    first: dict[tuple[str, str], Finding] = {}
    n: dict[tuple[str, str], int] = defaultdict(int)
    for finding in w.decoded.findings:
        key = (finding.code, finding.text)
        first.setdefault(key, finding)
        n[key] += 1
    return [(first[key], n[key]) for key in list(first)[:MAX_FINDINGS]]


def _message_row(w: Waiting, now: datetime) -> tuple[Any, ...]:
    receipt = w.receipt()
    return (
        w.source.name, w.message.received_at, now, w.source.format, w.message.id, w.message.name,
        "rejected" if w.rejected else "stored", receipt.n_rows, receipt.n_rejects, len(w.decoded.findings),
        len(w.message.body), w.decode_s * 1000, (time.perf_counter() - w.queued_at) * 1000,
    )  # fmt: skip
