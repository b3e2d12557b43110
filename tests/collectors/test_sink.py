"""The promise of the intake: acknowledged means stored, a bad message stops nobody else, and nothing piles up in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from collectors import commit as commits
from collectors.config import Limits
from collectors.formats import cloudevents
from collectors.message import Decoded, decoded
from collectors.replay import Replayed, replay
from collectors.sink import Overloaded, Room, Sink
from schema.errors import StoreUnavailable
from schema.events import Event
from schema.governance import Catalogue
from schema.store import Store
from tests.collectors.conftest import RECEIVED
from tests.collectors.watched import Watched

Make = Callable[..., Any]


def test_what_is_acknowledged_is_in_the_store(
    sink: Sink, tables: Store, source: Make, message: Make, cloud_event: Make
) -> None:
    """The sender deletes its copy on the receipt, so every row and the account of it must be readable by then."""
    receipt = sink.deliver_now(source(), message([cloud_event(1), cloud_event(2)], name="POST /v1/events"))
    assert (receipt.n_rows, receipt.n_rejects, receipt.rejected) == (2, 0, None)
    assert tables.query("SELECT object_id, state, source FROM events ORDER BY object_id") == [
        {"object_id": "S1", "state": "departed", "source": "events"},
        {"object_id": "S2", "state": "departed", "source": "events"},
    ]
    rows = tables.query("SELECT source, format, name, status, n_rows, n_rejects, n_findings FROM messages")
    assert rows == [
        {"source": "events", "format": "cloudevents", "name": "POST /v1/events", "status": "stored", "n_rows": 2,
         "n_rejects": 0, "n_findings": 0}
    ]  # fmt: skip


def test_a_message_that_is_wrong_lies_in_rejects_with_its_bytes_and_the_reason(
    sink: Sink, tables: Store, source: Make, message: Make
) -> None:
    """Acknowledged means stored also for rubbish: whoever looks later needs the very bytes, even if they are no text."""
    body = b"\xff\xfe{ not json"
    receipt = sink.deliver_now(source(), message(body, "application/json", {"x-from": "test"}, "POST /v1/events"))
    assert receipt.rejected is not None
    assert receipt.rejected.startswith("the body is not JSON")
    rows = tables.query("SELECT hex(body) AS body, reason, status, content_type, headers, name FROM rejects FINAL")
    assert rows == [
        {"body": body.hex().upper(), "reason": receipt.rejected, "status": "open", "content_type": "application/json",
         "headers": {"x-from": "test"}, "name": "POST /v1/events"}
    ]  # fmt: skip
    assert tables.value("SELECT status FROM messages") == "rejected"


def test_the_same_wrong_bytes_sent_three_times_are_one_reject(sink: Sink, tables: Store, source: Make, message: Make) -> None:
    """A sender that retries for ever must not fill the list that a person works through."""
    for _ in range(3):
        sink.deliver_now(source(), message("not json"))
    assert tables.value("SELECT count() FROM rejects FINAL") == 1
    assert tables.value("SELECT count() FROM messages") == 3


def test_a_store_that_is_away_is_told_to_the_sender_and_nothing_is_kept(
    tables: Store, catalogue: Catalogue, source: Make, message: Make, cloud_event: Make
) -> None:
    """What we cannot store the sender must keep; a copy in our memory would be lost with the process and look delivered."""
    watched = Watched(tables)
    watched.is_away = True
    sink = Sink(watched, catalogue)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable, match="away"):
        sink.deliver_now(source(), message(cloud_event()))
    watched.is_away = False
    sink.deliver_now(source(), message(cloud_event(2)))
    sink.close()
    assert sink.depth == {"messages": 0, "bytes": 0}
    assert tables.query("SELECT object_id FROM events") == [{"object_id": "S2"}]


def test_an_answer_that_got_lost_stores_the_group_once(
    tables: Store, catalogue: Catalogue, source: Make, message: Make, cloud_event: Make
) -> None:
    """The second attempt carries the token of the first, so rows that are already there are not added again."""
    watched = Watched(tables)
    watched.away_once = True
    sink = Sink(watched, catalogue)  # type: ignore[arg-type]
    assert sink.deliver_now(source(), message(cloud_event())).n_rows == 1
    sink.close()
    assert watched.inserts == ["events", "events", "messages"]
    assert tables.value("SELECT count() FROM events") == 1


def test_more_than_may_wait_is_refused_and_room_comes_back(
    tables: Store, catalogue: Catalogue, source: Make, message: Make, cloud_event: Make
) -> None:
    """A slow store must turn into "come back later" at the door, not into a process that the kernel kills. Half is one source's."""
    watched = Watched(tables)
    watched.gate = threading.Event()
    body = message(cloud_event())
    sink = Sink(watched, catalogue, Limits(max_queue_bytes=4 * len(body.body)))  # type: ignore[arg-type]
    waiting = [sink.submit(source(), body) for _ in range(2)]
    with pytest.raises(Overloaded, match="max_queue_bytes"):
        sink.submit(source(), body)
    watched.gate.set()
    assert [w.result().n_rows for w in waiting] == [1, 1]
    assert sink.deliver_now(source(), body).n_rows == 1
    sink.close()


def test_a_message_larger_than_the_room_still_fits_an_empty_one() -> None:
    """Otherwise one size of message would be told "come back later" for ever."""
    room = Room(10)
    room.take(100)
    with pytest.raises(Overloaded):
        room.take(1)
    room.give(100)
    room.take(1)
    assert room.used == 1


def test_a_message_that_the_store_refuses_is_rejected_alone(
    tables: Store, catalogue: Catalogue, source: Make, message: Make, cloud_event: Make
) -> None:
    """One sender's wrong value must not make forty-nine others wait for ever behind it."""
    tables.command("ALTER TABLE events ADD CONSTRAINT none_is_bad CHECK object_id != 'bad'")
    sink = Sink(tables, catalogue, linger_s=0.2, writers=1)
    bad = message(cloud_event(2, {"object_id": "bad"}))
    tried = [sink.submit(source(), told) for told in (message(cloud_event(1)), bad, message(cloud_event(3)))]
    receipts = [future.result() for future in tried]
    sink.close()
    assert [r.rejected is None for r in receipts] == [True, False, True]
    assert tables.query("SELECT object_id FROM events ORDER BY object_id") == [{"object_id": "S1"}, {"object_id": "S3"}]
    assert tables.query("SELECT body, startsWith(reason, 'the store refused it for events') AS ok FROM rejects") == [
        {"body": bad.body.decode(), "ok": 1}
    ]


def test_a_value_that_no_column_can_hold_is_a_reject_and_no_bug(
    sink: Sink, tables: Store, source: Make, message: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a format lets through and the table has no room for is known before the group is made, and stops nobody in it."""
    much = Event(event_id="1", event_type="t", occurred_at=RECEIVED, object_type="order", object_id="O1")
    much = much.model_copy(update={"amount": Decimal(10**20)})
    monkeypatch.setattr(cloudevents, "decode", lambda message, context: decoded(message, context, [much]))
    receipt = sink.deliver_now(source(), message("any"))
    assert str(receipt.rejected).startswith("the table of events cannot hold it")
    assert tables.value("SELECT count() FROM events") == 0


def test_a_bug_of_ours_behind_the_sink_makes_no_rejects(
    tables: Store, catalogue: Catalogue, source: Make, message: Make, cloud_event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Good messages must not be called bad because our code is: the sender keeps them, and the log has the traceback."""
    sink = Sink(tables, catalogue)
    monkeypatch.setattr("collectors.arrow.stream", lambda blocks, at: None.body)  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        sink.deliver_now(source(), message(cloud_event()))
    sink.close()
    assert tables.value("SELECT count() FROM rejects") == 0


def test_times_that_the_table_cannot_hold_are_not_stored_as_other_times(
    sink: Sink, tables: Store, source: Make, message: Make, cloud_event: Make
) -> None:
    """SAP writes 9999-12-31 for "never": wrapped around, it would be a date in the past and move the state."""
    receipt = sink.deliver_now(source(), message(cloud_event(1, time="9999-12-31T00:00:00Z")))
    stored = tables.query("SELECT toString(occurred_at) AS at FROM events")
    assert receipt.rejected is not None or stored[0]["at"] >= "2299"


def test_a_missing_table_is_our_trouble_and_not_the_senders(tables: Store, catalogue: Catalogue, source: Make, message: Make,
                                                            cloud_event: Make) -> None:  # fmt: skip
    """Rows must not pile up as rejects because a migration has not run yet; the sender tries again and loses nothing."""
    tables.command("DROP TABLE messages")
    sink = Sink(tables, catalogue)
    with pytest.raises(StoreUnavailable, match="cannot take rows"):
        sink.deliver_now(source(), message(cloud_event()))
    sink.close()


def test_a_bug_in_a_format_reaches_the_one_who_delivered(
    sink: Sink, source: Make, message: Make, monkeypatch: pytest.MonkeyPatch, cloud_event: Make
) -> None:
    """No thread dies silently and no future waits for ever: the runner, or the HTTP edge, gets the very exception."""

    def broken(name: str) -> Any:
        raise KeyError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr("collectors.sink.format_module", broken)
        with pytest.raises(KeyError, match="a bug"):
            sink.deliver_now(source(), message("x"))
    assert sink.deliver_now(source(), message(cloud_event())).n_rows == 1
    assert sink.depth["bytes"] == 0


def test_close_stores_what_waits_and_takes_nothing_more(
    tables: Store, catalogue: Catalogue, source: Make, message: Make, cloud_event: Make
) -> None:
    """A restart must not turn deliveries under way into losses or into hanging requests."""
    sink = Sink(tables, catalogue, linger_s=5)
    waiting = [sink.submit(source(), message(cloud_event(n))) for n in range(20)]
    sink.close()
    assert sum(w.result(timeout=0).n_rows for w in waiting) == 20
    assert tables.value("SELECT count() FROM events") == 20
    with pytest.raises(StoreUnavailable, match="shutting down"):
        sink.submit(source(), message(cloud_event()))


def test_equal_findings_of_one_message_are_one_row_with_their_count(
    sink: Sink, tables: Store, source: Make, message: Make, cloud_event: Make
) -> None:
    """Ten thousand events with the same surprise are one surprise; the page shows it once, with how often."""
    sink.deliver_now(source(), message([cloud_event(n, {"colour": "red"}) for n in range(30)]))
    rows = tables.query("SELECT code, place, n FROM findings FINAL")
    assert rows == [{"code": "unknown_field", "place": "event 1", "n": 30}]
    assert tables.value("SELECT n_findings FROM messages") == 30


def test_a_replay_stores_what_has_been_mended_with_the_time_of_its_first_arrival(
    sink: Sink, tables: Store, source: Make, message: Make
) -> None:
    """The cure of a reject is a corrected source; how late the event reached us must not be forgotten by curing it."""
    body = '{"no": "S1", "at": "2026-11-23 08:00:00"}'
    wrong = source("wms", "records", options={"mapping": {"object_id": "nr", "object_type": "= shipment", "occurred_at": "at"}})
    right = source("wms", "records", options={"mapping": {"object_id": "no", "object_type": "= shipment", "occurred_at": "at"}})
    assert sink.deliver_now(wrong, message(body)).rejected is not None
    assert replay(tables, sink, {"wms": wrong}) == Replayed(n=1, n_stored=0, n_skipped=0)
    assert replay(tables, sink, {}) == Replayed(n=0, n_stored=0, n_skipped=1)
    assert replay(tables, sink, {"wms": right}) == Replayed(n=1, n_stored=1, n_skipped=0)
    assert replay(tables, sink, {"wms": right}) == Replayed(n=0, n_stored=0, n_skipped=0)
    assert tables.query("SELECT status FROM rejects FINAL") == [{"status": "replayed"}]
    assert tables.query("SELECT object_id, toString(received_at) AS at FROM events") == [
        {"object_id": "S1", "at": "2026-11-23 09:00:00.000"}
    ]


def test_ingested_at_is_the_time_of_the_attempt_and_not_of_the_arrival(
    sink: Sink, tables: Store, source: Make, message: Make, cloud_event: Make
) -> None:
    """The state job reads what was ingested since its last round: a row dated before that round would never be seen."""
    began = datetime.now(UTC)
    sink.deliver_now(source(), message(cloud_event()))
    row = tables.query("SELECT received_at, ingested_at FROM events")[0]
    assert row["received_at"] == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert (row["ingested_at"] - began).total_seconds() > -0.01


def test_no_more_findings_are_kept_of_one_message_than_a_person_reads(source: Make, message: Make) -> None:
    """A file that is odd in every row in another way must not fill the table of findings."""
    from collectors.message import Finding

    found = tuple(Finding("odd", f"text {n}") for n in range(1000))
    waiting = commits.Waiting(source(), message("x"), Decoded(findings=found))
    assert len(waiting.receipt().findings) == commits.MAX_FINDINGS
