"""What a crash between a table and its views left out is derived by the first round after the start, newest first, in bounded time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from collectors.config import format_module
from collectors.jobs import heal
from collectors.message import Context, Message, Source
from schema import telemetry
from schema.governance import Catalogue
from schema.store import Store
from tests.collectors.formats import otlp_requests
from tests.unbreakable import bodies

HOUR = timedelta(hours=1)
TABLES = ("interface_calls", "otel_traces_trace_id_ts")


def spans(store: Store, catalogue: Catalogue, mark: str, at: datetime) -> None:
    """Three calls, behind every view."""
    body = bodies.traces(mark, 3, int(at.timestamp() * 1000) * 10**6)
    source = Source("otlp", "otlp", "otlp_traces")
    otlp_requests.insert(store, format_module("otlp_traces").decode(Message(body, at), Context(source, catalogue)))


def whole(store: Store) -> dict[str, list[dict[str, object]]]:
    """What the views' tables say, as readers fold it."""
    calls = "SELECT DISTINCT interface, trace_id, span_id, at FROM interface_calls ORDER BY ALL"
    traces = "SELECT TraceId, min(Start) AS began_at, max(End) AS ended_at FROM otel_traces_trace_id_ts GROUP BY TraceId ORDER BY ALL"
    return {"calls": store.query(calls), "traces": store.query(traces)}


def test_the_first_round_after_a_start_makes_the_views_whole(store: Store, catalogue: Catalogue) -> None:
    """Spans without their calls are failures that no page shows; a trace without its lookup is a link that leads nowhere."""
    now = datetime.now(UTC)
    for mark, ago in (("just", timedelta(seconds=1)), ("lately", HOUR), ("yesterday", 30 * HOUR)):
        spans(store, catalogue, mark, now - ago)
    before = whole(store)
    for table in TABLES:
        store.command(f"TRUNCATE TABLE {table}")
    job = heal.Heal(store)
    assert job().n == 9
    assert whole(store) == before
    assert job().n == 0


def test_a_trace_of_which_only_a_part_is_known_gets_its_whole_time(store: Store, catalogue: Catalogue) -> None:
    """The lookup may know a trace by its first INSERT and have lost the second: its spans would be cut off in the waterfall."""
    now = datetime.now(UTC)
    spans(store, catalogue, "one", now - 2 * HOUR)
    before = whole(store)["traces"]
    store.command("TRUNCATE TABLE otel_traces_trace_id_ts")
    late = [(row["TraceId"], row["began_at"] + timedelta(seconds=5), row["ended_at"] + timedelta(seconds=5)) for row in before]
    store.insert("otel_traces_trace_id_ts", ("TraceId", "Start", "End"), late)
    telemetry.heal_lately(store, now, timedelta(hours=3), budget_s=60)
    assert [row["began_at"] for row in whole(store)["traces"]] == [row["began_at"] for row in before]


def test_a_round_keeps_to_its_budget_and_begins_with_what_is_newest(store: Store, catalogue: Catalogue) -> None:
    """A month of spans must not hold up the start; what a page shows first is whole first, and the note says since when."""
    now = datetime.now(UTC)
    for mark, ago in (("new", timedelta(minutes=5)), ("old", 3 * HOUR)):
        spans(store, catalogue, mark, now - ago)
    store.command("TRUNCATE TABLE interface_calls")
    assert telemetry.heal_lately(store, now, timedelta(days=1), budget_s=0) == (3, now - HOUR)
    assert store.query("SELECT DISTINCT interface FROM interface_calls") == [{"interface": "new"}]


@pytest.mark.parametrize("n", [1, 2])
def test_later_rounds_leave_what_is_under_way_alone(store: Store, catalogue: Catalogue, n: int) -> None:
    """An INSERT that has reached the table and not yet its views is no crash: healed now, its calls would be there twice."""
    job = heal.Heal(store)
    job()
    spans(store, catalogue, "now", datetime.now(UTC))
    store.command("TRUNCATE TABLE interface_calls")
    assert [job().n for _ in range(n)] == [0] * n
