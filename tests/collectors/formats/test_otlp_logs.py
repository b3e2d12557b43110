"""OTLP logs: what the engine makes of a request is what the reference makes of it, whatever a body holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from collectors.formats import otlp, otlp_logs
from schema.errors import BadPayload
from schema.governance import Catalogue
from schema.store import Store
from tests.collectors.formats import otlp_reference as reference
from tests.collectors.formats import otlp_requests as requests


def request_of(*records: dict[str, object]) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    scoped = request.resource_logs.add().scope_logs.add()
    for record in records:
        scoped.log_records.add(**record)
    return request


def test_the_engine_makes_of_any_requests_what_the_reference_makes(shared_store: Store, catalogue: Catalogue) -> None:
    """The decoder is SQL; only a second decoder, and requests that nobody thought of, can show that it is right."""

    @settings(max_examples=10, suppress_health_check=list(HealthCheck))
    @given(st.lists(requests.logs, min_size=1, max_size=12))
    def holds(group: list[ExportLogsServiceRequest]) -> None:
        requests.empty(shared_store, ["otel_logs"])
        rows = [row for request in group for row in reference.logs(request)]
        assert len(rows) == requests.take_all(shared_store, catalogue, otlp_logs, otlp.LOGS_IN, group)
        assert reference.same(rows) == reference.same(reference.stored(shared_store, reference.LOGS, "otel_logs"))

    holds()


def test_a_record_without_a_time_takes_the_time_it_was_observed(store: Store, catalogue: Catalogue) -> None:
    """A log forwarder that cannot read the time leaves it 0; 1970 would hide the line from every page."""
    requests.take(store, catalogue, otlp_logs, request_of({"observed_time_unix_nano": 1_790_000_000_000_000_007}))
    assert store.value("SELECT toUnixTimestamp64Nano(Timestamp) FROM otel_logs") == 1_790_000_000_000_000_007


def test_a_record_with_an_id_that_is_none_is_stored_without_it(store: Store, catalogue: Catalogue) -> None:
    """A line means something without a trace; half an id would only look like one."""
    requests.take(store, catalogue, otlp_logs, request_of({"trace_id": b"\x01\x02", "span_id": bytes(8), "event_name": "e"}))
    assert store.query("SELECT TraceId, SpanId, EventName FROM otel_logs") == [{"TraceId": "", "SpanId": "", "EventName": "e"}]


def test_an_empty_request_is_nothing(catalogue: Catalogue) -> None:
    """An INSERT of no rows is not worth its 20 ms."""
    assert otlp_logs.decode(requests.message(b""), requests.context(catalogue)).batches == ()


def test_what_is_no_request_is_rejected_with_its_first_bytes(catalogue: Catalogue) -> None:
    """One malformed body would fail the INSERT of the whole group."""
    with pytest.raises(BadPayload, match=r"3 bytes are no ExportLogsServiceRequest .* begin ff ff ff"):
        otlp_logs.decode(requests.message(b"\xff\xff\xff"), requests.context(catalogue))


@pytest.mark.parametrize(("name", "n"), [("python/0005_v1_logs.pb", 20), ("otelproto_logs.json", 1)])
def test_what_real_exporters_sent_is_stored_whole(
    name: str, n: int, field_data: Path, store: Store, catalogue: Catalogue
) -> None:
    """Samples that we wrote ourselves share our mistakes."""
    message = requests.message((field_data / "otlp" / name).read_bytes())
    requests.insert(store, otlp_logs.decode(message, requests.context(catalogue)))
    expected = reference.logs(otlp.read(message, ExportLogsServiceRequest))
    assert n == len(expected)
    assert reference.same(expected) == reference.same(reference.stored(store, reference.LOGS, "otel_logs"))
