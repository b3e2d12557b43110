"""
Numbers: every KPI and detector as its file says, with its value and its target.

Why a test over the files: documentation that a page repeats rots; a page that must name every file cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import charts_numbers, parts_numbers, queries_numbers, session
from schema import definitions, kpi
from schema.governance import Catalogue
from schema.kpi import Point
from schema.store import Store
from tests.dashboard.conftest import words

Open = Callable[..., AppTest]
# What a page says of its answers is no engine's. Every read is asked on both in test_limits.py, every KPI in test_kpis.py.
RUNS_ON = ["embedded"]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KPIS, DETECTORS = sorted(definitions.kpis()), sorted(definitions.detectors())


@pytest.fixture
def opened(store: Store, catalogue: Catalogue) -> Iterator[Store]:
    """The store of this test as the pages' own."""
    st.cache_data.clear()
    session.open(store, catalogue)
    yield store
    session.close()


# --- every file is on the page -------------------------------------------------------------------------------------------------
def test_the_page_names_every_kpi_and_every_detector_file(pages: Open) -> None:
    """A new file is on the page without a line here."""
    page = pages("numbers")
    assert list(page.exception) == []
    assert sorted(page.dataframe[0].value["Name"]) == KPIS
    assert sorted(page.dataframe[1].value["Code"]) == DETECTORS


@pytest.mark.parametrize("name", KPIS)
def test_a_kpi_is_shown_with_its_words_its_sql_and_where_its_target_stands(filled_pages: Open, name: str) -> None:
    """Definition, view, inputs, unit, direction, target and its key in the catalogue."""
    page = filled_pages("numbers", kpi=name)
    assert list(page.exception) == []
    one, said = definitions.kpis()[name], words(page)
    assert one.header.definition in said
    assert f"`tolerances.{one.header.target}`" in said
    assert parts_numbers.GOOD[one.header.good] in said
    assert one.sql in [c.value for c in page.code]


@pytest.mark.parametrize("code", DETECTORS)
def test_a_detector_is_shown_with_its_sentence_its_action_and_its_owner(pages: Open, code: str) -> None:
    """Rule, sentence, what to do, whose, how severe, in which words and by which SQL."""
    page = pages("numbers", detector=code)
    assert list(page.exception) == []
    one, said = definitions.detectors()[code], words(page)
    policy = session.catalogue().exceptions[code]
    for text in (one.header.definition.strip(), one.header.sentence, one.header.action, session.team(policy.owner), f"`exceptions.{code}`"):
        assert text in said
    assert one.sql in [c.value for c in page.code]


def test_the_inputs_of_a_definition_are_views_and_the_tables_under_them() -> None:
    """What it defines itself and what it only joins as an array are no inputs."""
    sql = "WITH own AS (SELECT 1) SELECT * FROM own JOIN shipments(as_of = 1) AS s ON 1 ARRAY JOIN objects AS o -- FROM nowhere"
    said = parts_numbers.inputs(sql)
    assert said.startswith("`shipments`, which reads ")
    assert "`object_state`" in said
    assert "`gov_tolerances`" in said
    for stranger in ("own", "nowhere"):
        assert f"`{stranger}`" not in said


# --- values ----------------------------------------------------------------------------------------------------------------------
def test_the_overview_holds_the_last_snapshot_and_its_course(opened: Store) -> None:
    """The newest minute counts, cuts and older days do not."""
    columns = ("kpi", "by", "at", "series", "value", "n", "ver")
    rows = [("slo_attainment", "", NOW - timedelta(minutes=m), "", v, 9, 1) for m, v in ((1, 0.99), (40, 0.95), (2000, 0.1))]
    opened.insert("kpi_snapshots", columns, [*rows, ("slo_attainment", "region", NOW, "EU-West", 0.5, 9, 1)])
    found = queries_numbers.latest(NOW)
    assert list(found) == ["slo_attainment"]
    assert (found["slo_attainment"]["value"], found["slo_attainment"]["at"]) == (0.99, NOW - timedelta(minutes=1))
    assert found["slo_attainment"]["course"] == [0.95, 0.99]


def test_a_kpi_by_cut_is_told_the_worst_first(opened: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worst is high for a latency and low for an attainment."""
    points = [Point(NOW, s, v, 9) for s, v in (("a", 2.0), ("b", 3.0), ("c", 1.0))]
    monkeypatch.setattr(kpi, "headline", lambda *_, **__: points)
    assert [p.series for p in queries_numbers.headline(NOW, (), "release_latency", 3600, "region")] == ["b", "a", "c"]
    assert [p.series for p in queries_numbers.headline(NOW, (), "slo_attainment", 3600, "region")] == ["c", "a", "b"]


def test_a_gap_in_the_course_is_a_gap_and_the_filling_bucket_is_hollow() -> None:
    """A line over three hours without data would claim that they were measured."""
    at = [NOW + timedelta(hours=h) for h in (0, 1, 5)]
    points = [Point(t, "", 7200.0, 3, is_partial=i == 2) for i, t in enumerate(at)]
    figure = charts_numbers.trend(points, 3600, "seconds", 3600, UTC, "EUR")
    assert figure["data"][0]["y"] == [2.0, 2.0, None, 2.0], "in hours"
    assert figure["data"][0]["marker"]["symbol"] == ["circle", "circle", "circle", "circle-open"]
    assert figure["layout"]["shapes"][0]["y0"] == 1.0


def test_what_a_detector_has_open_is_counted_under_the_filters(filled_pages: Open) -> None:
    """The number beside the rule is the number of the inbox."""
    table = filled_pages("numbers").dataframe[1].value.set_index("Code")
    assert table["Open now"]["INT.FAIL"] == 1
    assert table["Open now"].sum() > 1


# --- what is not there -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("params", "said"), [({"kpi": "nonsense"}, "No KPI is called"), ({"detector": "X.Y"}, "No detector is called")])
def test_a_name_that_no_file_has_is_a_sentence_with_those_that_exist(pages: Open, params: dict[str, str], said: str) -> None:
    """A link may be older than a rename."""
    page = pages("numbers", **params)
    assert list(page.exception) == []
    assert said in words(page)


@pytest.mark.parametrize("params", [{"cut": "nonsense"}, {"region": ["nowhere"]}, {"as_of": "2020-01-01T00:00:00Z"}])
def test_a_kpi_without_data_is_no_data_and_no_zero(filled_pages: Open, params: dict[str, object]) -> None:
    """A filter that leaves nothing, a moment before anything, a cut that it does not have."""
    page = filled_pages("numbers", kpi="slo_attainment", **params)
    assert list(page.exception) == []
    if "cut" not in params:
        assert "○ No data" in words(page)


def test_while_the_store_is_away_the_page_says_so(pages: Open) -> None:
    """The definitions are files, their values are not."""
    session.close()
    page = pages("numbers", kpi="slo_attainment")
    assert list(page.exception) == []
    assert "The store does not answer since" in words(page)
