"""
Failures: an interface against its usual, what is behind it in objects, customers and money, and the way to the exceptions.

Why the usual is tested by hand: it is what turns a number into a verdict, and a window that slips by one day makes every Monday a
failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import charts_failures, queries_failures, session
from schema import events, exceptions, state
from schema.events import Event
from schema.governance import Catalogue
from schema.rules import Interface
from schema.store import Store
from tests.dashboard.conftest import words
from tests.dashboard.telling import Told, minutes, tell, trace_id
from tests.parts.rows import event_rows

Open = Callable[..., AppTest]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR_S, DAY_S = 3600, 86400
DAY = timedelta(days=1)
EDGE = "carrier.acme.pod"


@pytest.fixture
def opened(store: Store, catalogue: Catalogue) -> Iterator[Store]:
    """The store of this test as the pages' own."""
    st.cache_data.clear()
    session.open(store, catalogue)
    yield store
    session.close()


def call(n: int, at: datetime, *, error: str = "", ms: float = 100, attempt: int = 1, message: str = "", shipment: str = "",
         region: str = "", version: str = "1.0.0", interface: str = EDGE) -> Told:  # fmt: skip
    """One call over an interface, about a shipment if one is named."""
    said = {"milepost.interface": interface, "milepost.attempt": str(attempt), "milepost.region": region}
    said |= {"messaging.message.id": message} if message else {}
    said |= {"milepost.shipment_id": shipment} if shipment else {}
    return Told(n, n, at, interface, "acme-connector", ms=ms, error=error, version=version, said=said)


def edge(length_s: int = HOUR_S, scope: tuple[str, ...] = (), interface: str = EDGE) -> dict[str, Any]:
    return next(r for r in queries_failures.edges(NOW, scope, length_s) if r["interface"] == interface)


def shipment(store: Store, name: str, amount: float, customer: str, *, region: str = "EU-West") -> None:
    """A shipment that has departed, worth so much, of this customer."""
    event = Event(
        event_id=name, event_type="shipment.departed", occurred_at=NOW - 3 * DAY, object_type="shipment", object_id=name,
        state="departed", amount=amount, currency="EUR", customer=customer, carrier="ACME", region=region, mode="ftl",  # type: ignore[arg-type]
    )  # fmt: skip
    store.insert("events", events.COLUMNS, event_rows([event], source="tms", message="m", received_at=NOW - 3 * DAY))
    state.refresh(store)


# --- the numbers of an interface -----------------------------------------------------------------------------------------------
def test_the_usual_is_the_same_hour_of_the_seven_days_before(opened: Store) -> None:
    """Yesterday at this hour counts, yesterday evening does not, and the eighth day back neither."""
    tell(
        opened,
        *[call(i, NOW - minutes(5 + i), error="503" if i == 1 else "", ms=200) for i in range(1, 5)],
        *[call(100 + d, NOW - d * DAY - minutes(30), ms=50, error="503" if d == 7 else "") for d in range(1, 9)],
        *[call(200 + d, NOW - d * DAY - timedelta(hours=6), error="503") for d in range(1, 8)],
    )
    row = edge()
    assert (row["n_calls"], row["n_errors"], row["error_share"]) == (4, 1, 0.25)
    assert (row["n_usual"], row["usual_calls"], row["usual_error_share"]) == (7, 1.0, pytest.approx(1 / 7))
    assert (row["p95_s"], row["usual_p95_s"]) == (pytest.approx(0.2), pytest.approx(0.05))


def test_for_a_longer_window_the_usual_is_the_stretch_before_it(opened: Store) -> None:
    """Three days are held against the three days before, not against seven overlapping windows."""
    tell(opened, *[call(i, NOW - timedelta(hours=h)) for i, h in enumerate((1, 30, 71, 73, 100, 143, 145), start=1)])
    row = edge(3 * DAY_S)
    assert (row["n_calls"], row["n_usual"], row["usual_calls"]) == (3, 3, 3.0)


def test_a_span_that_was_delivered_twice_is_one_call(opened: Store) -> None:
    """Exporters send again after a timeout."""
    one = call(1, NOW - minutes(5), error="503")
    tell(opened, one, one)
    assert (edge()["n_calls"], edge()["n_errors"]) == (1, 1)


def test_retries_are_attempts_beyond_the_first_of_a_message(opened: Store) -> None:
    """Three attempts of one message and one of another: one retry a message."""
    tell(
        opened,
        *[call(i, NOW - minutes(20 - i), attempt=i, message="m1", error="429" if i < 3 else "") for i in (1, 2, 3)],
        call(9, NOW - minutes(5), message="m2"),
    )
    assert (edge()["n_messages"], edge()["retries"]) == (2, 1.0)


def test_a_filter_by_region_cuts_the_calls(opened: Store) -> None:
    """Degraded for one region only is the first story of the field."""
    tell(opened, call(1, NOW - minutes(5), region="EU-West", error="x"), call(2, NOW - minutes(5), region="APAC"))
    assert (edge(scope=("region=APAC",))["n_errors"], edge(scope=("region=EU-West",))["n_errors"]) == (0, 1)


def test_the_last_change_is_the_first_sight_of_the_newest_version(opened: Store) -> None:
    """One version only is no change."""
    tell(opened, call(1, NOW - minutes(50)), call(2, NOW - minutes(40), version="1.1.0"), call(3, NOW - minutes(30), version="1.1.0"))
    row = edge()
    assert (row["version"], row["changed_at"]) == ("1.1.0", NOW - minutes(40))
    marks = queries_failures.changes(NOW, EDGE)
    assert [(r["version"], r["is_change"]) for r in marks] == [("1.1.0", 1), ("1.0.0", 0)]


def test_an_interface_without_a_change_says_so_and_not_a_date(opened: Store) -> None:
    """The first sight of the only version is the beginning of the telemetry, not a deployment."""
    tell(opened, call(1, NOW - minutes(50)))
    assert edge()["changed_at"].year == 1970


# --- what is behind it ---------------------------------------------------------------------------------------------------------
def test_behind_an_interface_are_the_objects_whose_last_call_failed(opened: Store) -> None:
    """Objects, customers and money; a shipment that got through in the end is not held up."""
    for name, amount, customer in (("S1", 100, "Alder"), ("S2", 200, "Alder"), ("S3", 400, "Birch")):
        shipment(opened, name, amount, customer)
    tell(
        opened,
        call(1, NOW - minutes(30), shipment="S1", error="503"),
        call(2, NOW - minutes(30), shipment="S2", error="503"),
        call(3, NOW - minutes(30), shipment="S3", error="503"),
        call(4, NOW - minutes(20), shipment="S3"),
    )
    row = edge()
    assert (row["n_objects"], row["n_failed_objects"], row["n_customers"], float(row["value"])) == (2, 2, 1, 300.0)
    assert row["status"] == "watch"
    assert [(r["name"], r["n"]) for r in queries_failures.hit_by(NOW, (), HOUR_S, EDGE, "carrier")] == [("ACME", 2)]
    assert [r["object_id"] for r in queries_failures.hit(NOW, (), HOUR_S, EDGE)] == ["S2", "S1"]


def test_what_a_detector_raised_makes_an_interface_the_worst(opened: Store) -> None:
    """The rule of what fails stands in the detector and nowhere else; another one that only waits comes after it."""
    tell(opened, *[call(i, NOW - minutes(i), error="401 token expired") for i in range(1, 21)], call(99, NOW - minutes(1), interface="quiet"))
    exceptions.detect(opened, NOW, ("INT.FAIL",))
    rows = queries_failures.edges(NOW, (), HOUR_S)
    assert [(r["interface"], r["status"], r["code"]) for r in rows] == [(EDGE, "off_target", "INT.FAIL"), ("quiet", "on_target", "")]
    assert "20 of 20 messages failed" in rows[0]["reason"]
    assert [(r["code"], r["via"]) for r in queries_failures.caused(NOW, (), HOUR_S, EDGE)] == [("INT.FAIL", "edge")]


def test_an_exception_of_an_object_that_failed_is_one_that_the_interface_caused(opened: Store) -> None:
    """From the failing edge to the shipment that nobody sees any more."""
    shipment(opened, "S1", 100, "Alder")
    shipment(opened, "S2", 100, "Alder")
    tell(opened, call(1, NOW - minutes(30), shipment="S1", error="503"))
    exceptions.detect(opened, NOW, ("SHP.STALE",))
    found = queries_failures.caused(NOW, (), HOUR_S, EDGE)
    assert [(r["code"], r["n"], r["via"]) for r in found] == [("SHP.STALE", 1, "failed")]


def test_a_message_that_failed_last_may_still_come_through(opened: Store) -> None:
    """Failing now, given up long ago, and through in the end are three different calls to make."""
    tell(
        opened,
        call(1, NOW - minutes(3), message="now", error="503"),
        call(2, NOW - minutes(50), message="given up", error="503"),
        call(3, NOW - minutes(20), message="through", error="503"),
        call(4, NOW - minutes(19), message="through", attempt=2),
        call(5, NOW - minutes(2), message="fine"),
    )
    rows = queries_failures.messages(NOW, (), HOUR_S, EDGE)
    assert [(r["message"], r["is_retrying"], r["is_failed"], r["attempts"]) for r in rows] == [
        ("now", 1, 1, 1), ("through", 0, 0, 2), ("given up", 0, 1, 1),
    ]  # fmt: skip
    assert (rows[0]["n_all"], rows[0]["n_now"]) == (3, 1)


def test_sample_traces_are_those_that_failed_newest_first(opened: Store) -> None:
    """A link to a trace that went through helps nobody."""
    tell(opened, call(1, NOW - minutes(9), error="a"), call(2, NOW - minutes(3), error="b"), call(3, NOW - minutes(1)))
    rows = queries_failures.failing(NOW, (), HOUR_S, EDGE)
    assert [(r["trace_id"], r["status_message"]) for r in rows] == [(trace_id(2), "b"), (trace_id(1), "a")]


# --- the course -----------------------------------------------------------------------------------------------------------------
def test_the_course_is_by_bucket_beside_the_same_bucket_of_the_days_before(opened: Store) -> None:
    """Now and usual of one hour are held together, whatever the day."""
    tell(
        opened,
        *[call(i, NOW - minutes(50), ms=100, error="x" if i == 1 else "") for i in (1, 2)],
        *[call(10 + d, NOW - d * DAY - minutes(50), ms=400) for d in range(1, 8)],
    )
    rows = queries_failures.course(NOW, (), HOUR_S, EDGE, 900)
    assert len(rows) == 1
    assert (rows[0]["bucket"], rows[0]["n"], rows[0]["error_share"]) == (NOW - minutes(60), 2, 0.5)
    assert (rows[0]["usual_n"], rows[0]["usual_p95_s"]) == (1.0, pytest.approx(0.4))


def test_a_bucket_without_a_call_is_a_gap_and_no_zero(opened: Store) -> None:
    """Nobody called: that is not a latency of nothing."""
    tell(opened, call(1, NOW - minutes(59)), call(2, NOW - minutes(1)))
    rows = charts_failures.filled(queries_failures.course(NOW, (), HOUR_S, EDGE, 900), NOW - minutes(60), NOW, 900)
    assert [r["p95_s"] is None for r in rows] == [False, True, True, False]
    assert charts_failures.filled([], NOW - minutes(60), NOW, 900) == []


# --- the page -------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def failing(store: Store, catalogue: Catalogue) -> Store:
    """A store in which an interface fails now; detected a moment ago, for pages ask for whole seconds."""
    now = datetime.now(UTC) - timedelta(seconds=5)
    tell(store, *[call(i, now - minutes(i), error="401 <b>token</b> expired", shipment="S1") for i in range(1, 21)])
    exceptions.detect(store, now, ("INT.FAIL",))
    return store


def test_the_page_lists_interfaces_the_worst_first(failing: Store, pages: Open) -> None:
    """What fails is what is seen."""
    page = pages("failures")
    assert list(page.exception) == []
    table = page.dataframe[0].value
    assert (table["Interface"][0], table["Status"][0]) == (EDGE, "■ Interface fails")


def test_a_link_to_an_interface_opens_it_with_what_it_caused(failing: Store, pages: Open) -> None:
    """The way back from an exception or an incident."""
    page = pages("failures", interface=EDGE)
    assert list(page.exception) == []
    said = words(page)
    assert "20 of 20 messages failed" in said
    assert "Exceptions it caused" in said
    assert "Open the latest failing trace" in said
    assert "401 \\<b\\>token\\</b\\> expired" in said, "foreign text is shown and does nothing"


def test_a_link_to_an_interface_that_nobody_knows_is_a_sentence(failing: Store, pages: Open) -> None:
    """A link may be older than the telemetry."""
    page = pages("failures", interface="gone")
    assert list(page.exception) == []
    assert "Nothing is known of the interface" in words(page)


def test_an_interface_of_the_catalogue_that_nobody_called_has_no_data(store: Store, catalogue: Catalogue) -> None:
    """Silent is not healthy."""
    named = catalogue.model_copy(update={"interfaces": {"silent": Interface(title="Silent one", owner="integration")}})
    store.insert("gov_interfaces", ("interface", "title", "owner", "carrier", "carries"), [("silent", "Silent one", "integration", "", [])])
    st.cache_data.clear()
    session.open(store, named)
    row = edge(interface="silent")
    assert (row["title"], row["status"], row["error_share"], row["p95_s"]) == ("Silent one", "no_data", None, None)
    session.close()


def test_the_page_over_an_empty_store_says_where_to_send_telemetry(pages: Open) -> None:
    """With this Milepost's own address."""
    page = pages("failures")
    assert list(page.exception) == []
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=http://intake.example:4318" in words(page)


def test_while_the_store_is_away_the_page_says_so(pages: Open) -> None:
    """No traceback, whatever the link names."""
    session.close()
    page = pages("failures", interface=EDGE)
    assert list(page.exception) == []
    assert "The store does not answer since" in words(page)
