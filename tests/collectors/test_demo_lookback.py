"""
The demo's past: troubles that were mended stand in the inbox as closed, owned, and in nobody's way today.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Signal

import pytest

from collectors.demo import enterprise
from collectors.demo.load import load_history
from collectors.demo.lookback import LookBack
from collectors.demo.orders import Wish, plan
from collectors.demo.troubles import LATEST_DAYS, Trouble, befall, troubles
from collectors.demo.truth import truth
from schema import exceptions, policy, state
from schema.governance import Catalogue, load
from schema.store import Store

# Where a demo keeps its store. That a server takes its history and finds its faults is test_truth.py's.
RUNS_ON = ["embedded"]
ANCHOR = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SEED, DAYS = 7, 13
NOW = int(ANCHOR.timestamp())
HOUR, DAY = 3600, 86_400
ALL = "SELECT code, fingerprint, detected_at, closed_at FROM exceptions FINAL ORDER BY ALL"
VERBS = "SELECT code, fingerprint, verb, actor, at FROM exception_verbs ORDER BY ALL"


@pytest.fixture(scope="module")
def demo_catalogue() -> Catalogue:
    return load(Path(enterprise.__file__).parent / "governance.toml")


@pytest.fixture(scope="module")
def past() -> tuple[Trouble, ...]:
    return troubles(NOW - DAYS * DAY, NOW)


@pytest.fixture(scope="module")
def looked_back(
    shared_store: Store, demo_catalogue: Catalogue, past: tuple[Trouble, ...], tmp_path_factory: pytest.TempPathFactory
) -> Store:
    """The look back as the demo does it, while a round of today stands in the inbox already."""
    policy.load(shared_store, demo_catalogue)
    data = tmp_path_factory.mktemp("demo")
    load_history(shared_store, SEED, ANCHOR, data=data, days=DAYS, catalogue=demo_catalogue)
    state.rebuild(shared_store)
    exceptions.detect(shared_store, ANCHOR)
    LookBack(shared_store, demo_catalogue, Signal(), idle=0).run(past, lambda n: None)
    return shared_store


def test_every_trouble_is_found_and_closed(looked_back: Store, past: tuple[Trouble, ...]) -> None:
    """What the detectors say of the past is what happened: as many kinds, within their time, and over."""
    rows = [row for row in looked_back.query(ALL) if row["closed_at"].year > 1970]
    spans = {code: (min(t.since for t in past if t.code == code), max(t.over_at for t in past if t.code == code))
             for code in {t.code for t in past}}  # fmt: skip

    assert len(past) == 2
    assert {row["code"] for row in rows} == set(spans)
    assert all(spans[row["code"]][0] <= row["detected_at"].timestamp() < row["closed_at"].timestamp() <= spans[row["code"]][1] + DAY
               for row in rows)  # fmt: skip


def test_people_took_them_up(looked_back: Store) -> None:
    """Time to own and who it was: without a verb the scorecard would say that nobody ever cared."""
    verbs = looked_back.query(VERBS)
    n = Counter(row["verb"] for row in verbs)

    assert {row["actor"] for row in verbs} == {"Ines Duarte", "Priya Raman"}
    assert n["acknowledge"] > 0
    assert n["confirm"] == looked_back.value("SELECT count() FROM exceptions FINAL WHERE closed_at > toDateTime64(0, 3, 'UTC')")
    assert max(row["at"] for row in verbs) < ANCHOR


def test_a_round_of_today_finds_what_it_found(looked_back: Store, demo_catalogue: Catalogue) -> None:
    """The past closes nothing that is open and opens nothing."""
    exceptions.detect(looked_back, ANCHOR)
    found = Counter(row["code"] for row in exceptions.find(looked_back, ANCHOR))
    expected: Counter[str] = Counter()
    for fault in truth(SEED, ANCHOR, DAYS, catalogue=demo_catalogue):
        expected[fault.code] += len(fault.object_ids)

    assert found == expected


def test_a_look_back_that_is_begun_again_adds_nothing(
    looked_back: Store, demo_catalogue: Catalogue, past: tuple[Trouble, ...]
) -> None:
    """A demo that was stopped in between goes on with the trouble that it had not kept yet."""
    before = looked_back.query(ALL), looked_back.query(VERBS)
    told: list[int] = []
    LookBack(looked_back, demo_catalogue, Signal(), idle=0).run(past, told.append, first=1)

    assert told == [2]
    assert (looked_back.query(ALL), looked_back.query(VERBS)) == before


@pytest.mark.parametrize("hour", range(0, 7 * 24, 11))
def test_every_trouble_is_over_a_week_before_the_anchor(hour: int) -> None:
    """On whatever day a demo is started, today's faults are as large as they are told."""
    anchor = NOW + hour * HOUR
    found = troubles(anchor - 30 * DAY, anchor)

    assert len(found) == 8
    assert all(t.since < t.until < t.over_at < anchor - LATEST_DAYS * DAY for t in found)


def test_what_is_late_is_late_as_a_whole() -> None:
    """An order that is released later is shipped, delivered and invoiced later, and in the same order."""
    placed_at = NOW - 10 * DAY
    usual, late = (plan(SEED, "SO0000001", placed_at, Wish("EU-North", is_calm=True, is_single=True)) for _ in range(2))
    at = usual.released_at or 0
    befall(late, (Trouble("ORD.RELEASE_LATE", at - 60, at + HOUR, warehouse=usual.warehouse.name),))
    by = (late.released_at or 0) - at

    assert by >= HOUR
    assert late.packed_at == usual.packed_at + by
    for one, other in zip(usual.shipments, late.shipments, strict=True):
        assert (other.confirmed_at, other.pod_at) == (one.confirmed_at + by, (one.pod_at or 0) + by)
        assert [m.at for m in other.moves] == [m.at + by for m in one.moves]
        assert one.invoice is not None
        assert other.invoice is not None
        assert other.invoice.paid_at == one.invoice.paid_at + by
