"""
Intake: sources against what is expected of them, rejects with their bytes, findings, jobs and what Milepost says of itself.

Why silence is tested in the feed's own calendar: a nightly file is not late at noon, and one that cries every Sunday is muted
before the Monday on which it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from collectors import replay
from collectors.commit import FINDINGS, MESSAGES, REJECTS
from collectors.config import Limits
from collectors.message import Message, Source
from collectors.sink import Sink
from dashboard import parts_intake, parts_replay, queries_intake, session
from schema import events, state
from schema.events import Event
from schema.governance import Catalogue
from schema.store import Store
from tests.dashboard.conftest import words
from tests.dashboard.telling import Told, minutes, tell
from tests.parts.rows import event_rows

Open = Callable[..., AppTest]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday, 13:00 in Berlin
DAY_S = 86400
BYTES = b"ISA*00*\x00\xff\xfe~"


@pytest.fixture
def opened(store: Store, catalogue: Catalogue) -> Iterator[Store]:
    """The store of this test as the pages' own."""
    st.cache_data.clear()
    session.open(store, catalogue)
    yield store
    session.close()


def message(store: Store, source: str, at: datetime, *, id_: str = "", n_rows: int = 1, commit_ms: int = 20) -> None:
    """One delivery of a message."""
    stored = at + timedelta(milliseconds=commit_ms)
    row = (source, at, stored, "cloudevents", id_ or f"{source}{at}", "", "stored", n_rows, 0, 0, 700, 1.0, 2.0)
    store.insert("messages", MESSAGES, [row])


def reject(
    store: Store, source: str, id_: str, at: datetime, *, reason: str = "SE01 is wrong", body: bytes = BYTES, status: str = "open"
) -> None:
    """One reject with its bytes."""
    row = (source, id_, f"m{id_}", "x12_214", "in/part.edi", "text/plain", {}, at, reason, body, status, at)
    store.insert("rejects", REJECTS, [row])


def feed(store: Store, source: str, *, cadence_s: int = 900, calendar: str = "always") -> None:
    """A feed that the catalogue expects."""
    columns = ("source", "title", "cadence_s", "grace_s", "owner", "calendar", "carrier", "region")
    store.insert("gov_feeds", columns, [(source, source.title(), cadence_s, 300, "integration", calendar, "", "")])


def source(name: str) -> dict[str, Any]:
    return next(r for r in queries_intake.sources(NOW, DAY_S) if r["source"] == name)


# --- sources -------------------------------------------------------------------------------------------------------------------
def test_a_source_is_told_by_what_it_delivered_in_the_window(opened: Store) -> None:
    """Watermark, rows, re-deliveries by the same bytes, and the course by twenty-fourths."""
    message(opened, "erp", NOW - timedelta(hours=30), id_="old")
    message(opened, "erp", NOW - timedelta(hours=23, minutes=30), id_="a", n_rows=5)
    message(opened, "erp", NOW - minutes(10), id_="b", n_rows=7)
    message(opened, "erp", NOW - minutes(5), id_="b", n_rows=7)
    row = source("erp")
    assert (row["watermark"], row["n_messages"], row["n_rows"], row["n_again"]) == (NOW - minutes(5), 3, 19, 1)
    assert (row["course"][0], row["course"][-1], sum(row["course"])) == (1, 2, 3)
    assert row["commit_s"] == pytest.approx(0.02)


def test_the_lag_is_from_happened_to_stored_over_actual_events(opened: Store) -> None:
    """A plan for next week is not late by minus a week."""
    said = [
        Event(event_id=f"{n}{kind}", event_type="order.received", occurred_at=at, classifier=kind, object_type="order", object_id="SO-1")  # type: ignore[arg-type]
        for n, kind, at in ((1, "ACT", NOW - minutes(60)), (2, "PLN", NOW - minutes(600)))
    ]
    rows = event_rows(said, source="erp", message="m", received_at=NOW - minutes(59))
    opened.insert("events", events.COLUMNS, rows)
    message(opened, "erp", NOW - minutes(59))
    assert source("erp")["lag_s"] == pytest.approx(60)


def test_a_feed_that_is_silent_for_longer_than_cadence_and_grace_comes_first(opened: Store) -> None:
    """900 s and 300 s of grace: 19 minutes are fine, 21 are not."""
    for name in ("late", "punctual"):
        feed(opened, name)
    message(opened, "late", NOW - minutes(21))
    message(opened, "punctual", NOW - minutes(19))
    rows = queries_intake.sources(NOW, DAY_S)
    assert [(r["source"], r["status"], r["silent_s"]) for r in rows] == [("late", "off_target", 1260), ("punctual", "on_target", 1140)]


def test_silence_is_counted_in_the_calendar_of_the_feed(opened: Store) -> None:
    """Spoken on Friday evening, asked on Monday at 13:00: seven business hours, of a cadence of eight."""
    feed(opened, "weekdays", cadence_s=8 * 3600, calendar="business")
    message(opened, "weekdays", datetime(2026, 11, 20, 17, 0, tzinfo=UTC))
    row = source("weekdays")
    assert (row["silent_s"], row["status"]) == (7 * 3600, "on_target")


def test_a_feed_that_never_spoke_is_there_and_has_no_data(opened: Store) -> None:
    """Not connected yet, which is not the same as silent."""
    feed(opened, "new")
    row = source("new")
    assert (row["title"], row["status"], row["watermark"].year, row["silent_s"]) == ("New", "no_data", 1970, None)


def test_a_source_without_a_feed_is_not_watched_for_silence(opened: Store) -> None:
    """Nobody said how often it should speak."""
    message(opened, "webhook", NOW - timedelta(hours=20))
    assert (source("webhook")["silent_s"], source("webhook")["status"]) == (None, "on_target")


def test_open_rejects_put_a_source_on_watch_with_its_last_error(opened: Store) -> None:
    """A replayed one no longer counts; findings do, as many times as they were met."""
    message(opened, "tms", NOW - minutes(5))
    reject(opened, "tms", "r1", NOW - minutes(50), reason="first")
    reject(opened, "tms", "r2", NOW - minutes(40), reason="second")
    reject(opened, "tms", "r0", NOW - minutes(60), status="replayed")
    opened.insert("findings", FINDINGS, [("tms", "X12.SE01", "m1", "wrong count", "line 4", 3, "x12_214", NOW - minutes(9))])
    row = source("tms")
    assert (row["n_rejects"], row["status"], row["last_error"], row["n_findings"], row["n_kinds"]) == (2, "watch", "second", 3, 1)


# --- rejects and findings --------------------------------------------------------------------------------------------------------
def test_rejects_are_grouped_by_the_first_line_of_their_reason(opened: Store) -> None:
    """Forty rejects with one cause are one thing to mend."""
    for i in range(3):
        reject(opened, "tms", f"a{i}", NOW - minutes(i + 1), reason=f"SE01 is wrong\nat line {i}")
    reject(opened, "erp", "b", NOW - minutes(9), reason="no JSON")
    assert [(r["name"], r["why"], r["n"]) for r in queries_intake.reasons(NOW, "")] == [("tms", "SE01 is wrong", 3), ("erp", "no JSON", 1)]
    assert [r["reject_id"] for r in queries_intake.rejects(NOW, "erp")] == ["b"]


def test_the_bytes_of_a_reject_come_back_as_they_were_sent(opened: Store) -> None:
    """The first 4 KB to look at, all of them to download; zero bytes and broken UTF-8 among them."""
    body = bytes(range(256)) * 40
    reject(opened, "tms", "r1", NOW, body=body)
    found = queries_intake.reject("r1")
    assert found is not None
    assert (found["head"], found["bytes"], found["name_of_source"]) == (body[:4096], len(body), "tms")
    assert queries_intake.payload("r1") == body
    assert (queries_intake.reject("gone"), queries_intake.payload("gone")) == (None, b"")


def test_findings_are_counted_by_kind_and_told_where_first_met(opened: Store) -> None:
    """The same bytes sent again fold, another message adds up; an old one is outside the window."""
    rows = [("tms", "UNMAPPED", m, "code T77", "event 1", n, "x", NOW - minutes(9)) for m, n in (("m1", 2), ("m1", 2), ("m2", 5))]
    rows.append(("tms", "UNMAPPED", "m0", "code T77", "event 1", 90, "x", NOW - timedelta(days=3)))
    opened.insert("findings", FINDINGS, rows)
    assert [(r["kind"], r["n"], r["n_messages"], r["place"]) for r in queries_intake.findings(NOW, DAY_S, "")] == [("UNMAPPED", 7, 2, "event 1")]


def test_bytes_are_told_as_hex_with_what_of_them_can_be_read() -> None:
    """As every hex viewer does."""
    assert parts_intake.hex_dump(b"ISA*\x00\xff") == "000000  49 53 41 2a 00 ff" + " " * 32 + "ISA*.."
    assert parts_intake.hex_dump(b"") == ""


@pytest.mark.parametrize(
    ("body", "is_text"), [(b"ISA*00~\r\n", True), ("Grüße".encode()[:-1], True), (b"\x00\x01", False), (b"\xff\xfe\xfd abc", False)]
)
def test_text_is_what_can_be_read_as_text(body: bytes, is_text: bool) -> None:
    """A character that the first 4 KB cut in two does not make a text binary."""
    assert parts_intake.is_readable(body) is is_text


# --- jobs and ourselves ----------------------------------------------------------------------------------------------------------
def test_a_job_is_told_by_its_last_run_and_its_last_failure(opened: Store) -> None:
    """What failed last night and runs again now is both."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    columns = ("job", "started_at", "duration_ms", "ok", "n", "mark", "detail")
    rows = [("detect", NOW - minutes(m), 100 * m, ok, 5, epoch, "" if ok else "no store") for m, ok in ((30, True), (20, False), (10, True))]
    rows.append(("snapshot", NOW - minutes(1), 5, False, 0, epoch, "disk full"))
    opened.insert("job_runs", columns, rows)
    found = [(r["name"], r["is_ok"], r["took_s"], r["n_runs"], r["n_failed"], r["last_failure"]) for r in queries_intake.jobs(NOW, DAY_S)]
    assert found == [("snapshot", False, 0.005, 1, 1, "disk full"), ("detect", True, 1.0, 3, 1, "no store")]


def test_mileposts_own_spans_are_summed_by_name_and_nobody_elses(opened: Store) -> None:
    """Errors first; a span delivered twice is one."""
    one = Told(1, 1, NOW - minutes(3), "sink.commit", "milepost", "internal", ms=20)
    tell(opened, one, one, Told(2, 2, NOW - minutes(2), "sink.commit", "milepost", "internal", error="StoreUnavailable"))
    tell(opened, Told(3, 3, NOW - minutes(2), "sink.commit", "another"))
    found = [(r["act"], r["n"], r["n_errors"], r["said"]) for r in queries_intake.own_acts(NOW, DAY_S)]
    assert found == [("sink.commit", 2, 1, "StoreUnavailable")]


# --- the page --------------------------------------------------------------------------------------------------------------------
@dataclass
class Done:
    n: int = 1
    n_stored: int = 1
    n_skipped: int = 0


@pytest.fixture
def rejected(store: Store) -> Store:
    """A store with one source and one reject of it, both of just now."""
    now = datetime.now(UTC)
    message(store, "tms", now - minutes(5))
    reject(store, "tms", "r1", now - minutes(5))
    return store


def test_the_page_shows_sources_rejects_and_their_bytes(rejected: Store, pages: Open) -> None:
    """A link to a reject shows what was sent, as hex where it is no text."""
    page = pages("intake", source="tms", reject="r1")
    assert list(page.exception) == []
    assert page.dataframe[0].value["Status"][0] == "▲ Rejects"
    said = words(page)
    assert "SE01 is wrong" in said
    assert "49 53 41 2a" in said


def test_without_the_collectors_the_page_tells_the_command_that_replays(rejected: Store, pages: Open) -> None:
    """Pages may run as a service of their own: a dead button says why, and what to do instead."""
    page = pages("intake", source="tms", reject="r1")
    assert page.button(key="replay_tms").disabled
    assert page.button(key="replay_one").disabled
    assert "apart from the collectors" in page.button(key="replay_tms").help
    assert "milepost replay --source tms" in words(page)


def test_the_past_is_not_replayed(rejected: Store, catalogue: Catalogue, pages: Open) -> None:
    """Who looks at yesterday must not act on today."""
    session.open(rejected, catalogue, replay=lambda **_: Done())
    later = datetime.now(UTC) + timedelta(seconds=1)
    page = pages("intake", source="tms", as_of=f"{later:%Y-%m-%dT%H:%M:%SZ}")
    assert page.button(key="replay_tms").disabled


def test_with_the_collectors_a_click_asks_for_this_reject_or_for_those_of_the_source(
    rejected: Store, catalogue: Catalogue, pages: Open
) -> None:
    """The front door lends the function; the page says how it went."""
    asked: list[tuple[str, Sequence[str]]] = []

    def replay(*, source: str = "", ids: Sequence[str] = ()) -> Done:
        asked.append((source, ids))
        return Done(n=1, n_stored=0)

    session.open(rejected, catalogue, replay=replay)
    page = pages("intake", reject="r1")
    page.button(key="replay_one").click().run()
    assert list(page.exception) == []
    assert "Not replayed:] 1 message rejected again" in words(page)
    page.button(key="replay_tms").click().run()
    assert asked == [("tms", ("r1",)), ("tms", ())]


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (Done(3, 3), ":green[● Replayed:] 3 messages delivered again and stored."),
        (Done(3, 2), ":orange[▲ Replayed in part:] 2 messages delivered again and stored; 1 message rejected again, the reason is below."),
        (Done(0, 0, 2), ":red[■ Not replayed:] 2 left alone, their source is not configured here."),
        (Done(0, 0, 0), ":gray[○ Nothing was left to replay:] somebody else has done it meanwhile."),
    ],
)
def test_how_a_replay_went_is_told_in_words(done: Done, said: str) -> None:
    """Three numbers are no answer."""
    assert parts_replay.outcome(done) == said


def mapped(name: str) -> Source:
    """A source whose mapping reads the object's id from this field."""
    return Source("wms", "webhook", "records", options={"mapping": {"object_id": name, "object_type": "= shipment", "occurred_at": "at"}})


def test_a_click_stores_what_has_been_mended_once_and_a_second_one_finds_nothing(
    store: Store, catalogue: Catalogue, pages: Open
) -> None:
    """From the bytes on the page to the event in the store, through the sink like any message; nothing is doubled by it."""
    sink, now = Sink(store, catalogue), datetime.now(UTC) - timedelta(seconds=5)
    body = b'{"no": "S1", "at": "2026-11-23 08:00:00"}'
    assert sink.deliver_now(mapped("nr"), Message(body, now)).rejected is not None
    assert sink.deliver_now(mapped("nr"), Message(body.replace(b"S1", b"S2"), now)).rejected is not None
    assert sink.deliver_now(mapped("no"), Message(body, now)).n_rows == 1, "its sender has mended it already"
    lent = replay.lend(store, sink, {"wms": mapped("no")})
    session.open(store, catalogue, replay=lent)
    page = pages("intake", source="wms")
    page.button(key="replay_wms").click().run()
    assert list(page.exception) == []
    assert "2 messages delivered again and stored" in words(page)
    assert "No open reject" in words(page)
    state.refresh(store)
    assert store.query("SELECT object_id, n_events FROM object_state FINAL ORDER BY object_id") == [
        {"object_id": "S1", "n_events": 1},
        {"object_id": "S2", "n_events": 1},
    ]
    assert lent(source="wms") == replay.Replayed(n=0, n_stored=0, n_skipped=0)
    sink.close()


def test_more_rejects_than_the_sink_has_room_for_are_replayed_all_the_same(store: Store, catalogue: Catalogue) -> None:
    """Handed in at once they would be refused for being too many, at every attempt."""
    sink = Sink(store, catalogue, Limits(max_queue_bytes=100))
    for i in range(7):
        sink.deliver_now(mapped("nr"), Message(b'{"no": "S%d", "at": "2026-11-23 08:00:00"}' % i, NOW))
    assert replay.replay(store, sink, {"wms": mapped("no")}) == replay.Replayed(n=7, n_stored=7, n_skipped=0)
    assert store.value("SELECT count() FROM events") == 7
    sink.close()


def test_a_reject_that_is_gone_is_a_sentence(rejected: Store, pages: Open) -> None:
    """Past its retention, or a mistyped link."""
    page = pages("intake", reject="gone")
    assert list(page.exception) == []
    assert "No reject has the id gone" in words(page)


def test_the_page_over_an_empty_store_says_how_to_send_something(pages: Open) -> None:
    """With this Milepost's own address."""
    page = pages("intake")
    assert list(page.exception) == []
    assert "http://intake.example:4318/v1/events" in words(page)


def test_while_the_store_is_away_the_page_says_so(pages: Open) -> None:
    """The page that people open when something is wrong must itself not break."""
    session.close()
    page = pages("intake", source="tms", reject="r1")
    assert list(page.exception) == []
    assert "The store does not answer since" in words(page)
