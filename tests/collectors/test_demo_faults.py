"""
What is broken in the demo: as many objects as the story says, at whatever hour it begins, and none of them twice.

Why at several anchors: a demo is started on a Sunday night as well, when next to nothing moves.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import pytest

from collectors.demo import faults, truth
from collectors.demo.faults import Fault
from collectors.demo.telling import Call
from collectors.demo.world import World
from schema.governance import Catalogue, load

ANCHORS = {
    "a Monday afternoon": (7, datetime(2026, 11, 23, 15, 0, tzinfo=UTC)),
    "a Sunday before dawn": (7, datetime(2026, 11, 22, 4, 0, tzinfo=UTC)),
    "a Wednesday noon, another seed": (11, datetime(2026, 6, 17, 12, 30, tzinfo=UTC)),
    "New Year's night": (3, datetime(2027, 1, 1, 1, 0, tzinfo=UTC)),
}
SCENARIOS = {
    (0, "INT.CLOCK"), (0, "ORD.RELEASE_LATE"), (1, "INT.FAIL"), (1, "SHP.STALE"), (2, "BIL.MISSING_POD"), (3, "INV.DUP_ADJ"),
    (4, "SHP.CONFLICT"), (5, "SHP.STALLED"), (6, "BIL.PREMATURE"), (7, "INT.UNMAPPED"), (8, "INT.FAIL"), (9, "SHP.CONFLICT"),
    (10, "INT.RETRY"), (11, "SHP.STALE"), (12, "INT.MISSING_FEED"),
}  # fmt: skip
HOUR = 3600


@pytest.fixture(scope="module", params=ANCHORS.values(), ids=ANCHORS.keys())
def moment(request: pytest.FixtureRequest) -> tuple[int, datetime]:
    seed, anchor = request.param
    return seed, anchor


@pytest.fixture(scope="module")
def world(moment: tuple[int, datetime], catalogue: Catalogue) -> World:
    return World(*moment, catalogue=catalogue)


@pytest.fixture(scope="module")
def found(moment: tuple[int, datetime], catalogue: Catalogue) -> list[Fault]:
    return truth.truth(*moment, catalogue=catalogue)


@pytest.fixture(scope="module")
def calls(world: World) -> list[Call]:
    """The calls of the last hour."""
    stories = world.stories(world.anchor - 6 * 86_400, world.anchor)
    return [c for story in stories for c in story.calls if world.anchor - HOUR < c.at <= world.anchor]


def test_every_scenario_is_there_with_objects(found: list[Fault]) -> None:
    """A scenario without an object would pass every test of a detector that finds nothing."""
    assert {(f.scenario, f.code) for f in found} == SCENARIOS
    assert all(f.object_ids and f.cause for f in found)


def test_exactly_240_invoices_wait_for_their_proof(found: list[Fault]) -> None:
    """The number that users named, whatever the day's own volume."""
    blocked = next(f for f in found if f.scenario == 2)

    assert len(set(blocked.object_ids)) == 240
    assert (blocked.owner, blocked.region, blocked.carrier) == ("carrier_desk", "EU-West", "VELO")


def test_no_object_stands_in_two_faults(found: list[Fault]) -> None:
    """Faults that bleed into one another cannot tell which detector is wrong."""
    on_objects = [f for f in found if f.column == "object_id"]
    for one, other in combinations(on_objects, 2):
        assert not set(one.object_ids) & set(other.object_ids), (one.code, other.code)


def test_counted_faults_have_their_number(found: list[Fault]) -> None:
    """Faults made of the latest so many orders do not depend on the hour."""
    n = {(f.scenario, f.code): len(f.object_ids) for f in found}

    assert n[5, "SHP.STALLED"] == 1
    assert n[9, "SHP.CONFLICT"] == faults.N_STALE_ALLOCATIONS
    assert faults.N_ABSENT <= n[4, "SHP.CONFLICT"] <= 2 * faults.N_ABSENT
    assert faults.N_PREMATURE <= n[6, "BIL.PREMATURE"] <= 2 * faults.N_PREMATURE


def test_no_shipment_is_stale_but_those_of_the_truth(world: World, found: list[Fault], catalogue: Catalogue) -> None:
    """The other faults leave shipments in flight that must look alive: conflicts, premature invoices, unmapped codes."""
    known = {id_ for f in found if f.code == "SHP.STALE" for id_ in f.object_ids}
    stale = set()
    for order in world.orders(world.anchor - 25 * 86_400):
        said = list(truth.told(world.tell(order).said, world.anchor))
        stale |= {s.number for s in order.shipments if truth.is_stale(catalogue, s, said, world.anchor)}

    assert stale == known


def test_failing_interfaces_fail_and_no_others(calls: list[Call], catalogue: Catalogue) -> None:
    """More than the allowed share and number of messages of the last hour end in an error, at the two interfaces told."""
    last: dict[tuple[str, str], Call] = {}
    for call in sorted(calls, key=lambda c: (c.at, c.attempt)):
        last[call.interface, call.message] = call
    n, failed = defaultdict(int), defaultdict(int)
    for (interface, _), call in last.items():
        n[interface] += 1
        failed[interface] += bool(call.error)
    share = catalogue.tolerances["interface_error_share"].target
    least = catalogue.tolerances["interface_min_failures"].target
    failing = {i for i in n if failed[i] >= least and failed[i] > share * n[i]}

    assert failing == {"carrier.NRDX.214", "erp.orders.export"}
    assert {i for i in n if failed[i]} == failing


def test_retries_accumulate_at_one_interface_without_an_error(calls: list[Call], world: World) -> None:
    """Attempts pile up in the last half hour, all of them throttled, and every message gets through."""
    recent = [c for c in calls if c.at > world.anchor - HOUR / 2 and c.interface == "carrier.QKPK.214"]
    messages = {c.message for c in recent}

    assert not any(c.error for c in recent)
    assert len(recent) > 1.5 * len(messages)
    assert len(recent) - len(messages) >= 5
    assert max(c.attempt for c in recent) == 4


def test_the_truth_is_kept_beside_the_store(found: list[Fault], moment: tuple[int, datetime], tmp_path: Path) -> None:
    """The end-to-end test and the live part read it back from the file."""
    kept = json.loads(truth.write([f.as_dict() for f in found], tmp_path / "demo", *moment).read_text("utf-8"))

    assert (kept["seed"], datetime.fromisoformat(kept["anchor"])) == moment
    assert [f["object_ids"] for f in kept["faults"]] == [list(f.object_ids) for f in found]


def test_the_governance_of_the_demo_names_every_interface_and_feed() -> None:
    """An interface without an entry has no owner, and a source without one is not watched for silence."""
    anchor = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    catalogue = load(Path(faults.__file__).parent / "governance.toml")
    world = World(7, anchor, 2, catalogue=catalogue)
    stories = list(world.stories())

    assert {c.interface for s in stories for c in s.calls} <= set(catalogue.interfaces)
    assert {s.teller.source for story in stories for s in story.said} <= set(catalogue.feeds)
