"""
The reader of KPIs: headlines, buckets, trends, snapshots and status; and what must hold for every KPI whatever its rows.

Why over the rows of all case files at once: each of them is odd in its own way (copies, corrections, retractions, late and
open ones), and together on the same objects they are odder than anything one would write for a property.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schema import definitions, events, kpi, state
from schema.errors import BadConfig
from schema.governance import Catalogue
from schema.kpi import Point
from schema.store import Store
from tests.parts.rows import INGESTED_AT
from tests.parts.stock import Stock
from tests.schema import cases
from tests.schema.cases import Case

START = datetime(2026, 11, 2, tzinfo=UTC)
DAY = timedelta(days=1)
NOON = START + DAY / 2
WINDOW: dict[str, Any] = {"start": START, "end": START + DAY, "as_of": START + DAY}
WINDOW_KPIS = [name for name, found in definitions.kpis().items() if found.header.shape == "window"]


@pytest.fixture(scope="module")
def filled(shared_store: Store, catalogue: Catalogue) -> Store:
    """The rows of every case file in one store."""
    cases.load(shared_store, catalogue, cases.together("kpi"))
    return shared_store


@dataclass(frozen=True, slots=True)
class Snapped:
    """A store with snapshots, and how many points each of the two of noon kept."""

    store: Store
    noon: tuple[int, int]


@pytest.fixture(scope="module")
def snapped(stock: Stock, catalogue: Catalogue) -> Iterator[Snapped]:
    """
    Two shipments on the road since 07:00 and 10:00, one a region; an ftl shipment is stale after 4 h. Kept at 10:00, at 10:59
    and twice at noon: the job may run twice for a minute, after a restart for example.
    """
    said = [
        {"object": "shipment S1", "state": "departed", "at": "2026-11-02T07:00:00Z", "mode": "ftl", "region": "EU-West"},
        {"object": "shipment S2", "state": "departed", "at": "2026-11-02T10:00:00Z", "mode": "ftl", "region": "EU-East"},
    ]
    store = stock.take()
    cases.load(store, catalogue, Case("status_staleness", "two", {"events": said}, {}, []))
    for minutes in (0, 59):
        kpi.snapshot(store, START + timedelta(hours=10, minutes=minutes))
    yield Snapped(store, (kpi.snapshot(store, NOON), kpi.snapshot(store, NOON)))
    stock.give(store)


# --- for every KPI -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", WINDOW_KPIS)
def test_a_bucket_says_what_a_headline_asked_at_its_end_would_have_said(filled: Store, name: str) -> None:
    """So a trend can be trusted: its points are the tile as it stood, open items and all."""
    width = timedelta(hours=8)
    buckets = kpi.read(filled, name, start=START, end=START + DAY, as_of=START + DAY, bucket_s=8 * 3600)
    starts = [START + i * width for i in range(3)]
    headlines = [p for at in starts for p in kpi.headline(filled, name, start=at, end=at + width, as_of=at + width)]
    assert buckets == headlines
    assert buckets, "the rows of all cases hold something for every KPI"


def test_everything_sent_again_in_another_order_changes_no_kpi(store: Store, filled: Store) -> None:
    """A replay changes nothing: what was added up from arrivals would show here."""
    columns = ", ".join(f"`{column}`" for column in events.COLUMNS)
    rows = [list(row.values()) for row in filled.query(f"SELECT {columns} FROM events")]
    rows.sort(key=lambda row: str(row[events.COLUMNS.index("event_id")]), reverse=True)
    store.insert("events", events.COLUMNS, rows)
    state.refresh(store, since=state.EPOCH)
    later = [[v + timedelta(days=1) if i == INGESTED_AT else v for i, v in enumerate(row)] for row in rows]
    before = _headlines(store)
    for batch in (later[::2], later[1::2], later[::-1]):
        store.insert("events", events.COLUMNS, batch)
        state.refresh(store, since=state.EPOCH)
    assert before == _headlines(store)
    assert len(before) > 10


def _headlines(store: Store) -> dict[str, list[Point]]:
    found = {name: kpi.headline(store, name, **WINDOW) for name in definitions.kpis()}
    return {name: points for name, points in found.items() if points}


# --- reading -----------------------------------------------------------------------------------------------------------
def test_a_headline_is_one_point_a_series_over_the_whole_window(filled: Store) -> None:
    """A ratio of a day is not the mean of the ratios of its hours."""
    hours = kpi.read(filled, "observability_coverage", **WINDOW, bucket_s=3600)
    (day,) = kpi.headline(filled, "observability_coverage", **WINDOW)
    assert (day.bucket, day.series, day.n) == (START, "", sum(p.n for p in hours))
    assert day.value == pytest.approx(sum(p.value * p.n for p in hours) / day.n)


@pytest.mark.parametrize(
    ("name", "by", "words"),
    [
        ("on_time", "", "KPI 'on_time' is unknown; known: backlog_by_stage,"),
        ("pod_latency", "stage", "pod_latency has no cut 'stage'"),
    ],
)
def test_an_unknown_kpi_or_cut_is_told_what_is_known(store: Store, name: str, by: str, words: str) -> None:
    """A cut that a view does not know would silently be one series without a name."""
    with pytest.raises(BadConfig, match=words):
        kpi.headline(store, name, **WINDOW, by=by)


@pytest.mark.parametrize(("end", "bucket_s"), [(START, 60), (START + DAY, 0)])
def test_a_window_without_extent_is_refused(store: Store, end: datetime, bucket_s: int) -> None:
    """A division by zero in the store would look like an outage."""
    with pytest.raises(BadConfig, match="start < end and buckets of 1 s or more"):
        kpi.read(store, "pod_latency", start=START, end=end, as_of=end, bucket_s=bucket_s)


# --- trends and snapshots ----------------------------------------------------------------------------------------------
def test_a_trend_marks_the_bucket_that_is_still_filling(filled: Store) -> None:
    """Drawn like the others it would end every trend in a cliff."""
    asked = {**WINDOW, "as_of": START + timedelta(hours=10, minutes=30)}
    points = kpi.trend(filled, "observability_coverage", **asked, bucket_s=3600)
    assert [p.bucket.hour for p in points if p.is_partial] == [10]
    assert len(points) > 1


def test_a_gauge_has_its_trend_from_snapshots_the_last_of_each_bucket(snapped: Snapped) -> None:
    """A gauge can only be read as of a moment; what was read then is its past."""
    points = kpi.trend(snapped.store, "status_staleness", **WINDOW, bucket_s=3600)
    expected = [(10, 0.0, 2), (12, 0.5, 2)]
    assert [(p.bucket.hour, p.value, p.n) for p in points] == expected


def test_a_gauge_cut_by_region_or_in_one_region_has_a_trend_and_under_another_filter_none(snapped: Snapped) -> None:
    """A number of everything under a filter on one carrier would be a lie; better none."""
    store, asked = snapped.store, {**WINDOW, "bucket_s": 86_400}
    assert kpi.trend(store, "status_staleness", **asked, by="region") == [
        Point(START, "EU-East", 0.0, 1),
        Point(START, "EU-West", 1.0, 1),
    ]
    assert kpi.trend(store, "status_staleness", **asked, scope=("region=EU-West",)) == [Point(START, "", 1.0, 1)]
    assert kpi.trend(store, "status_staleness", **asked, scope=("carrier=ABCD",)) == []
    assert kpi.trend(store, "status_staleness", **asked, by="carrier") == []


def test_a_second_snapshot_of_a_minute_replaces_the_first(snapped: Snapped) -> None:
    """Two snapshots of noon are one."""
    first, second = snapped.noon
    assert first == second
    kept = "SELECT count() FROM kpi_snapshots FINAL WHERE at = {at:DateTime64(3, 'UTC')}"
    assert first == snapped.store.value(kept, {"at": NOON}) > 0


# --- status ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("status_staleness", 0.05, "on_target"),
        ("status_staleness", 0.0501, "watch"),
        ("status_staleness", 0.10, "watch"),
        ("status_staleness", 0.11, "off_target"),
        ("on_time_delivery", 0.95, "on_target"),
        ("on_time_delivery", 0.90, "watch"),
        ("on_time_delivery", 0.89, "off_target"),
        ("on_time_delivery", None, "no_data"),
        ("on_time_delivery", float("nan"), "no_data"),
    ],
)
def test_a_status_goes_by_target_watch_and_what_is_good(
    catalogue: Catalogue, name: str, value: float | None, expected: str
) -> None:
    """Low is good for staleness and high for punctuality; no data is neither."""
    found = kpi.known(name)
    assert expected == kpi.status(found, value, catalogue.tolerances[found.header.target])
