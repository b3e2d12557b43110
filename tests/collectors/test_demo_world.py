"""
The simulated enterprise: the same in every run, valid as events, and without a fault where none was put in.

Why so hard on the healthy world: an exception that it raises by itself would be taken for a bug of a detector, or worse, a
detector would be bent until it fell silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from collectors.demo import blocks as telling
from collectors.demo import telemetry
from collectors.demo.apart import told_apart
from collectors.demo.blocks import EVENTS
from collectors.demo.orders import Order
from collectors.demo.rows import Row
from collectors.demo.telling import Call, Said
from collectors.demo.truth import is_stale, progress, steps, told
from collectors.demo.world import World
from schema.errors import MilepostError
from schema.events import COLUMNS, Event
from schema.governance import Catalogue

ANCHOR = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SEED, DAYS, HOUR = 7, 4, 3600
MOMENTS = [int(ANCHOR.timestamp()) - hours * HOUR for hours in (0, 5, 11, 18, 26, 37, 50)]
Told = list[tuple[Order, list[Said]]]


def blocks(kind: str, catalogue: Catalogue, *, seed: int = SEED, days: int = DAYS) -> list[bytes]:
    """The blocks of a kind, as they go into the store."""
    world = World(seed, ANCHOR, days, catalogue=catalogue)
    return [block.body for block in telling.blocks(world, catalogue) if block.kind == kind]


@pytest.fixture(scope="module")
def bodies(catalogue: Catalogue) -> list[bytes]:
    return blocks(EVENTS, catalogue)


@pytest.fixture(scope="module")
def rows(bodies: list[bytes]) -> list[Row]:
    """Every event as the store reads it, in the order of schema.events.COLUMNS."""
    table = pa.concat_tables([pa.ipc.open_stream(body).read_all() for body in bodies], promote_options="permissive")
    assert tuple(table.column_names) == COLUMNS
    return [tuple(row.values()) for row in table.to_pylist(maps_as_pydicts="strict")]


@pytest.fixture(scope="module")
def healthy(catalogue: Catalogue) -> Told:
    world = World(SEED, ANCHOR, 20, catalogue=catalogue, is_healthy=True)
    return [(order, world.tell(order).said) for order in world.orders()]


def named(row: Row) -> dict[str, object]:
    return dict(zip(COLUMNS, row, strict=True))


def test_another_process_tells_the_same(bodies: list[bytes], catalogue: Catalogue) -> None:
    """A demo that is begun again must fold into itself, block by block, and a truth computed elsewhere must fit."""
    with told_apart(SEED, ANCHOR, DAYS, files("schema").joinpath("governance.toml")) as told:  # type: ignore[arg-type]
        apart = list(told)

    assert apart == list(telling.blocks(World(SEED, ANCHOR, DAYS, catalogue=catalogue), catalogue))
    assert [block.body for block in apart if block.kind == EVENTS] == bodies


def test_a_teller_that_dies_is_noticed() -> None:
    """Half a history must not be taken for a whole one."""
    with told_apart(SEED, ANCHOR, DAYS, Path("nowhere.toml")) as told, pytest.raises(MilepostError):
        list(told)


def test_another_seed_is_another_enterprise(rows: list[Row], catalogue: Catalogue) -> None:
    """The seed is not only carried along: of the same order number and hour, other things are said."""
    tables = [pa.ipc.open_stream(body).read_all() for body in blocks(EVENTS, catalogue, seed=SEED + 1)]
    other = {id_ for table in tables for id_ in table["event_id"].to_pylist()}
    both = other & {row[0] for row in rows}

    assert len(both) < 0.02 * len(other)


def test_spans_are_the_bytes_that_the_classes_of_opentelemetry_make(catalogue: Catalogue) -> None:
    """They are put together by hand, and a field that is wrong here would be a wrong demo of right code."""
    world = World(SEED, ANCHOR, DAYS, catalogue=catalogue)
    calls = [call for story in world.stories() for call in world.happened(story)]
    body = telemetry.body(calls, world.deploys)
    spans = [s for r in ExportTraceServiceRequest.FromString(body).resource_spans for s in r.scope_spans[0].spans]

    assert {s.span_id.hex(): s for s in spans} == {call.span: span_of(call) for call in calls}
    assert any(call.error for call in calls)
    assert any(call.link[0] for call in calls)


def span_of(call: Call) -> Span:
    """A call as the classes have it."""
    link, error = call.link, call.error
    status = Status(code=Status.STATUS_CODE_ERROR, message=error) if error else Status(code=Status.STATUS_CODE_OK)
    return Span(
        trace_id=bytes.fromhex(call.trace), span_id=bytes.fromhex(call.span), parent_span_id=bytes.fromhex(call.parent),
        name=call.interface, kind=call.kind, start_time_unix_nano=call.at * 10**9 - call.ms * 10**6,  # type: ignore[arg-type]
        end_time_unix_nano=call.at * 10**9,
        attributes=[
            KeyValue(key=key, value=AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value))
            for key, value in telemetry.attributes(call).items()
        ],
        links=[Span.Link(trace_id=bytes.fromhex(link[0]), span_id=bytes.fromhex(link[1]))] if link[0] else [],
        status=None if call.is_throttled else status,
    )  # fmt: skip


def test_nothing_but_plans_and_estimates_lies_in_the_future(rows: list[Row]) -> None:
    """The present of the demo is its anchor; only the carrier whose clock is wrong (and told so) runs ahead."""
    ahead = [r for r in map(named, rows) if r["occurred_at"] > ANCHOR and r["classifier"] == "ACT"]  # type: ignore[operator]

    assert {r["source"] for r in ahead} <= {"carrier-brgt"}
    assert all(row[COLUMNS.index("received_at")] <= ANCHOR for row in rows)


def test_rows_are_valid_events(rows: list[Row]) -> None:
    """The rows bypass pydantic for speed, so a sample of every event type is held against it."""
    seen: dict[str, int] = {}
    for row in map(named, rows):
        n = seen[str(row["event_type"])] = seen.get(str(row["event_type"]), 0) + 1
        if n <= 20:
            _validate(row)
    assert len(seen) > 30


def _validate(row: dict[str, object]) -> None:
    ids = zip(row.pop("related.object_type"), row.pop("related.object_id"), strict=True)  # type: ignore[call-overload]
    for edge in ("received_at", "ingested_at", "source", "message_id"):
        row.pop(edge)
    Event.model_validate(row | {"related": [{"object_type": t, "object_id": i} for t, i in ids]})


def test_nearly_every_event_names_the_span_that_carried_it(rows: list[Row]) -> None:
    """The join of trace and business key is the product: at least 96 % of events, and with spans that exist."""
    world = World(SEED, ANCHOR, DAYS)
    spans = {(call.trace, call.span) for story in world.stories() for call in story.calls}
    i = COLUMNS.index("trace_id")
    traced = [(row[i], row[i + 1]) for row in rows if row[i]]

    assert len(traced) / len(rows) > 0.96
    assert set(traced) <= spans


def test_the_noise_of_an_enterprise_is_there(rows: list[Row]) -> None:
    """Late, twice, corrected and retracted statements are normal, and what reads them must meet them in the demo."""
    told_rows = [named(row) for row in rows]
    actual = [r for r in told_rows if r["classifier"] == "ACT" and r["event_type"] != "order.credit_block"]
    late = [r for r in actual if (r["received_at"] - r["occurred_at"]).total_seconds() > HOUR]  # type: ignore[operator]
    ids = [(r["event_id"], r["event_version"]) for r in told_rows]

    assert 0.005 < len(late) / len(actual) < 0.04
    assert 0.001 < 1 - len(set(ids)) / len(ids) < 0.006
    assert any(r["is_retracted"] for r in told_rows)
    assert any(r["event_version"] == 2 and not r["is_retracted"] for r in told_rows)


# --- the healthy world ------------------------------------------------------------------------------------------------------
def moments(healthy: Told) -> Iterator[tuple[int, Order, list[Said]]]:
    """Every order as it had been told at each of the moments."""
    for at in MOMENTS:
        for order, said in healthy:
            if order.placed_at < at and (here := list(told(said, at))):
                yield at, order, here


def test_no_shipment_of_the_healthy_world_is_stale_or_stalled(healthy: Told, catalogue: Catalogue) -> None:
    """Every leg, with the hours by which it may be told late, stays within its mode's limit."""
    life, dwell_s = catalogue.lifecycles["shipment"], catalogue.tolerances["dwell"].limit_s
    n = 0
    for at, order, here in moments(healthy):
        for ship in order.shipments:
            n += 1
            assert not is_stale(catalogue, ship, here, at), (ship.number, at)
            state, since, _ = progress(steps((s for s in here if s.object_id == ship.number), life))
            is_long = state in life.states and life.states[state].is_facility and since < at - dwell_s
            assert not is_long, (ship.number, at)
    assert n > 10_000


def test_no_two_systems_of_the_healthy_world_disagree(healthy: Told, catalogue: Catalogue) -> None:
    """Within the hour the ERP says what the TMS confirmed, and it released what a warehouse allocates."""
    for at, order, here in moments(healthy):
        by_erp = {(s.object_id, s.state) for s in here if s.teller.role == "erp"}
        for s in here:
            is_due = s.at < at - HOUR and s.classifier == "ACT"
            if is_due and s.teller.role == "tms" and s.state == "confirmed":
                assert (s.object_id, "confirmed") in by_erp, (s.object_id, at)
            if is_due and s.teller.role == "wms" and s.state == "allocated":
                assert (order.number, "released") in by_erp, (order.number, at)


def test_no_invoice_of_the_healthy_world_waits_for_its_proof_or_comes_too_early(healthy: Told, catalogue: Catalogue) -> None:
    """Proofs come well within the limit of a blocked invoice, and nothing is invoiced before it departed."""
    limit_s = catalogue.tolerances["blocked_invoice"].limit_s
    for at, order, here in moments(healthy):
        heard = {(s.object_id, s.state): s.at for s in here if s.classifier == "ACT"}
        for ship in order.shipments:
            delivered_at = heard.get((ship.number, "delivered"))
            if delivered_at and delivered_at < at - limit_s:
                assert (ship.number, "pod_received") in heard, (ship.number, at)
            if ship.invoice and (created_at := heard.get((ship.invoice.number, "created"))):
                assert created_at > heard[ship.number, "departed"], ship.number


def test_no_order_of_the_healthy_world_is_released_late(healthy: Told, catalogue: Catalogue) -> None:
    """Even by the wall clock an order is released within the limit, from its confirmation or the end of its block."""
    limit_s = catalogue.tolerances["order_release"].limit_s
    for at, order, here in moments(healthy):
        states = {s.state: s.at for s in here if s.object_id == order.number}
        is_blocked = "credit_block" in states and "credit_block_cleared" not in states
        since = max(states.get("confirmed", at), states.get("credit_block_cleared", 0))
        if not is_blocked and since < at - limit_s:
            assert "released" in states, (order.number, at)
