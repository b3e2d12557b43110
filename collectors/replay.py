"""
Rejects, delivered again once their cause is mended: a code map extended, a mapping corrected, a bug fixed.

Why through the sink like any other message: what is stored by a replay must be exactly what would have been stored the
first time, with the time at which it first arrived. Why a new row and no UPDATE: the history of a reject stays append-only,
and a replay that a crash cut short is simply done again, for events fold by their identity.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from collectors.config import format_module
from collectors.message import Message, Source
from collectors.running import Receipt
from collectors.sink import Sink
from schema.store import Store


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
SELECT * REPLACE('replayed' AS status, now64(6, 'UTC') AS written_at)
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
    tried = [(row, sink.submit(_as_told(sources[row["source"]], row["format"]), _message(row))) for row in known]
    stored = [row for row, future in tried if _is_stored(future.result())]
    for row in stored:
        store.command(MARK_REPLAYED, {"source": row["source"], "id": row["reject_id"]})
    return Replayed(len(tried), len(stored), len(found) - len(known))


def _as_told(source: Source, format_: str) -> Source:
    """The source as configured now; where its format is a family (otlp), the member that the message was taken for."""
    return source if hasattr(format_module(source.format), "decode") else replace(source, format=format_)


def _message(row: Mapping[str, object]) -> Message:
    kept = {key: row[key] for key in ("received_at", "content_type", "headers", "name")}
    return Message(base64.b64decode(str(row["body"])), **kept)  # type: ignore[arg-type]


def _is_stored(receipt: Receipt) -> bool:
    return receipt.rejected is None and (receipt.n_rows > 0 or receipt.n_rejects == 0)
