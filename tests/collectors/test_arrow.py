"""Blocks of columns: whatever messages say, their blocks join, for all that waits for a commit goes into one INSERT."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
