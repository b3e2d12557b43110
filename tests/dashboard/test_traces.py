"""
Traces: the search, one trace as a waterfall, its objects and logs, and its journey across queues.

Why odd traces are tested more than even ones: duplicates, orphans, loops and traces of thousands of spans are what production
sends, and a page that hangs on one of them is away when it is needed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import streamlit as st
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from dashboard import charts_traces, queries_traces, session, waterfall
from schema import events, state
from schema.events import Event
from schema.governance import Catalogue
from schema.store import Store
from tests.dashboard.conftest import words
from tests.dashboard.telling import Told, log, minutes, span_id, tell, trace_id
from tests.parts.rows import event_rows

Open = Callable[..., AppTest]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR_S = 3600


@pytest.fixture
def opened(store: Store, catalogue: Catalogue) -> Iterator[Store]:
    """The store of this test as the pages' own."""
    st.cache_data.clear()
    session.open(store, catalogue)
    yield store
    session.close()


def found(**asked: Any) -> list[str]:
    """The traces that a search finds, as the small numbers that the test gave them."""
    return [f"{int(r['trace'], 16)}" for r in queries_traces.search(NOW, (), HOUR_S, **asked)]


# --- search --------------------------------------------------------------------------------------------------------------------
def test_a_search_narrows_by_each_of_its_fields(opened: Store) -> None:
    """Service, interface, errors, duration; without any all of the window, newest first."""
    tell(
        opened,
        Told(1, 1, NOW - minutes(9), service="erp", said={"milepost.interface": "orders"}),
        Told(2, 2, NOW - minutes(8), service="wms", said={"milepost.interface": "release"}, error="no stock"),
        Told(3, 3, NOW - minutes(7), service="wms", ms=5000),
        Told(4, 4, NOW - minutes(90), service="wms"),
    )
    assert found() == ["3", "2", "1"]
    assert found(service="wms") == ["3", "2"]
    assert found(interface="orders") == ["1"]
    assert found(is_error=True) == ["2"]
    assert found(min_s=2.0) == ["3"]
    assert found(service="wms", is_error=True, interface="orders") == []


def test_a_business_key_finds_its_traces_however_old(opened: Store) -> None:
    """By a span that names the order, by an event that carries the trace, and by another key of the same object."""
    tell(
        opened,
        Told(1, 1, NOW - timedelta(days=3), said={"order.id": "SO-1"}),
        Told(2, 2, NOW - timedelta(days=2)),
        Told(3, 3, NOW - minutes(3), said={"order.id": "SO-2"}),
    )
    event = Event(
        event_id="e", event_type="order.released", occurred_at=NOW - timedelta(days=2), object_type="order", object_id="SO-1",
        keys=("PO-77",), state="released", trace_id=trace_id(2),
    )  # fmt: skip
    opened.insert("events", events.COLUMNS, event_rows([event], source="erp", message="m", received_at=NOW))
    state.refresh(opened)
    assert found(key="SO-1") == ["2", "1"]
    assert found(key="PO-77") == ["2", "1"]
    assert found(key="nobody") == []


def test_a_trace_id_is_found_whatever_its_age(opened: Store) -> None:
    """Pasted from a log file."""
    tell(opened, Told(7, 1, NOW - timedelta(days=9)), Told(8, 2, NOW - minutes(1)))
    assert found(key=trace_id(7)) == ["7"]


def test_mileposts_own_traces_are_left_out_unless_asked_for(opened: Store) -> None:
    """Our own commits would bury the business."""
    tell(opened, Told(1, 1, NOW - minutes(2), service="milepost", kind="internal"), Told(2, 2, NOW - minutes(3)))
    assert found() == ["2"]
    assert found(service="milepost") == ["1"]


def test_a_row_of_the_list_sums_all_spans_of_its_trace(opened: Store) -> None:
    """The root's name, every service, every error, the whole length, each span once."""
    spans = [
        Told(1, 1, NOW - minutes(5), "POST /orders", "portal", "server", ms=1000),
        Told(1, 2, NOW - minutes(5) + timedelta(milliseconds=400), "erp", "portal", "client", 1, ms=900, error="503",
             said={"milepost.interface": "orders", "order.id": "SO-1"}),
    ]  # fmt: skip
    tell(opened, *spans)
    tell(opened, *spans)
    row = queries_traces.search(NOW, (), HOUR_S)[0]
    assert (row["root"], row["service"], row["n_spans"], row["n_errors"], row["said"]) == ("POST /orders", "portal", 2, 1, "503")
    assert (row["took_s"], row["keys"], row["interfaces"]) == (pytest.approx(1.3), ["SO-1"], ["orders"])


# --- one trace -----------------------------------------------------------------------------------------------------------------
def test_a_span_that_was_delivered_twice_is_there_once(opened: Store) -> None:
    """Folded by trace and span."""
    one = Told(1, 1, NOW - minutes(5), said={"order.id": "SO-1", "milepost.attempt": "3"}, happened=("exception",), error="boom")
    tell(opened, one)
    tell(opened, one)
    rows = queries_traces.spans(trace_id(1))
    assert [(r["span"], r["objects"], r["attempt"], r["is_error"], r["message"]) for r in rows] == [
        (span_id(1), [("order", "SO-1")], 3, 1, "boom")
    ]
    assert [name for _, name, _ in rows[0]["happened"]] == ["exception"]


def test_a_trace_that_a_crash_kept_out_of_the_lookup_is_found_all_the_same(opened: Store) -> None:
    """An INSERT is not one transaction with the views that it feeds."""
    tell(opened, Told(1, 1, NOW - minutes(5)))
    opened.command("TRUNCATE TABLE otel_traces_trace_id_ts")
    log(opened, 1, 1, NOW - minutes(5), "hello")
    assert len(queries_traces.spans(trace_id(1))) == 1
    assert len(queries_traces.logs(trace_id(1))) == 1


def test_the_objects_of_a_trace_come_from_its_spans_and_from_events(opened: Store) -> None:
    """With their state now, which is not the state that they had then."""
    said = [("order", "SO-1", "released", 1), ("order", "SO-1", "shipped", 9), ("invoice", "IN-1", "created", 1)]
    rows = event_rows(
        [
            Event(event_id=f"{id_}{state_}", event_type=f"{type_}.{state_}", occurred_at=NOW - timedelta(hours=1) + minutes(at),
                  object_type=type_, object_id=id_, state=state_, trace_id=trace_id(1) if at == 1 else "")  # type: ignore[arg-type]
            for type_, id_, state_, at in said
        ],
        source="erp", message="m", received_at=NOW,
    )  # fmt: skip
    opened.insert("events", events.COLUMNS, rows)
    state.refresh(opened)
    tell(opened, Told(1, 1, NOW - minutes(59), said={"order.id": "SO-1"}, error="503"))
    found = [(r["object_type"], r["object_id"], r["state"], r["is_failed"], r["n_events"]) for r in queries_traces.objects(trace_id(1))]
    assert found == [("order", "SO-1", "shipped", 1, 1), ("invoice", "IN-1", "created", 0, 1)]


def test_logs_stand_in_the_order_of_time_each_once(opened: Store) -> None:
    """A record without a level has one by its number or is a word."""
    for _ in range(2):
        log(opened, 1, 1, NOW, "second", severity="error")
    log(opened, 1, 1, NOW - minutes(1), "first")
    tell(opened, Told(1, 1, NOW - minutes(1)))
    assert [(r["body"], r["severity"], r["is_error"]) for r in queries_traces.logs(trace_id(1))] == [
        ("first", "INFO", 0), ("second", "ERROR", 1),
    ]  # fmt: skip


def test_a_journey_follows_links_across_queues_both_ways(opened: Store) -> None:
    """Four traces, three queues; asked from the second one."""
    tell(
        opened,
        Told(1, 1, NOW - minutes(60), "order in"),
        Told(2, 2, NOW - minutes(50), "release", link=(1, 1)),
        Told(3, 3, NOW - minutes(40), "pick", link=(2, 2), error="no stock"),
        Told(4, 4, NOW - minutes(30), "ship", link=(3, 3)),
        Told(9, 9, NOW - minutes(30), "stranger"),
    )
    rows = queries_traces.journey(trace_id(2))
    assert [(r["root"], r["hops"], r["n_errors"]) for r in rows] == [("order in", -1, 0), ("release", 0, 0), ("pick", 1, 1), ("ship", 2, 0)]


def test_a_journey_in_a_circle_ends(opened: Store) -> None:
    """Two traces that link each other."""
    tell(opened, Told(1, 1, NOW, link=(2, 2)), Told(2, 2, NOW, link=(1, 1)))
    assert [r["trace"] for r in queries_traces.journey(trace_id(1))] == [trace_id(1), trace_id(2)]


# --- the waterfall ---------------------------------------------------------------------------------------------------------------
def row(span: str, parent: str = "", start: int = 0, length: int = 10, *, is_error: int = 0, service: str = "a") -> dict[str, Any]:
    return {
        "span": span, "parent": parent, "start_ns": start, "duration_ns": length, "is_error": is_error, "service": service, "name": span,
        "kind": "Client", "message": "", "attempt": 1, "objects": [], "happened": [], "links": [], "at": NOW,
    }  # fmt: skip


def test_children_stand_under_their_parent_by_time() -> None:
    """As a reader follows a call."""
    steps = waterfall.arrange([row("c", "a", 5), row("b", "a", 2), row("a", "", 0, 90), row("d", "b", 3)])
    assert [(s.row["span"], s.depth) for s in steps] == [("a", 0), ("b", 1), ("d", 2), ("c", 1)]


def test_a_span_whose_parent_is_not_here_is_a_root_and_says_so() -> None:
    """Half of a trace is normal."""
    assert [(s.row["span"], s.depth, s.is_orphan) for s in waterfall.arrange([row("x", "gone")])] == [("x", 0, True)]


def test_a_loop_of_parents_is_shown_and_ends() -> None:
    """A sender's mistake must not hang a page."""
    assert {s.row["span"] for s in waterfall.arrange([row("a", "b"), row("b", "a"), row("c", "c")])} == {"a", "b", "c"}


@given(some.lists(some.tuples(some.integers(0, 30), some.integers(0, 30), some.integers(0, 9)), max_size=40))
def test_every_span_is_shown_once_whatever_its_parents(said: list[tuple[int, int, int]]) -> None:
    """Any graph of parents: nothing lost, nothing twice."""
    rows = list({str(s): row(str(s), str(p), start) for s, p, start in said}.values())
    steps = waterfall.arrange(rows)
    assert sorted(s.row["span"] for s in steps) == sorted(r["span"] for r in rows)
    assert all(s.start_ns >= 0 for s in steps)


def test_a_long_trace_begins_at_its_first_error_or_at_the_chosen_span() -> None:
    """The page that matters out of sixty."""
    steps = waterfall.arrange([row(f"{i:05}", start=i, is_error=int(i == 400)) for i in range(5000)])
    assert waterfall.first_page(steps, "") == 400 // waterfall.PAGE + 1
    assert waterfall.first_page(steps, "04999") == 4999 // waterfall.PAGE + 1
    assert waterfall.first_page(steps[:10], "") == 1


def test_five_thousand_spans_one_under_the_other_are_drawn_a_page_at_a_time() -> None:
    """Deeper than Python's stack; a page of it is a small figure."""
    rows = [row(f"{i}", f"{i - 1}" if i else "", i) for i in range(5000)]
    random.Random(1).shuffle(rows)
    steps = waterfall.arrange(rows)
    figure = charts_traces.waterfall(steps[: waterfall.PAGE], steps, [], "")
    assert steps[-1].depth == 4999
    assert len(figure["data"][0]["y"]) == waterfall.PAGE


def test_an_error_has_a_sign_and_a_word_and_foreign_text_is_no_markup() -> None:
    """Colour is never alone, and Plotly reads tags."""
    bad = row("<b>x</b>", is_error=1) | {"message": "<i>boom</i>", "objects": [("order", "SO<1>")]}
    figure = charts_traces.waterfall(waterfall.arrange([bad]), waterfall.arrange([bad]), [], "")
    bar, mark = figure["data"][0], next(d for d in figure["data"] if d["name"] == "failed")
    assert "✕ failed" in bar["text"][0]
    assert mark["marker"]["symbol"] == "x"
    for said in (bar["text"][0], bar["hovertext"][0], figure["layout"]["annotations"][0]["text"]):
        assert "<b>x" not in said
        assert "<i>" not in said
        assert "<1>" not in said


@pytest.mark.parametrize(
    ("ns", "text"), [(0, "0 µs"), (12_000, "12 µs"), (164_000_000, "164 ms"), (1_500_000_000, "1.5 s"), (59_900_000_000, "59.9 s")]
)
def test_a_duration_is_told_in_its_own_unit(ns: int, text: str) -> None:
    """0.2 s says nothing of 164 ms."""
    assert charts_traces.short(ns) == text


# --- the page --------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def told(store: Store) -> Store:
    """A store with a trace of two services that failed, told just now."""
    now = datetime.now(UTC)
    tell(
        store,
        Told(1, 1, now - minutes(5), "POST /orders", "portal", "server", ms=900),
        Told(1, 2, now - minutes(5), "orders", "portal", "client", 1, error="503", said={"milepost.interface": "orders", "order.id": "SO-1"}),
        Told(2, 3, now - minutes(4), "release", "wms", "consumer", link=(1, 2)),
    )  # fmt: skip
    log(store, 1, 2, now - minutes(5), "refused <script>", severity="WARN")
    return store


def test_the_list_holds_the_traces_and_a_search_of_the_url_narrows_it(told: Store, pages: Open) -> None:
    """A link to a search shows what its sender saw."""
    assert list(pages("traces").dataframe[0].value["Began with"]) == ["release", "POST /orders"]
    page = pages("traces", errors="true")
    assert list(page.exception) == []
    assert list(page.dataframe[0].value["Began with"]) == ["POST /orders"]
    assert page.dataframe[0].value["Status"][0] == "■ 1 error"


def test_a_trace_of_the_url_is_opened_with_its_objects_logs_and_journey(told: Store, pages: Open) -> None:
    """What the search field and every link lead to."""
    page = pages("traces", trace=trace_id(1), span=span_id(2))
    assert list(page.exception) == []
    said = words(page)
    assert "POST /orders" in said
    assert "Across queues" in said
    assert "release" in said
    tables = [list(t.value.columns) for t in page.dataframe]
    assert any("State now" in columns for columns in tables)
    assert any("refused <script>" in list(t.value["Text"]) for t in page.dataframe if "Text" in t.value)
    assert any("milepost.interface" in list(t.value["Attribute"]) for t in page.dataframe if "Attribute" in t.value)


def test_a_trace_that_nobody_knows_is_a_sentence(told: Store, pages: Open) -> None:
    """It was sampled away, or it is past its retention."""
    for trace in ("f" * 32, "no trace at all", "%00"):
        page = pages("traces", trace=trace)
        assert list(page.exception) == []
        assert "No span of trace" in words(page)


def test_the_page_over_an_empty_store_says_where_to_send_telemetry(pages: Open) -> None:
    """With this Milepost's own address."""
    page = pages("traces")
    assert list(page.exception) == []
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=http://intake.example:4318" in words(page)


def test_while_the_store_is_away_the_page_says_so(pages: Open) -> None:
    """The list and a trace alike."""
    session.close()
    for params in ({}, {"trace": trace_id(1)}):
        page = pages("traces", **params)
        assert list(page.exception) == []
        assert "The store does not answer since" in words(page)
