"""
What tests of the collectors ask for: a sink over a real store, and a source and a message in one line each.

Why a store of four tables and not the migrated one: nearly every test here has one of its own, and sixty migrations take
seconds. The tables are made by the very migration files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from collectors.config import Limits, Settings
from collectors.message import Message, Source
from collectors.sink import Sink
from schema.definitions import migrations
from schema.governance import Catalogue
from schema.store import Store
from tests.collectors.intake import Intake

TABLES = ("events.sql", "rejects.sql", "findings.sql", "messages.sql")
RECEIVED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def tables(bare_store: Store) -> Store:
    """A database with the tables that the sink writes business events and accounts to."""
    for name, sql in migrations():
        if name.partition("_")[2] in TABLES:
            bare_store.command(sql)
    return bare_store


@pytest.fixture
def sink(tables: Store, catalogue: Catalogue) -> Iterator[Sink]:
    """A sink over the tables of this test, drained before they go."""
    made = Sink(tables, catalogue)
    yield made
    made.close()


@pytest.fixture
def source() -> Callable[..., Source]:
    """A source with a name of its own choice; the rest as given."""

    def make(name: str = "events", format: str = "cloudevents", kind: str = "webhook", **said: Any) -> Source:
        return Source(name=name, kind=kind, format=format, **said)

    return make


@pytest.fixture
def message() -> Callable[..., Message]:
    """A message from bytes, text or JSON, received at one fixed time."""

    def make(body: Any, content_type: str = "", headers: Mapping[str, str] | None = None, name: str = "") -> Message:
        told = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else orjson.dumps(body)
        return Message(told, RECEIVED, content_type, headers or {}, name)

    return make


@pytest.fixture
def cloud_event() -> Callable[..., dict[str, Any]]:
    """A CloudEvent that says that a shipment departed; `data` and envelope attributes as given."""

    def make(n: int = 1, data: Mapping[str, Any] | None = None, **envelope: Any) -> dict[str, Any]:
        told = {"object_type": "shipment", "object_id": f"S{n}", "state": "departed"}
        return {
            "specversion": "1.0", "id": f"e{n}", "source": "/tms/1", "type": "shipment.departed",
            "time": "2026-11-23T08:00:00Z", "data": {**told, **(data or {})}, **envelope,
        }  # fmt: skip

    return make


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Intake]:
    """An intake with small limits on a free port."""
    made = Intake(Settings(store="", data=tmp_path, limits=Limits(max_body_bytes=20_000, max_decompressed_bytes=50_000)))
    yield made
    made.stop()
