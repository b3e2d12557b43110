"""Blocks of columns: whatever messages say, their blocks join, for all that waits for a commit goes into one INSERT."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from collectors import arrow
from collectors.commit import Waiting, commit
from collectors.formats import cloudevents
from collectors.journal import Journal
from collectors.message import Context
from schema.governance import Catalogue
from schema.store import Store

Make = Callable[..., Any]


def test_a_message_that_says_when_it_was_recorded_and_one_that_does_not_share_one_insert(
    tables: Store, catalogue: Catalogue, source: Make, message: Make, cloud_event: Make
) -> None:
    """Else good messages would fail one another, and do so again as long as both senders try again at the same time."""
    tms = source()
    said = {"occurred_at": "2026-11-23T07:00:00Z", "recorded_at": "2026-11-23T07:30:00Z"}
    sent = [message(cloud_event(1)), message(cloud_event(2, said)), message(cloud_event(3))]
    group = [Waiting(tms, one, cloudevents.decode(one, Context(tms, catalogue))) for one in sent]
    commit(tables, group, Journal())
    assert tables.query("SELECT object_id, toString(recorded_at) AS at FROM events ORDER BY object_id") == [
        {"object_id": "S1", "at": "2026-11-23 08:00:00.000"},
        {"object_id": "S2", "at": "2026-11-23 07:30:00.000"},
        {"object_id": "S3", "at": "2026-11-23 08:00:00.000"},
    ]


def test_a_message_that_meets_a_fault_of_ours_fails_alone(
    tables: Store, catalogue: Catalogue, source: Make, message: Make, cloud_event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender is told, the others are stored; what nobody knows how to store is no reject and stands in no account."""
    tms = source()
    group = [Waiting(tms, one, cloudevents.decode(one, Context(tms, catalogue))) for one in map(message, map(cloud_event, (1, 2, 3)))]
    stream = arrow.stream

    def faulty(blocks: list[pa.RecordBatch], *rest: Any) -> bytes:
        if any("S2" in block.column("object_id").to_pylist() for block in blocks):
            raise pa.ArrowInvalid("Schema of RecordBatch index 1 does not match index 0")
        return stream(blocks, *rest)

    monkeypatch.setattr(arrow, "stream", faulty)
    commit(tables, group, Journal())
    assert [(type(w.failed), w.rejected) for w in group] == [(type(None), None), (pa.ArrowInvalid, None), (type(None), None)]
    assert tables.query("SELECT object_id FROM events ORDER BY object_id") == [{"object_id": "S1"}, {"object_id": "S3"}]
    assert tables.query("SELECT message_id, status FROM messages ORDER BY message_id") == sorted(
        ({"message_id": w.message.id, "status": "stored"} for w in group if not w.failed), key=lambda row: row["message_id"]
    )
