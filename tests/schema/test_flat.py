"""
Flat statements: the text of every view in its place, and the same answer as by the view.

Why every view over the rows of all cases: what is asked flat is what pages show, what is asked by the view is what everybody else
sees, and neither may say what the other does not.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from schema import definitions, exceptions
from schema.errors import BadDefinition
from schema.flat import PARAMETER, asked, flat
from schema.governance import Catalogue
from schema.store import Store, quote
from tests.schema import cases

AS_OF = datetime(2026, 11, 3, tzinfo=UTC)
# What each parameter is asked with; one that a new view brings has to be added.
ASKED: dict[str, Any] = {
    "as_of": AS_OF, "from": datetime(2026, 11, 1, tzinfo=UTC), "to": AS_OF, "since": datetime(2026, 10, 1, tzinfo=UTC),
    "scope": ["region=EU-West", "region=EU-East", "region=NL"], "by": "region", "bucket_s": 43_200, "type": "shipment", "what": "stages",
    "moment": AS_OF, "me": "ada", "interface": "erp.invoice", "trace": "a1", "traces": ["a1", "a2"], "key": "", "service": "",
    "is_error": False, "min_s": 0.0, "most": 100, "before": datetime(2026, 10, 30, tzinfo=UTC), "length_s": 172_800,
}  # fmt: skip


@pytest.fixture(scope="module")
def filled(shared_store: Store, catalogue: Catalogue) -> Store:
    """The rows of every case file in one store, and the exceptions that hold there."""
    cases.load(shared_store, catalogue, cases.together("kpi", "detector"))
    exceptions.detect(shared_store, AS_OF)
    return shared_store


def _calls() -> list[Any]:
    return [pytest.param(name, id=name) for name, sql in definitions.views().items() if PARAMETER.search(sql)]


@pytest.mark.parametrize("name", _calls())
def test_a_view_and_its_flat_text_say_the_same(filled: Store, name: str) -> None:
    """By what pages ask with, and with no scope and no cut."""
    for given in (ASKED, ASKED | {"scope": [], "by": "", "type": "order", "what": "workflows"}):
        sql, params = _question("*", name, given)
        assert flat(sql) != sql
        with filled._client("read") as client:
            by_view = list(client.query(sql, parameters=params, tz_mode="aware").named_results())
        assert _rows(filled.query(sql, params)) == _rows(by_view)


def test_views_say_something_over_these_rows(filled: Store) -> None:
    """Two answers without rows would be equal whatever stands in them."""
    silent = []
    for name in definitions.facts():
        if not filled.value(*_question("count()", name, ASKED | {"scope": [], "by": ""})):
            silent.append(name)
    # What is made of raw spans and of our own runs, of which the cases hold none, and what is open on one interface.
    of_spans = {
        "found_traces", "trace_links", "trace_logs", "trace_objects", "trace_spans", "trace_summaries", "edge_course", "edge_messages", "own_acts",
    }  # fmt: skip
    assert set(silent) <= of_spans | {"jobs", "freshness", "failing_interfaces", "edge_exceptions"}


def _question(what: str, name: str, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A statement that asks a view by its parameters, and their values."""
    parameters = dict(PARAMETER.findall(definitions.views()[name]))
    arguments = ", ".join(f"{parameter} = {{ask_{parameter}:{type_}}}" for parameter, type_ in parameters.items())
    call = f"({arguments})" if parameters else ""
    return f"SELECT {what} FROM {quote(name)}{call}", {f"ask_{parameter}": given[parameter] for parameter in parameters}


def _rows(found: list[dict[str, Any]]) -> list[str]:
    return sorted(repr([f"{v:.9g}" if isinstance(v, float) else v for v in row.values()]) for row in found)


def test_no_name_in_a_with_is_that_of_a_table_or_view(filled: Store) -> None:
    """Within flat text it would be taken for the table by every view that is named there."""
    tables = {row["name"] for row in filled.query("SELECT name FROM system.tables WHERE database = currentDatabase()")}
    named = {
        (name, found)
        for name, sql in definitions.views().items()
        for found in re.findall(r"(?:WITH|,)\s+(\w+) AS (?:MATERIALIZED\s*)?\(\s*SELECT", re.sub(r"--[^\n]*", "", sql))
    }
    assert {found for found in named if found[1] in tables} == set()


@pytest.mark.parametrize("scope", [[], ["region=EU-West"], ["region=EU-West", "customer=C1", "strict="]])
@pytest.mark.parametrize("by", ["", "carrier", "workflow"])
def test_conditions_on_other_cuts_are_left_out_and_say_nothing(filled: Store, scope: list[str], by: str) -> None:
    """What the parameters do not ask for is true of every row, and the cut is the one column."""
    sql = "SELECT * FROM shipments(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})"
    params = {"as_of": AS_OF, "scope": scope, "by": by}
    text = asked(sql, params)
    assert "milepost_cut" not in text
    assert "milepost_in" not in text
    assert text.count("has({scope:Array(String)}") == sum(item != "strict=" for item in scope)
    with filled._client("read") as client:
        whole = list(client.query(flat(sql), parameters=params, tz_mode="aware").named_results())
    assert filled.query(sql, params) == whole


# --- the text ------------------------------------------------------------------------------------------------------------
def test_arguments_take_the_place_of_parameters() -> None:
    """A parameter stays a parameter under the caller's name, and is never text; anything else takes the type that it must have."""
    text = flat("SELECT 'FROM returns(' FROM returns(as_of = {now:DateTime64(3, 'UTC')}, scope = [], by = 'carrier') -- FROM orders(\n")
    assert "{now:DateTime64(3, 'UTC')}" in text
    assert "CAST([] AS Array(String))" in text
    assert "milepost_cut('carrier', tenant, region" in text
    assert text.startswith("SELECT 'FROM returns(' FROM (")
    assert not re.search(r"\{(as_of|scope|by):|--|\breturns\(as_of|\bobjects\(", text)


def test_what_writes_is_not_touched() -> None:
    """A view is created as its file says it, comments and all."""
    sql = "CREATE OR REPLACE VIEW x AS -- why\nSELECT * FROM returns(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [], by = '')"
    assert asked(sql, {}) == sql


def test_what_is_no_view_stays() -> None:
    """Tables, functions and subqueries are the engine's."""
    sql = "SELECT * FROM numbers(3) AS n JOIN (SELECT 1) AS x ON true WHERE f = 'it''s'"
    assert flat(sql) == sql


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')})", "inbox is called without scope"),
        ("SELECT * FROM inbox(as_of = (1, scope = []", "no closing parenthesis behind 'SELECT \\* FROM inbox\\('"),
    ],
)
def test_a_call_that_cannot_be_made_flat_says_why(sql: str, words: str) -> None:
    """A parameter that is left over would be asked of the caller's own."""
    with pytest.raises(BadDefinition, match=words):
        flat(sql)
