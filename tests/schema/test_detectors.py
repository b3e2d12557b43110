"""
Every detector against its case file, and what all detector files owe their one reader, the fold into the inbox.

Why a contract test over all of them: one INSERT reads every detector, so a column of another type or a threshold that is not
the catalogue's would be a fault of the whole inbox and not of one file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from string import Formatter

import pytest

from schema import definitions
from schema.definitions import DETECTOR_COLUMNS, Detector
from schema.governance import Catalogue
from schema.store import Store, quote
from tests.parts.stock import Stock
from tests.schema import cases
from tests.schema.cases import Case
from tests.schema.folded import Folded
from tests.schema.folded import folded as folded_of

AS_OF = {"as_of": datetime(2026, 11, 2, 12, tzinfo=UTC)}
TYPES = {"began_at": "DateTime64(3, 'UTC')", "value": "Float64"}
SENTENCE_FIELDS = {
    "n", "value", "oldest", "owner", "region", "carrier", "warehouse", "customer", "interface", "place", "reason", "object",
}  # fmt: skip
# Counting from one, positions in tuples, and units of time; anything else in a detector would be a threshold.
NEUTRAL_NUMBERS = {*range(17), 60, 1000, 3600}
DETECTORS = [pytest.param(d, id=code) for code, d in definitions.detectors().items()]


@pytest.fixture(scope="module")
def folded(stock: Stock, catalogue: Catalogue) -> Iterator[Folded]:
    """The state of all cases here, from one round."""
    yield from folded_of(stock, catalogue, [parameter.values[0] for parameter in cases.find("detector")])


@pytest.mark.parametrize("case", cases.find("detector"))
def test_a_detector_finds_what_its_case_says(store: Store, catalogue: Catalogue, folded: Folded, case: Case) -> None:
    """The rows beside an exception are the only proof that it means what its definition says."""
    cases.check(store, catalogue, case, folded, kind="detector")


def test_every_exception_of_the_catalogue_has_a_detector_and_every_detector_its_cases(catalogue: Catalogue) -> None:
    """An exception without a rule is a promise nobody keeps; a rule without cases is one nobody has checked."""
    told = {param.values[0].name for param in cases.find("detector")}
    assert set(catalogue.exceptions) == set(definitions.detectors()) == told


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_detector_has_exactly_the_columns_of_the_inbox(shared_store: Store, detector: Detector) -> None:
    """A Nullable or a missing column would stop the one INSERT that all detectors share."""
    rows = shared_store.query(f"DESCRIBE (SELECT * FROM {_asked(detector)})", AS_OF)
    expected = [(name, TYPES.get(name, "String")) for name in DETECTOR_COLUMNS]
    assert expected == [(row["name"], row["type"]) for row in rows]


@pytest.mark.parametrize("detector", DETECTORS)
def test_an_empty_store_raises_nothing(shared_store: Store, detector: Detector) -> None:
    """No data is no data: a fresh installation must not begin with an alarm."""
    rows = shared_store.query(f"SELECT * FROM {_asked(detector)}", AS_OF)
    assert not rows


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_detector_asks_no_clock_and_sets_no_threshold(detector: Detector) -> None:
    """What it finds can be replayed for any as_of, and policy is changed in the catalogue alone."""
    code = re.sub(r"--[^\n]*|'[^']*'|DateTime64\(\d", "", detector.sql)
    assert not re.findall(r"\b(?:now|now64|today|yesterday|rand\w*)\s*\(", code)
    assert {"as_of"} == set(re.findall(r"\{(\w+):", detector.sql))
    numbers = {float(n) for n in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", code)}
    assert numbers <= NEUTRAL_NUMBERS, f"{detector.code}: {sorted(numbers - NEUTRAL_NUMBERS)}"


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_detector_reads_only_tolerances_that_the_catalogue_has(catalogue: Catalogue, detector: Detector) -> None:
    """A name that nobody defines would be a limit of zero, and everything would be wrong at once."""
    named = re.findall(r"gov_tolerances WHERE name = '(\w+)'", detector.sql)
    assert len(named) == detector.sql.count("gov_tolerances")
    assert set(named) <= set(catalogue.tolerances)


@pytest.mark.parametrize("detector", DETECTORS)
def test_the_sentence_of_an_incident_uses_known_fields_and_the_action_is_one_sentence(detector: Detector) -> None:
    """The inbox fills the template; a field that it does not know would stop the page."""
    fields = {name for _, name, _, _ in Formatter().parse(detector.header.sentence) if name is not None}
    assert fields
    assert fields <= SENTENCE_FIELDS
    assert detector.header.action.endswith(".")


def test_no_shipment_is_both_stale_and_stalled(store: Store, catalogue: Catalogue) -> None:
    """One thing that is wrong is one exception, whatever its mode, its state, its value and its age."""
    states = ("at_pickup", "loaded", "in_transit", "at_hub", "customs", "at_delivery")
    events = [
        {"object": f"shipment {mode}-{state}-{amount}-{day}", "state": state, "mode": mode, "amount": amount, "currency": "EUR",
         "at": f"2026-{day}T06:00:00Z"}
        for mode in ("ftl", "ltl", "ocean", "")
        for state in states
        for amount in (100, 50_000)
        for day in ("10-28", "10-31", "11-01", "11-02")
    ]  # fmt: skip
    cases.load(store, catalogue, Case("SHP.STALE", "grid", {"events": events}, {}, []))
    stale, stalled = (_found(store, code) for code in ("SHP.STALE", "SHP.STALLED"))
    assert stale and stalled  # noqa: PT018 one claim: the grid has both
    assert not stale & stalled
    sql = "SELECT object_id FROM shipments(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [], by = '') WHERE is_stale"
    assert {row["object_id"] for row in store.query(sql, AS_OF)} <= stale | stalled


def _found(store: Store, code: str) -> set[str]:
    rows = store.query(f"SELECT object_id FROM {_asked(definitions.detectors()[code])}", AS_OF)
    return {row["object_id"] for row in rows}


def _asked(detector: Detector) -> str:
    return f"{quote(detector.view)}(as_of = {{as_of:DateTime64(3, 'UTC')}})"
