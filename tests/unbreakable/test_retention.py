"""Retention by the catalogue: what is older goes, what is younger stays, and what derives from it says the same as before."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from collectors.config import format_module
from collectors.message import Context, Message, Source
from schema import exceptions, retention, state
from schema.errors import BadConfig
from schema.governance import Catalogue, parse
from schema.store import Store
from tests.collectors.formats import otlp_requests
from tests.schema.test_state import all_rows, row, shipment, store_events
from tests.unbreakable.bodies import telemetry

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=80), NOW - timedelta(days=10)


def keeping(catalogue: Catalogue, **days: int) -> Catalogue:
    """The catalogue with another retention."""
    return parse({**catalogue.model_dump(by_alias=True), "retention": days}, "test")


def test_events_go_by_the_month_and_the_state_is_that_of_the_rest(store: Store, catalogue: Catalogue) -> None:
    """
    An object of which nothing is left goes with its events; one that goes on is what its remaining events say; and one that
    named a forgotten object no longer inherits from it.
    """
    store_events(store, [shipment("a", 0, "departed", object_id="S1"), shipment("b", 0, "departed", object_id="S2")], ingested_at=OLD)
    store_events(store, [shipment("c", 9, "delivered", object_id="S2"), shipment("d", 9, "departed", object_id="S3")], ingested_at=YOUNG)
    state.refresh(store, since=state.EPOCH)
    gone = retention.retain(store, keeping(catalogue, events=30), TODAY)
    assert gone == retention.Gone({"events": 1}, has_events=True)
    assert [(r["object_id"], r["h_state"]) for r in all_rows(store)] == [("S2", ["delivered"]), ("S3", ["departed"])]
    assert state.drift(store) == []
    assert retention.retain(store, keeping(catalogue, events=30), TODAY) == retention.Gone({}, has_events=False)


def test_objects_go_chunk_by_chunk(store: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of millions is forgotten a chunk at a time, and none may fall between two of them, or go with its neighbours."""
    monkeypatch.setattr(retention, "CHUNK_OBJECTS", 2)
    for at, numbers in ((OLD, range(9)), (YOUNG, (2, 3, 8))):
        store_events(store, [shipment(f"{at.day}-{n}", 0, "departed", object_id=f"S{n}") for n in numbers], ingested_at=at)
    store_events(store, [shipment("o", 0, "created", object_id="O1", object_type="order")], ingested_at=OLD)
    state.refresh(store, since=state.EPOCH)
    retention.retain(store, keeping(catalogue, events=30), TODAY)
    assert [r["object_id"] for r in all_rows(store)] == ["S2", "S3", "S8"]
    assert store.query("SELECT DISTINCT object_id FROM object_own ORDER BY 1") == [{"object_id": id_} for id_ in ("S2", "S3", "S8")]
    assert state.drift(store) == []


def test_a_partition_stays_until_its_last_day_is_past(store: Store, catalogue: Catalogue) -> None:
    """Kept never shorter than promised: a month of which one day is young enough stays whole."""
    store_events(store, [shipment("a", 0, "departed")], ingested_at=datetime(2026, 9, 1, tzinfo=UTC))
    for days, n in ((51, 1), (50, 0)):  # the last second of September is 50 days ago, and one second
        retention.retain(store, keeping(catalogue, events=days), TODAY)
        assert store.value("SELECT count() FROM events") == n, days


def test_what_a_run_left_that_died_after_the_events_went_is_finished_by_the_next(store: Store, catalogue: Catalogue) -> None:
    """The partition is gone and the state still shows its objects: nothing else would ever take them away."""
    store_events(store, [shipment("a", 0, "departed")], ingested_at=OLD)
    state.refresh(store, since=state.EPOCH)
    store.command("ALTER TABLE events DROP PARTITION ID '202609'")
    assert row(store)["h_state"] == ["departed"]
    assert retention.retain(store, keeping(catalogue, events=30), TODAY).has_events
    assert all_rows(store) == []
    assert state.drift(store) == []


@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
def test_telemetry_goes_by_the_day_with_what_derives_from_it(signal: str, store: Store, catalogue: Catalogue) -> None:
    """Spans are most of the disk. A call or a lookup that outlives its spans would lead a person to nothing."""
    for mark, at in (("old", NOW - timedelta(days=60)), ("young", NOW - timedelta(days=2))):
        source = Source("otlp", "otlp", f"otlp_{signal}")
        body = telemetry(signal, mark, 2, int(at.timestamp()) * 10**9)
        decoded = format_module(source.format).decode(Message(body, NOW), Context(source, catalogue))
        otlp_requests.insert(store, decoded)
    tables = list(retention.PARTITIONED[f"otel_{signal}"])
    before = {table: store.value(f"SELECT count() FROM {table}") for table in tables}
    gone = retention.retain(store, keeping(catalogue, **{f"otel_{signal}": 30}), TODAY)
    assert gone.partitions == {table: 1 for table, n in before.items() if n}
    assert {table: store.value(f"SELECT count() FROM {table}") for table in tables} == {t: n // 2 for t, n in before.items()}


def test_a_closed_exception_goes_whole_and_an_open_one_stays(store: Store, catalogue: Catalogue) -> None:
    """Of an episode with several versions none may be left: the earlier one says that it is open."""
    columns = ("code", "fingerprint", "detected_at", "closed_at", "object_type", "object_id", "severity", "ver")
    for fingerprint, closed_at, ver in (("S1", state.EPOCH, 1), ("S1", OLD, 2), ("S2", state.EPOCH, 1), ("S3", YOUNG, 2)):
        store.insert("exceptions", columns, [("SHP.STALE", fingerprint, OLD, closed_at, "shipment", fingerprint, 2, ver)])
        store.insert("exception_verbs", ("code", "fingerprint", "detected_at", "verb"), [("SHP.STALE", fingerprint, OLD, "comment")])
    retention.retain(store, keeping(catalogue, exceptions=30), TODAY)
    assert store.query("SELECT fingerprint FROM exceptions FINAL ORDER BY 1") == [{"fingerprint": "S2"}, {"fingerprint": "S3"}]
    verbs = store.query("SELECT DISTINCT fingerprint FROM exception_verbs ORDER BY 1")
    assert verbs == [{"fingerprint": "S2"}, {"fingerprint": "S3"}]
    assert [found["object_id"] for found in exceptions.find(store, NOW)] == ["S2"]


def test_what_the_catalogue_does_not_name_is_kept_for_ever(store: Store, catalogue: Catalogue) -> None:
    """To forget is a decision; without one nothing goes."""
    store_events(store, [shipment("a", 0, "departed")], ingested_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert retention.retain(store, keeping(catalogue), TODAY) == retention.Gone({}, has_events=False)
    assert store.value("SELECT count() FROM events") == 1


def test_a_table_that_nobody_keeps_is_refused_with_those_that_are(catalogue: Catalogue) -> None:
    """A typing error must not keep rows for ever that somebody believes are dropped."""
    with pytest.raises(BadConfig, match=r"retention.*orders.*'events', 'messages'"):
        keeping(catalogue, orders=30)
