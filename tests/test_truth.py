"""
The product's promise, held against the simulated enterprise: every fault that was injected is found, with the right objects,
owner and cause, and nothing else is raised. The truth is computed in Python from what was told; the inbox from stored events.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest

from collectors.demo.faults import Fault
from collectors.demo.load import load_history
from collectors.demo.truth import truth
from schema import exceptions, governance, policy, state
from schema.governance import Catalogue
from schema.store import Store

SEED, DAYS = 7, 8
ANCHOR = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class World:
    store: Store
    catalogue: Catalogue
    truth: list[Fault]


@pytest.fixture(scope="module")
def demo_catalogue() -> Catalogue:
    with as_file(files("collectors.demo")) as here:
        return governance.load(here / "governance.toml")


@pytest.fixture(scope="module")
def world(shared_store: Store, demo_catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> World:
    policy.load(shared_store, demo_catalogue)
    load(shared_store, demo_catalogue, tmp_path_factory.mktemp("demo"), is_healthy=False)
    return World(shared_store, demo_catalogue, truth(SEED, ANCHOR, DAYS, catalogue=demo_catalogue))


def load(store: Store, catalogue: Catalogue, folder: Path, *, is_healthy: bool) -> None:
    load_history(store, SEED, ANCHOR, data=folder, days=DAYS, catalogue=catalogue, is_healthy=is_healthy)
    state.rebuild(store)
    exceptions.detect(store, ANCHOR)


def found(world: World) -> list[dict[str, Any]]:
    return exceptions.find(world.store, ANCHOR)


def subject(row: dict[str, Any]) -> str:
    """What an exception is about, in the truth's words: the object, else what the detector names."""
    if row["object_id"]:
        return str(row["object_id"])
    return str(row["fingerprint"] if row["code"] == "INT.UNMAPPED" else row["interface"])


def test_every_fault_is_found_and_nothing_else_is_raised(world: World) -> None:
    """A missed fault costs money, a false one costs trust: the two sets must be equal, code by code, object by object."""
    expected: dict[str, set[str]] = {}
    for fault in world.truth:
        expected.setdefault(fault.code, set()).update(fault.object_ids)
    actual: dict[str, set[str]] = {}
    for row in found(world):
        actual.setdefault(row["code"], set()).add(subject(row))
    assert expected == actual


def test_the_missing_proofs_are_two_hundred_and_forty_invoices(world: World) -> None:
    """The scenario that users named, with the number that they named."""
    waits = [i for i in exceptions.incidents(world.store, ANCHOR) if i["code"] == "BIL.MISSING_POD"]
    assert [(i["n"], i["region"], i["carrier"], i["owner"]) for i in waits] == [(240, "EU-West", "VELO", "carrier_desk")]
    assert (waits[0]["cause_interface"], waits[0]["cause_how"]) == ("carrier.VELO.pod", "silence")


def test_every_fault_has_its_owner(world: World) -> None:
    """An exception that is nobody's is nobody's work."""
    owners = {(f.code, id_): f.owner for f in world.truth for id_ in f.object_ids}
    assert owners == {(row["code"], subject(row)): row["owner"] for row in found(world)}


def test_a_fault_with_a_technical_cause_names_its_interface(world: World) -> None:
    """The join of the two halves: from the stale shipments and unreleased orders to the edge behind them."""
    causes = {(i["code"], i["carrier"], i["region"]): i for i in exceptions.incidents(world.store, ANCHOR)}
    stale = causes["SHP.STALE", "NRDX", "EU-North"]
    assert (stale["cause_interface"], stale["is_change_before"]) == ("carrier.NRDX.214", 1)
    assert "ParseError" in stale["cause_message"]
    late = next(i for key, i in causes.items() if key[0] == "ORD.RELEASE_LATE")
    assert late["cause_interface"] == "wms.release"


def test_what_an_interface_holds_up_counts_the_failures_that_left_no_span(world: World) -> None:
    """No call on the proof interface failed, and still 240 invoices wait behind it."""
    rows = world.store.query(
        """
        SELECT how, uniqExact(object_id) AS n FROM interface_impact(
            from = {from:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')}, scope = [])
        WHERE interface = 'carrier.VELO.pod' AND object_type = 'invoice' GROUP BY how
        """,
        {"from": ANCHOR.replace(hour=0), "as_of": ANCHOR},
    )
    assert rows == [{"how": "overdue", "n": 240}]


def test_the_state_of_the_whole_enterprise_equals_its_events(world: World) -> None:
    """The check that `milepost check --state` runs, on a month that has duplicates, late events and retractions."""
    assert state.drift(world.store) == []


def test_a_healthy_enterprise_raises_nothing(store: Store, demo_catalogue: Catalogue, tmp_path: Path) -> None:
    """Late files, re-deliveries, corrections and weekends are normal; an inbox that cries wolf is switched off."""
    policy.load(store, demo_catalogue)
    load(store, demo_catalogue, tmp_path, is_healthy=True)
    assert [(e["code"], subject(e), e["reason"]) for e in exceptions.find(store, ANCHOR)] == []
