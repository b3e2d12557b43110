"""
Rejects, delivered again once their cause is mended: a code map extended, a mapping corrected, a bug fixed.

Why through the sink like any other message: what is stored by a replay must be exactly what would have been stored the
first time, with the time at which it first arrived. Why a new row and no UPDATE: the history of a reject stays append-only,
and a replay that a crash cut short is simply done again, for events fold by their identity.
Why never more under way than the sink has room for: rejects may be many and large, and a thousand of them handed in at once
would be refused for being too many, for ever.
"""

from __future__ import annotations

import base64
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from collectors.config import format_module
from collectors.message import Message, Source
from collectors.running import Receipt
from collectors.sink import Overloaded, Sink
from schema.store import Store

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Replayed:
    """How a replay went: `n` tried, `n_stored` of them stored, `n_skipped` whose source is no longer configured."""

    n: int = 0
    n_stored: int = 0
    n_skipped: int = 0


OPEN_REJECTS = """
SELECT
    source,
    reject_id,
    format,
    name,
    content_type,
    headers,
    received_at,
    base64Encode(body) AS body
FROM rejects FINAL
WHERE status = 'open'
    AND ({source:String} = '' OR source = {source:String})
    AND (empty({ids:Array(String)}) OR has({ids:Array(String)}, reject_id))
ORDER BY received_at, reject_id
LIMIT {limit:UInt32}
"""
MARK_REPLAYED = """
INSERT INTO rejects
SELECT * REPLACE('replayed' AS status, greatest(now64(6, 'UTC'), written_at + toIntervalMicrosecond(1)) AS written_at)
FROM rejects FINAL
WHERE source = {source:String} AND reject_id = {id:String}
"""


def replay(
    store: Store,
    sink: Sink,
    sources: Mapping[str, Source],
    *,
    source: str = "",
    ids: Sequence[str] = (),
    limit: int = 1000,
) -> Replayed:
    """
    Deliver open rejects again, oldest first, with the time at which they first arrived. What is stored now is marked
    `replayed`; what is rejected again stays open with its new reason.
    """
    found = store.query(OPEN_REJECTS, {"source": source, "ids": list(ids), "limit": limit})
    known = [row for row in found if row["source"] in sources]
    n_stored = 0
    for row, receipt in _delivered(sink, sources, known):
        if _is_stored(receipt):
            store.command(MARK_REPLAYED, {"source": row["source"], "id": row["reject_id"]})
            n_stored += 1
    return Replayed(len(known), n_stored, len(found) - len(known))


def lend(store: Store, sink: Sink, sources: Mapping[str, Source]) -> Callable[..., Replayed]:
    """`replay` for a page: one at a time, so that of two people who press the button the second finds nothing left to do."""
    one_at_a_time = threading.Lock()

    def again(*, source: str = "", ids: Sequence[str] = ()) -> Replayed:
        with one_at_a_time:
            return replay(store, sink, sources, source=source, ids=ids)

    return again


def _delivered(sink: Sink, sources: Mapping[str, Source], rows: Sequence[Row]) -> Iterator[tuple[Row, Receipt]]:
    """Each reject with what became of it, in order; handed in as the sink has room."""
    under_way: deque[tuple[Row, Future[Receipt]]] = deque()
    for row in rows:
        source, message = _as_told(sources[row["source"]], row["format"]), _message(row)
        while (future := _submitted(sink, source, message, can_wait=bool(under_way))) is None:
            done, earlier = under_way.popleft()
            yield done, earlier.result()
        under_way.append((row, future))
    for row, future in under_way:
        yield row, future.result()


def _submitted(sink: Sink, source: Source, message: Message, *, can_wait: bool) -> Future[Receipt] | None:
    """The delivery under way; None where there is no room now and something of ours will make some."""
    try:
        return sink.submit(source, message)
    except Overloaded:
        if not can_wait:
            raise
        return None


def _as_told(source: Source, format_: str) -> Source:
    """The source as configured now; where its format is a family (otlp), the member that the message was taken for."""
    return source if hasattr(format_module(source.format), "decode") else replace(source, format=format_)


def _message(row: Row) -> Message:
    kept = {key: row[key] for key in ("received_at", "content_type", "headers", "name")}
    return Message(base64.b64decode(row["body"]), **kept)


def _is_stored(receipt: Receipt) -> bool:
    return receipt.rejected is None and (receipt.n_rows > 0 or receipt.n_rejects == 0)
