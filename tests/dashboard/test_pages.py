"""
Each page as it is first drawn: over an empty store, over a small enterprise, and while the store is away.

Why no assertion on layout: what must hold is that no page ever shows a traceback, that empty and away are sentences with the
next step, and that what the store holds is on the page.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.testing.v1 import AppTest

from collectors.formats import cloudevents
from collectors.message import Context, Message, Source
from dashboard import frame, parts_operations, session, units
from schema import exceptions
from schema.governance import Catalogue
from schema.store import Store
from tests.dashboard import enterprise
from tests.dashboard.conftest import words

Open = Callable[..., AppTest]
PAGES = ("operations", "exceptions", "object")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_over_an_empty_store_is_no_traceback(pages: Open, name: str) -> None:
    """The first minute after the installation."""
    assert list(pages(name).exception) == []


def test_an_empty_store_says_how_to_send_the_first_event(pages: Open) -> None:
    """The next step, filled in with this Milepost's own address."""
    assert "curl -sS http://intake.example:4318/v1/events" in words(pages("operations"))


def test_the_first_event_that_the_page_tells_to_send_is_one_that_the_intake_takes(catalogue: Catalogue) -> None:
    """The command is copied by everybody on the first day."""
    message = Message(frame.FIRST_EVENT.encode(), datetime.now(UTC), "application/cloudevents+json")
    decoded = cloudevents.decode(message, Context(Source("events", "webhook", "cloudevents"), catalogue))
    assert [(e.object_type, e.object_id, e.state) for e in decoded.events] == [("shipment", "SHP-1", "departed")]
    assert (decoded.findings, decoded.rejects) == ((), ())


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    "params", [{}, {"region": ["EU-West"], "carrier": ["ACME"]}, {"as_of": "2026-11-20T12:00:00Z"}, {"kiosk": "1"}]
)
def test_a_page_over_data_is_no_traceback(filled_pages: Open, name: str, params: dict[str, object]) -> None:
    """Plain, filtered, in the past, and on the wall."""
    assert list(filled_pages(name, **params).exception) == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("params", [{}, {"as_of": "2026-11-20T12:00:00Z"}])
def test_while_the_store_is_away_a_page_says_so_and_what_is_lost(pages: Open, name: str, params: dict[str, str]) -> None:
    """Nothing is lost, and the page says that; a traceback would say the opposite."""
    session.close()
    page = pages(name, type="order", id="45000001", **params)
    assert list(page.exception) == []
    assert "The store does not answer since" in words(page)
    assert "Nothing is lost" in words(page)


@pytest.mark.parametrize("name", PAGES)
def test_a_store_that_stops_answering_is_a_banner_too(
    store: Store, pages: Open, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away is not only never there: the query itself is refused, as it is while Milepost shuts down."""
    closed = threading.Event()
    closed.set()
    monkeypatch.setattr(store, "_closed", closed)
    page = pages(name, type="order", id="45000001", exception="1")
    assert list(page.exception) == []
    assert "The store does not answer since" in words(page)


def test_operations_tells_each_incident_in_a_sentence(filled_pages: Open) -> None:
    """What needs you: number, place, what it waits for, and what to do."""
    said = words(filled_pages("operations"))
    assert "wait for proof of delivery" in said or "waits for proof of delivery" in said
    assert "Do:" in said


def test_a_filter_in_the_url_is_a_chip_and_filters_the_incidents(filled_pages: Open) -> None:
    """A link that was sent opens as it was seen."""
    page = filled_pages("operations", region=["APAC"])
    assert "region: APAC ✕" in [b.label for b in page.button]
    assert "in EU\\-West wait" not in words(page)


def test_the_past_is_told_and_takes_no_verbs(filled_pages: Open) -> None:
    """Nobody may act on how it stood; the banner says what is seen."""
    page = filled_pages("exceptions", as_of="2026-11-20T12:00:00Z")
    assert "As it stood at" in words(page)
    assert all(b.disabled for b in page.button if b.label == "Acknowledge")


def test_a_verb_asks_for_a_name_once_and_stands_in_the_audit(store: Store, pages: Open) -> None:
    """Nothing is greyed until somebody finds a field: the verb asks who they are, takes itself, and the name is kept."""
    enterprise.fill(store, datetime.now(UTC), orders=40)
    page = pages("exceptions")
    press(page, "Acknowledge")
    assert store.query("SELECT verb, actor FROM exception_verbs") == []
    page.text_input(key="actor_asked").input("Kim")
    press(page, "Acknowledge 1 exception")
    assert list(page.exception) == []
    assert store.query("SELECT verb, actor FROM exception_verbs") == [{"verb": "acknowledge", "actor": "Kim"}]
    press(page, "Acknowledge")
    assert store.query("SELECT verb, actor FROM exception_verbs") == [{"verb": "acknowledge", "actor": "Kim"}] * 2


def test_a_name_of_nothing_takes_no_verb(store: Store, pages: Open) -> None:
    """The audit holds no verb of nobody."""
    enterprise.fill(store, datetime.now(UTC), orders=40)
    page = pages("exceptions")
    press(page, "Acknowledge")
    page.text_input(key="actor_asked").input("  ")
    press(page, "Acknowledge 1 exception")
    assert store.query("SELECT verb, actor FROM exception_verbs") == []
    assert "A name, please" in words(page)


def press(page: AppTest, label: str) -> None:
    next(b for b in page.button if b.label == label).click().run()


def test_a_card_gives_no_all_clear_while_exceptions_are_past_their_limit() -> None:
    """100 % in time and 240 invoices too old are both true; the word is the worse one's, and says why."""
    row = {"workflow": "invoice_readiness", "n_past": 240}
    attained = {"value": 1.0, "n": 900, "status": "on_target"}
    status, why = parts_operations.status(row, attained)
    assert status == "watch"
    assert "240 open exceptions past their age limit" in why
    assert parts_operations.status(row | {"n_past": 0}, attained)[0] == "on_target"
    assert parts_operations.status(row, attained | {"status": "off_target"})[0] == "off_target"
    assert parts_operations.status(row, None)[0] == "watch"


def test_an_exception_in_the_url_is_the_one_that_is_shown(filled: Store, filled_pages: Open) -> None:
    """A link to one exception opens that one, whatever stands above it in the list."""
    last = exceptions.find(filled, datetime.now(UTC))[-1]
    links = [link.proto.label for link in filled_pages("exceptions", exception=last["id"]).get("page_link")]
    assert f"Shipment {units.plain(last['object_id'])}" in links


def test_an_object_says_what_it_waits_for_and_from_whom(filled: Store, filled_pages: Open) -> None:
    """The question that the page answers."""
    stale = next(e for e in exceptions.find(filled, datetime.now(UTC)) if e["code"] == "SHP.STALE")
    said = words(filled_pages("object", type="shipment", id=stale["object_id"]))
    assert "Waits for" in said
    assert "Next step: **carrier desk**" in said


def test_without_an_object_the_page_says_where_to_begin(filled: Store, filled_pages: Open) -> None:
    """An empty field is no start: the objects in trouble are one click away."""
    page = filled_pages("object")
    links = [link.proto.label for link in page.get("page_link")]
    assert "Which object?" in words(page)
    assert any(label.startswith("Shipment SHP") for label in links)


def test_an_object_that_nobody_knows_is_a_sentence(filled_pages: Open) -> None:
    """With what to look at next, and neighbours where there are some."""
    said = words(filled_pages("object", type="shipment", id="SHP-0001X"))
    assert "No shipment with the id" in said


@pytest.mark.parametrize("text", ["1Z00003", "SHP-00003", "shp-none-such"])
def test_a_search_leads_somewhere_or_says_that_it_cannot(filled_pages: Open, text: str) -> None:
    """By id, by tracking number, and for nothing."""
    page = filled_pages("operations")
    page.text_input(key="search_0").input(text).run()
    assert list(page.exception) == []
    found = "Shipment SHP\\-00003" in words(page)
    assert found or (text == "shp-none-such" and "Nothing is known by" in words(page))


def test_numbers_are_sent_alone_at_first_and_nobody_waits_for_that_twice(
    filled_pages: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser renders in one go what has come: where all comes at once, the first numbers are seen with the last."""
    sent: list[str] = []

    def pause(_: float) -> None:
        context = get_script_run_ctx()
        assert context
        sent.append(" ".join(context.shared.widget_ids_this_run.snapshot()))

    monkeypatch.setattr(frame, "time", SimpleNamespace(sleep=pause))
    page = filled_pages("operations")
    assert any(str(b.key).startswith("open_") for b in page.button)
    assert "card_" in sent[0]
    assert "open_" not in sent[0]
    page.run()
    assert len(sent) == 1
