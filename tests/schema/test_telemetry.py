"""Spans in business words: which span is a call, whose names count, and how what a crash left out comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schema import telemetry
from schema.errors import BadDefinition
from schema.store import Store

AT = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
COLUMNS = (
    "Timestamp", "TraceId", "SpanId", "ParentSpanId", "SpanName", "SpanKind", "ServiceName", "ResourceAttributes",
    "SpanAttributes", "Duration", "StatusCode", "StatusMessage",
)  # fmt: skip


def span(n: int, kind: str = "Client", resource: dict[str, str] | None = None, **fields: Any) -> tuple[Any, ...]:
    """The n-th span, as a Collector writes it; `attributes` with underscores for dots would hide what is meant: pass a dict."""
    return (
        fields.get("at", AT + timedelta(seconds=n)), f"{n:032x}", f"{n:016x}", f"{n - 1:016x}", "call", kind,
        fields.get("service", "tms"), resource or {}, fields.get("attributes", {}), fields.get("duration", 5),
        fields.get("status", "Unset"), fields.get("message", ""),
    )  # fmt: skip


def insert(store: Store, *spans: tuple[Any, ...], token: str = "") -> None:
    store.insert("otel_traces", COLUMNS, spans, token=token)


def calls(store: Store, columns: str = "*") -> list[dict[str, Any]]:
    return store.query(f"SELECT {columns} FROM interface_calls ORDER BY at, span_id")


def test_a_client_span_is_a_call_in_every_column(store: Store) -> None:
    """What detectors, the trace page and the impact of an incident read, from one span with all there is to say."""
    attributes = {
        "milepost.interface": "tms-book", "peer.service": "carrier-api", "milepost.attempt": "3", "messaging.message.id": "m-1",
        "order.id": "SO-1", "shipment.id": '["SH-1","SH-2"]', "milepost.partner": "DHL",
    }  # fmt: skip
    resource = {"service.version": "2.4.1", "cloud.region": "eu-west-1"}
    insert(store, span(2, resource=resource, attributes=attributes, status="Error", message="503"))
    assert [
        {
            "at": AT + timedelta(seconds=2), "trace_id": f"{2:032x}", "span_id": f"{2:016x}", "parent_span_id": f"{1:016x}",
            "interface": "tms-book", "service": "tms", "peer": "carrier-api", "kind": "Client", "is_error": 1,
            "status_message": "503", "attempt": 3, "message_id": "m-1", "duration_ns": 5, "version": "2.4.1",
            "region": "eu-west-1", "partner": "DHL", "object_types": ["order", "shipment", "shipment"],
            "object_ids": ["SO-1", "SH-1", "SH-2"],
        }
    ] == calls(store)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "attributes", "is_call"),
    [
        ("Client", {}, True),
        ("Producer", {}, True),
        ("Consumer", {}, True),
        ("Internal", {"milepost.interface": "x"}, False),
        ("Unspecified", {"milepost.interface": "x"}, False),
        ("Server", {}, False),
        ("Server", {"milepost.interface": "x"}, True),
    ],
)
def test_a_span_is_a_call_by_its_kind(kind: str, attributes: dict[str, str], is_call: bool, store: Store) -> None:
    """A Server span is the other end of a call, and counts only where it names its interface: or each page view would."""
    insert(store, span(1, kind, attributes=attributes))
    assert is_call == bool(calls(store))


def test_without_an_interface_it_is_named_by_its_two_ends(store: Store) -> None:
    """An uninstrumented edge still fails, and needs a name that a person recognises."""
    insert(store, span(1, attributes={"server.address": "erp.example"}), span(2, service="wms"))
    assert calls(store, "interface") == [{"interface": "tms -> erp.example"}, {"interface": "wms -> "}]


def test_the_first_name_of_the_catalogue_wins(store: Store) -> None:
    """The catalogue says in order which attribute is meant; a span may carry several."""
    insert(store, span(1, attributes={"rpc.service": "Booking", "messaging.destination.name": "q.orders", "order_id": "SO-1"}))
    expected = {"interface": "q.orders", "object_types": ["order"], "object_ids": ["SO-1"]}
    assert [expected] == calls(store, "interface, object_types, object_ids")


def test_one_object_under_two_names_is_one_object(store: Store) -> None:
    """An SDK's and our own attribute for the same order must not count it twice in the impact of an incident."""
    insert(store, span(1, attributes={"milepost.order_id": "SO-1", "order.id": "SO-1", "sales_order": "SO-2"}))
    assert calls(store, "object_ids") == [{"object_ids": ["SO-1", "SO-2"]}]


def test_one_attribute_may_name_two_things(store: Store) -> None:
    """Where messages are numbered by their order, the catalogue names that attribute under both, and neither may be lost."""
    store.insert("gov_span_keys", ("kind", "position", "attribute"), [("message", 0, "order_no"), ("order", 9, "order_no")])
    insert(store, span(1, attributes={"order_no": "SO-1", "messaging.message.id": "m1", "milepost.shipment_id": '["S2","S1","S2"]'}))
    expected = {"message_id": "SO-1", "object_types": ["order", "shipment", "shipment"], "object_ids": ["SO-1", "S2", "S1"]}
    assert [expected] == calls(store, "message_id, object_types, object_ids")


@pytest.mark.parametrize(("said", "attempt"), [("", 1), ("2", 2), ("0", 1), ("many", 1), ("70000", 1)])
def test_an_attempt_is_a_number_from_one_on(said: str, attempt: int, store: Store) -> None:
    """Retry amplification divides attempts by messages: what is no number is a first attempt."""
    insert(store, span(1, attributes={"milepost.attempt": said} if said else {}))
    assert [{"attempt": attempt}] == calls(store, "attempt")


@pytest.mark.parametrize(
    ("on_span", "on_resource", "region"),
    [
        ({"milepost.region": "EU-W"}, {"milepost.region": "EU", "cloud.region": "eu-west-1"}, "EU-W"),
        ({"cloud.region": "eu-1"}, {"milepost.region": "EU"}, "EU"),
        ({}, {"cloud.region": "eu-west-1"}, "eu-west-1"),
        ({}, {}, ""),
    ],
)
def test_the_region_is_the_business_one_first(
    on_span: dict[str, str], on_resource: dict[str, str], region: str, store: Store
) -> None:
    """ "Degraded for one region only" is a business region; the data centre's is better than none."""
    insert(store, span(1, resource=on_resource, attributes=on_span))
    assert [{"region": region}] == calls(store, "region")


def test_spans_that_a_crash_left_without_calls_are_healed(store: Store) -> None:
    """An INSERT is not atomic with its views: 3 of 10 kills left spans without their calls."""
    insert(store, *(span(i) for i in range(1, 6)), span(7, "Internal"))
    whole = calls(store)
    lost = {"lost": [f"{i:016x}" for i in (2, 4)]}
    store.command("ALTER TABLE interface_calls DELETE WHERE span_id IN {lost:Array(String)}", lost, {"mutations_sync": 2})
    assert len(calls(store)) == 3
    assert telemetry.heal(store, AT, AT + HOUR) == 2
    assert whole == calls(store)


def test_healing_what_is_whole_adds_nothing(store: Store) -> None:
    """It runs on a clock, over windows that overlap."""
    insert(store, *(span(i) for i in range(1, 4)))
    assert (telemetry.heal(store, AT, AT + HOUR), telemetry.heal(store, AT - HOUR, AT + 2 * HOUR)) == (0, 0)
    assert len(calls(store)) == 3


def test_healing_keeps_to_its_window(store: Store) -> None:
    """Half open, as every window: a span at its end belongs to the next."""
    insert(store, span(1, at=AT - HOUR), span(2, at=AT), span(3, at=AT + HOUR))
    store.command("TRUNCATE TABLE interface_calls")
    assert telemetry.heal(store, AT, AT + HOUR) == 1
    assert calls(store, "at") == [{"at": AT}]


def test_healing_reads_only_the_days_of_its_window(store: Store) -> None:
    """A month of spans must not be read every few minutes."""
    insert(store, *(span(i, at=AT - timedelta(days=i)) for i in range(30)))
    sql = f"EXPLAIN indexes = 1 SELECT count() {telemetry.MISSING % telemetry.derived(store)}"
    plan = [row["explain"].strip() for row in store.query(sql, {"since": AT, "until": AT + HOUR})]
    assert "Parts: 1/30" in plan


def test_healing_without_the_view_says_what_to_do(bare_store: Store) -> None:
    """A store that was never migrated is a person's to mend."""
    with pytest.raises(BadDefinition, match="no view interface_calls_mv over otel_traces: run `milepost migrate`"):
        telemetry.heal(bare_store, AT, AT + HOUR)
