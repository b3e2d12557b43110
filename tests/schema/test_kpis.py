"""
Every KPI against its case file, and what all KPI files owe their one reader.

Why a contract test over all of them: one tile, one chart and one snapshot job read every KPI, so a column of another type or a
literal threshold in one file is a fault of the product and not of that file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schema import definitions
from schema.definitions import KPI_PARAMS, Kpi
from schema.governance import Catalogue
from schema.kpi import ARGUMENTS
from schema.store import Store, quote
from tests.parts.stock import Stock
from tests.schema import cases
from tests.schema.cases import Case
from tests.schema.folded import Folded, check_folded
from tests.schema.folded import folded as folded_of

KPIS = definitions.kpis().values()
FOLDER = Path(__file__).parents[1] / "kpis"
COLUMNS = [("bucket", "DateTime64(3, 'UTC')"), ("series", "String"), ("value", "Float64"), ("n", "UInt64")]
START = datetime(2026, 11, 2, tzinfo=UTC)
# What may stand in a KPI's text: nothing and one, the quantiles that its definition names, and the units that clocks count in.
NUMBERS = {"0", "0.", "1", "0.5", "0.9", "0.95", "1000", "1000000000"}
# Comments, strings and parameters, and 1970: what of a text is no number of its own.
FURNITURE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.)*'|\{\w+:[^}]*\}|toDateTime64\(0, 3,", re.S)
CLOCKS = re.compile(r"\b(now|now64|today|yesterday|nowInBlock|utc_timestamp|current_timestamp)\s*\(", re.I)


@pytest.fixture(scope="module")
def folded(stock: Stock, catalogue: Catalogue) -> Iterator[Folded]:
    """The state of all cases here, from one round."""
    yield from folded_of(stock, catalogue, [parameter.values[0] for parameter in cases.find("kpi")])


@pytest.mark.parametrize("case", cases.find("kpi"))
def test_a_kpi_answers_as_its_case_says(store: Store, catalogue: Catalogue, folded: Folded, case: Case) -> None:
    """The rows beside the number are the only proof that the number means what its definition says."""
    cases.check(store, catalogue, case, folded, kind="kpi")


def test_the_state_of_a_case_is_the_one_that_it_has_alone(
    store: Store, stock: Stock, catalogue: Catalogue, folded: Folded
) -> None:
    """Cases are folded together and answered alone; what one had of another would make every number here worthless."""
    found = [parameter.values[0] for parameter in cases.find("kpi")]
    among = stock.take()
    check_folded(store, among, catalogue, folded, max(found, key=lambda case: str(case.given).count("related")))
    stock.give(among)


def test_every_kpi_has_a_case_file_and_no_file_is_left_over() -> None:
    """A KPI that nobody can check is a number that nobody can trust."""
    assert sorted(definitions.kpis()) == sorted(file.name.removesuffix(".toml") for file in FOLDER.glob("*.toml"))


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.name)
def test_a_case_file_holds_the_cases_that_break_numbers(kpi: Kpi) -> None:
    """No data, a copy, a cut and a filter everywhere; where events are counted also a late one and a retracted one."""
    found = cases.read(FOLDER / f"{kpi.name}.toml")
    rows = [row for case in found for rows in case.given.values() for row in rows]
    held = {
        "no data": any(case.expect == [] for case in found),
        "a copy": any(row.get("copies", 1) > 1 for row in rows),
        "a cut": any(case.ask.get("by") for case in found),
        "a filter": any(case.ask.get("scope") for case in found),
    }
    if any("events" in case.given for case in found):
        held["a late one"] = any({"received_at", "ingested_at"} & set(row) for row in rows)
        held["a retracted one"] = any(row.get("is_retracted") for row in rows)
    assert [what for what, is_held in held.items() if not is_held] == []


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.name)
def test_an_empty_store_has_no_data_and_the_right_columns_by_every_cut(shared_store: Store, kpi: Kpi) -> None:
    """No data is no row, never 0 % or 100 %; one reader serves all, so names and types are the same everywhere."""
    for by in ("", *kpi.header.by):
        sql = f"FROM {quote(kpi.view)}({ARGUMENTS})"
        asked = {"from": START, "to": START + timedelta(days=1), "as_of": START + timedelta(days=1)}
        params = {f"ask_{name}": value for name, value in {**asked, "bucket_s": 3600, "by": by, "scope": []}.items()}
        assert cases.answer(shared_store, f"SELECT * {sql}", params) == (COLUMNS, []), by


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.name)
def test_a_kpi_takes_all_six_parameters(kpi: Kpi) -> None:
    """A view that leaves one out refuses it, and the one reader would need to know which."""
    assert [name for name, type_ in KPI_PARAMS.items() if f"{{{name}:{type_}}}" not in kpi.sql] == []


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.name)
def test_no_limit_or_target_is_written_into_a_kpi(kpi: Kpi) -> None:
    """Policy is data: a threshold in a text is one that the catalogue cannot change."""
    bare = FURNITURE.sub(" ", kpi.sql)
    assert sorted(set(re.findall(r"(?<![\w.])\d[\d_]*\.?\d*", bare)) - NUMBERS) == []
    assert "INTERVAL" not in kpi.sql


def test_no_view_reads_a_clock() -> None:
    """`as_of` is a parameter, so that every number can be asked again as it was."""
    assert [name for name, sql in definitions.views().items() if CLOCKS.search(re.sub(r"--[^\n]*", "", sql))] == []


def test_events_of_a_window_are_read_by_time(store: Store) -> None:
    """Without the projection every tile over events would read the whole history."""
    store.command(
        """
        INSERT INTO events (event_id, occurred_at, ingested_at, object_type, object_id)
        SELECT
            toString(number), {start:DateTime64(3, 'UTC')} + toIntervalMinute(number) AS at, at, 'order', toString(number % 100)
        FROM numbers(20000)
        """,
        {"start": START},
    )
    plan = store.query(
        """
        EXPLAIN SELECT * FROM said(
            from = {start:DateTime64(3, 'UTC')}, to = {end:DateTime64(3, 'UTC')}, as_of = {end:DateTime64(3, 'UTC')},
            by = '', scope = [])
        """,
        {"start": START, "end": START + timedelta(days=1)},
    )
    assert any("ReadFromMergeTree (by_time)" in row["explain"] for row in plan), plan
