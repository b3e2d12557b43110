"""
The demo's history in a real store: all of it, once, with telemetry and batches beside it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.demo.cast import ETA_FEED, NIGHTLY_FEED, SYSTEM_SOURCES
from collectors.demo.load import Loaded, load_history
from schema.store import Store

ANCHOR = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
DAYS = 1
OF_A_TRACE = """
SELECT countIf(has(c.object_ids, e.object_id)) / count()
FROM events AS e
INNER JOIN interface_calls AS c ON c.trace_id = e.trace_id AND c.span_id = e.span_id
WHERE e.event_type = 'order.confirmed'
"""


@pytest.fixture(scope="module")
def loaded(shared_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load_history(shared_store, 7, ANCHOR, data=tmp_path_factory.mktemp("demo"), days=DAYS)


def test_all_of_the_history_is_in_the_store(shared_store: Store, loaded: Loaded) -> None:
    """What is said to be loaded is loaded."""
    assert shared_store.value("SELECT count() FROM events") == loaded.n_events > 9_000
    assert shared_store.value("SELECT count() FROM interface_calls") == loaded.n_spans > 1000
    assert shared_store.value("SELECT count() FROM messages") == loaded.n_messages


def test_a_load_that_is_begun_again_adds_nothing(shared_store: Store, loaded: Loaded, tmp_path: Path) -> None:
    """A first start that was interrupted is repeated by a person who knows nothing of tokens, but sees how far it is."""
    shares: list[float] = []
    again = load_history(shared_store, 7, ANCHOR, data=tmp_path, days=DAYS, progress=lambda share, what: shares.append(share))

    assert again == loaded
    assert shared_store.value("SELECT count() FROM events") == loaded.n_events
    assert shared_store.value("SELECT count() FROM interface_calls") == loaded.n_spans
    assert shared_store.value("SELECT count() FROM messages") == loaded.n_messages
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_every_feed_has_a_watermark_and_the_silent_one_an_old_one(shared_store: Store, loaded: Loaded) -> None:
    """The Intake page and INT.MISSING_FEED read it from `messages`, which a load must therefore write."""
    rows = shared_store.query("SELECT source, max(received_at) AS last_at FROM messages GROUP BY source")
    age_min = {r["source"]: (ANCHOR - r["last_at"]).total_seconds() / 60 for r in rows}

    assert all(age_min[source] < 15 for source in (*SYSTEM_SOURCES, "otlp"))
    assert 180 <= age_min[ETA_FEED] < 195
    assert 12 * 60 < age_min[NIGHTLY_FEED] < 14 * 60


def test_the_trace_of_an_event_leads_to_a_call_about_its_object(shared_store: Store, loaded: Loaded) -> None:
    """Events and spans meet in the store as they do in the story."""
    assert shared_store.value(OF_A_TRACE) == 1
