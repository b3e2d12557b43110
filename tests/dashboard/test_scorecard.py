"""
The Scorecard: what it reads on a real store, what it says of that, and what is printed.

Why the numbers are counted by hand here: an executive has no second source, so a composite that is off by one part is believed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import queries_scorecard, report, scores, session
from dashboard.scores import Composite
from schema import events, exceptions, state
from schema.events import Event
from schema.exceptions import EPOCH, Verb
from schema.governance import Catalogue
from schema.kpi import Point
from schema.store import Store
from tests.dashboard.conftest import words
from tests.parts.rows import event_rows

Open = Callable[..., AppTest]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
COLUMNS = ("code", "fingerprint", "detected_at", "began_at", "closed_at", "reason", "value", "object_type", "object_id", "place",
           "region", "owner", "severity", "workflow", "sla_s", "ver")  # fmt: skip


@pytest.fixture
def opened(store: Store, catalogue: Catalogue) -> Iterator[Store]:
    """The store of this test as the pages' own, answers of another forgotten."""
    st.cache_data.clear()
    session.open(store, catalogue)
    yield store
    session.close()


def hours(n: float) -> datetime:
    return NOW - timedelta(hours=n)


def shipped(store: Store, name: str, departed: float, in_transit: float | None) -> None:
    """A shipment that departed so many hours ago, and was first seen on its way so many hours ago."""
    said = [("departed", departed), *([("in_transit", in_transit)] if in_transit is not None else [])]
    rows = event_rows(
        [
            Event(event_id=f"{name}-{what}", event_type=f"shipment.{what}", occurred_at=hours(at), object_type="shipment",
                  object_id=name, state=what, system="ACME", system_role="carrier", region="EU-West", carrier="ACME")
            for what, at in said
        ],
        source="carrier", message="m", received_at=NOW,
    )  # fmt: skip
    store.insert("events", events.COLUMNS, rows)


def wrong(
    store: Store, name: str, detected: float, closed: float | None = None, *, value: float = 100, code: str = "SHP.STALE",
    place: str = "EU-West|ACME", object_id: str = "", sla_h: float = 24,
) -> None:  # fmt: skip
    """An exception that was detected so many hours ago, and closed so many hours ago or is open."""
    end = hours(closed) if closed is not None else EPOCH
    row = (code, name, hours(detected), hours(detected), end, "no progress", value, "shipment", object_id or name, place, "EU-West",
           "carrier_desk", 3, "shipment_visibility", int(sla_h * 3600), 1)  # fmt: skip
    store.insert("exceptions", COLUMNS, [row])


def owned(store: Store, name: str, after_h: float) -> None:
    """Somebody acknowledges an exception so long after it was detected."""
    found = next(r for r in exceptions.find(store, NOW) if r["fingerprint"] == name)
    at = found["detected_at"] + timedelta(hours=after_h)
    exceptions.act(store, Verb(found["id"], "acknowledge", "Ann"), at=at)


def parts(days: int = 7) -> dict[tuple[str, str], dict[str, object]]:
    return {(r["composite"], r["part"]): r for r in queries_scorecard.parts(NOW, (), days)}


# --- what it reads -----------------------------------------------------------------------------------------------------------
def test_a_workflow_is_held_against_its_target_and_the_period_before(opened: Store) -> None:
    """First status within 12 h: three of four this week, two of two the week before; a budget of 2 % is overdrawn."""
    for i, (departed, seen) in enumerate([(30, 29), (40, 38), (50, 49), (60, 40), (200, 199), (210, 209)]):
        shipped(opened, f"S{i}", departed, seen)
    state.refresh(opened)
    rows = {r["workflow"]: r for r in queries_scorecard.workflows(NOW, (), 7)}
    row = rows["shipment_visibility"]
    assert (row["attainment"], row["n"], row["attainment_before"], row["n_before"]) == (0.75, 4, 1.0, 2)
    assert (row["change"], row["status"]) == (-0.25, "off_target")
    assert row["budget_left"] == pytest.approx(1 - 0.25 / 0.02)
    assert len(rows) == len(session.catalogue().workflows)


def test_a_workflow_without_anything_due_has_no_data_and_no_score(opened: Store) -> None:
    """Never 100 %, never 0 %."""
    row = queries_scorecard.workflows(NOW, (), 30)[0]
    assert (row["status"], row["attainment"], row["change"], row["budget_left"], row["recover_s"]) == ("no_data", None, None, None, None)


def test_an_open_shipment_past_its_limit_counts_as_missed(opened: Store) -> None:
    """Otherwise a total stop looks like a perfect week."""
    shipped(opened, "S1", 30, 29)
    shipped(opened, "S2", 30, None)
    state.refresh(opened)
    rows = {r["workflow"]: r for r in queries_scorecard.workflows(NOW, (), 7)}
    assert (rows["shipment_visibility"]["attainment"], rows["shipment_visibility"]["n"]) == (0.5, 2)


def test_exceptions_of_a_workflow_are_counted_by_what_happened_in_the_period(opened: Store) -> None:
    """Opened, closed, open at the end, oldest, value; one that came and went before is not of this period."""
    wrong(opened, "old and over", 400, 300)
    wrong(opened, "closed in it", 200, 20)
    wrong(opened, "new", 30, value=250)
    wrong(opened, "fresh", 3, value=50)
    rows = {r["workflow"]: r for r in queries_scorecard.workflows(NOW, (), 7)}
    row = rows["shipment_visibility"]
    assert (row["n_opened"], row["n_closed"], row["n_open"], row["oldest_s"], row["value"]) == (2, 1, 2, 30 * 3600, 300)
    assert row["n_recovered"] == 2, "the closed one, and the open one that is past its limit"


def test_a_part_of_a_composite_is_a_share_within_its_limit(opened: Store) -> None:
    """Each part by hand: 1 of 2 young enough, 1 of 2 owned in time, 1 of 2 owned at all, 1 of 2 resolved in time."""
    wrong(opened, "young", 3)
    wrong(opened, "old", 30)
    wrong(opened, "resolved", 20, 10)
    owned(opened, "young", 1)
    found = parts()
    assert (found["exceptions", "age"]["score"], found["exceptions", "age"]["n"]) == (0.5, 2)
    assert (found["exceptions", "own"]["score"], found["exceptions", "own"]["n"]) == (0.5, 2)
    assert (found["exceptions", "unowned"]["score"], found["exceptions", "unowned"]["n"]) == (0.5, 2)
    assert (found["recovery", "resolve"]["score"], found["recovery", "resolve"]["n"]) == (0.5, 2)
    assert found["recovery", "resolve"]["typical_s"] == pytest.approx(30 * 3600, rel=0.3)


def test_an_incident_has_recovered_when_nothing_of_it_is_left(opened: Store) -> None:
    """One of two exceptions closed is not recovery; an incident still within its limit is neither good nor bad yet."""
    wrong(opened, "a1", 40, 20, place="A")
    wrong(opened, "a2", 40, place="A")
    wrong(opened, "b1", 30, 20, place="B")
    wrong(opened, "c1", 3, place="C")
    found = parts()["recovery", "drain"]
    assert (found["score"], found["n"]) == (0.5, 2)


def test_a_composite_is_the_weighted_mean_of_the_parts_that_have_data(opened: Store) -> None:
    """Two workflows of five were measured: their weights alone count."""
    for i, seen in enumerate((29, 10)):
        shipped(opened, f"S{i}", 30, seen)
    state.refresh(opened)
    one, *_ = scores.composites(queries_scorecard.workflows(NOW, (), 7), queries_scorecard.parts(NOW, (), 7))
    measured = [p for p in one.parts if p["n"]]
    assert one.score == pytest.approx(sum(p["weight"] * p["score"] for p in measured) / sum(p["weight"] for p in measured))
    assert one.score == 0.5
    assert len(one.parts) == len(session.catalogue().workflows), "each workflow once, measured or not"
    assert one.change is None, "the week before measured nothing"


def test_the_course_of_ageing_counts_what_was_open_then_at_the_age_it_had_then(opened: Store) -> None:
    """Two days ago it was young, today it is old; a closed one is there only while it was open."""
    wrong(opened, "one", 50)
    wrong(opened, "two", 30, 10)
    seen = {(r["at"], r["bucket"]): r["n"] for r in queries_scorecard.ageing(NOW, (), 7) if r["n"]}
    assert seen == {(hours(48), "< 4 h"): 1, (hours(24), "4 – 24 h"): 1, (hours(24), "1 – 3 d"): 1, (NOW, "1 – 3 d"): 1}


def test_an_incident_costs_each_object_once_however_often_it_came_back(opened: Store) -> None:
    """A condition that flaps is not worth more than one that stays."""
    wrong(opened, "flapping", 40, 30, value=500)
    wrong(opened, "flapping", 20, 10, value=500)
    wrong(opened, "other", 20, value=70)
    found = queries_scorecard.incidents(NOW, (), 7)
    assert [(r["n"], r["n_open"], r["value"]) for r in found] == [(2, 1, 570)]


def test_the_value_at_risk_of_the_headline_counts_an_object_once(opened: Store) -> None:
    """Two exceptions on one shipment do not double the shipment."""
    wrong(opened, "stale", 20, object_id="S1", value=500)
    wrong(opened, "stalled", 20, object_id="S1", value=500, code="SHP.STALLED")
    total = queries_scorecard.open_total(NOW, ())
    assert (total["n"], total["worth"], total["oldest_s"], total["n_past"]) == (2, 500, 20 * 3600, 0)
    assert (total["first_at"], total["limit_at"]) == (hours(20), hours(-4))


def test_what_is_past_its_limit_and_what_is_over_are_told_apart(opened: Store) -> None:
    """A closed exception is neither open nor at risk, and its limit is none that is still to come."""
    wrong(opened, "late", 30, value=70)
    wrong(opened, "over", 50, 40, value=900)
    total = queries_scorecard.open_total(NOW, ())
    assert (total["n"], total["n_past"], total["worth"], total["first_at"], total["limit_at"]) == (1, 1, 70, hours(50), EPOCH)


def test_a_filter_cuts_all_of_it(opened: Store) -> None:
    """The scorecard of another region holds nothing of this one."""
    shipped(opened, "S1", 30, 29)
    wrong(opened, "S1", 20)
    state.refresh(opened)
    scope = ("region=APAC",)
    assert all(r["n"] == 0 and r["n_open"] == 0 for r in queries_scorecard.workflows(NOW, scope, 7))
    assert queries_scorecard.incidents(NOW, scope, 7) == []
    assert queries_scorecard.open_total(NOW, scope)["n"] == 0


# --- the page and the paper --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("period", ["week", "month", "quarter", "nonsense"])
def test_the_page_over_data_is_no_traceback(filled_pages: Open, period: str) -> None:
    """Each period, and a mistyped link."""
    page = filled_pages("scorecard", period=period)
    assert list(page.exception) == []
    titles = page.dataframe[0].value["Workflow"]
    assert set(titles) == {w.title for w in session.catalogue().workflows.values()}


def test_the_period_of_the_url_is_the_period_of_the_page(filled_pages: Open) -> None:
    """A link that is sent shows what its sender saw."""
    assert "the last 7 days against the 7 before" in words(filled_pages("scorecard", period="week"))


def test_a_composite_shows_its_parts_and_their_weights(filled_pages: Open) -> None:
    """Never a bare score."""
    page = filled_pages("scorecard")
    said = " ".join(str(part) for table in page.table for part in table.value["Part"])
    assert "Order orchestration" in said
    assert "Open, within their age limit" in said
    assert "weight 25 %" in said


def test_the_page_says_which_days_it_speaks_of(filled_pages: Open) -> None:
    """Its period is week, month or quarter; the window of the other pages is not offered here and must not seem to contradict."""
    page = filled_pages("scorecard", window="1h")
    assert ", against the 30 days before." in words(page)
    assert "f_window" not in [choice.key for choice in page.button_group]
    assert "f_window" in [choice.key for choice in filled_pages("intake").button_group]


def test_the_page_over_an_empty_store_says_how_to_begin(pages: Open) -> None:
    """The first minute after the installation."""
    page = pages("scorecard")
    assert list(page.exception) == []
    assert "No events yet" in words(page)


def test_while_the_store_is_away_the_page_says_so(pages: Open) -> None:
    """Nothing is lost, and no traceback."""
    session.close()
    page = pages("scorecard")
    assert list(page.exception) == []
    assert "The store does not answer since" in words(page)


def printed(title: str = "Order orchestration") -> report.Card:
    """A card with one workflow, a gap in its course, and a title of the test's choice."""
    days = [hours(24 * i) for i in (6, 5, 4, 1)]
    row = {
        "workflow": "o", "title": title, "owner": "order_desk", "owner_title": "order desk", "status": "off_target", "attainment": 0.975,
        "n": 400, "target": 0.99, "budget_left": -1.5, "attainment_before": 0.98, "n_before": 390, "change": -0.005, "n_opened": 3,
        "n_closed": 1, "n_open": 2, "oldest_s": 7200, "value": 12345.67, "recover_s": 3600, "n_recovered": 1,
    }  # fmt: skip
    part = {"part": "o", "title": title, "weight": 1.0, "score": 0.975, "n": 400, "typical_s": None, "change": -0.005}
    whole = [
        Composite(name, *scores.COMPOSITES[name], 0.975 if name == "synchronisation" else None, None, (part,))
        for name in scores.COMPOSITES
    ]  # fmt: skip
    return report.Card(
        period="week", since=hours(168), until=NOW, zone=UTC, filters=("region: EU-West",), currency="EUR", sentence="No: it is off target.",
        composites=tuple(whole), workflows=(row,), by_day={"o": [Point(d, "o", 0.97, 9) for d in days]},
        ageing=({"at": NOW, "position": 1, "bucket": "< 4 h", "n": 2, "worth": 0},), incidents=("<b>Dear</b> & cheap",),
    )  # fmt: skip


def test_the_print_view_loads_nothing_and_runs_nothing() -> None:
    """It must look the same in ten years, on a machine without a network."""
    text = report.html(printed())
    assert re.search(r"<script|<link|<img|@import|url\(|https?://|\son\w+=", text) is None
    assert "@page { size: A4" in text
    assert "<svg" in text


def test_the_print_view_escapes_what_comes_from_data() -> None:
    """A customer's name may hold anything."""
    text = report.html(printed("<script>alert(1)</script>"))
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "&lt;b&gt;Dear&lt;/b&gt; &amp; cheap" in text


def test_the_print_view_says_what_the_page_says() -> None:
    """The sentence, the word of the status, the period and the filter in force."""
    text = report.html(printed())
    for said in ("No: it is off target.", "■ Off target", "97.5 %", "overdrawn 2.5 x", "-0.5 points", "Only region: EU-West.", "EUR 12.3 k"):
        assert said in text


def test_a_day_without_data_is_a_gap_in_the_sparkline() -> None:
    """A line drawn over three days without data would claim that they went well."""
    assert [p.count("L") for p in report.spark(printed().by_day["o"], 0.99)] == [0, 2, 0]
    assert report.spark([], 0.99) == []


def test_the_csv_holds_unrounded_numbers_under_their_names() -> None:
    """Who downloads it wants to reckon."""
    rows = list(csv.DictReader(io.StringIO(report.table(printed()))))
    assert len(rows) == 1
    assert (rows[0]["attainment_share"], rows[0]["until"]) == ("0.975", "2026-11-23T12:00:00Z")
    assert (rows[0]["value_at_risk"], rows[0]["currency"], rows[0]["oldest_open_seconds"]) == ("12345.67", "EUR", "7200")


def test_a_young_scorecard_prints_the_ages_of_now_and_no_empty_chart() -> None:
    """One bar at the edge of a month looks broken."""
    text = report.html(printed())
    assert "&lt; 4 h: <b>2</b>" in text
    assert "Open exceptions by age, at the end" in text
    steps = tuple({"at": hours(24 * i), "position": 1, "bucket": "< 4 h", "n": i, "worth": 0} for i in range(4))
    assert "The tallest bar: 3 open" in report.html(replace(printed(), ageing=steps))


def test_the_csv_starts_no_formula() -> None:
    """A title that begins with = would run in a spreadsheet."""
    rows = list(csv.DictReader(io.StringIO(report.table(printed("=HYPERLINK(1)")))))
    assert rows[0]["title"] == "'=HYPERLINK(1)"
