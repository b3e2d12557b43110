"""OTLP traces: what the engine makes of a request is what the reference makes of it, and a bad span goes alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collectors.formats import otlp, otlp_traces
from schema.errors import BadPayload
from schema.governance import Catalogue
from schema.store import Store
from tests.collectors.formats import otlp_reference as reference
from tests.collectors.formats import otlp_requests as requests

TABLES = ("otel_traces", "otel_traces_trace_id_ts", "interface_calls")
GOOD = {"trace_id": b"\x01" * 16, "span_id": b"\x02" * 8}


def request_of(*spans: dict[str, object]) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    scoped = request.resource_spans.add().scope_spans.add()
    for span in spans:
        scoped.spans.add(**span)
    return request


def test_the_engine_makes_of_any_requests_what_the_reference_makes(shared_store: Store, catalogue: Catalogue) -> None:
    """The decoder is SQL; only a second decoder, and requests that nobody thought of, can show that it is right."""

    @settings(max_examples=10, suppress_health_check=list(HealthCheck))
    @given(st.lists(requests.traces, min_size=1, max_size=12))
    def holds(group: list[ExportTraceServiceRequest]) -> None:
        requests.empty(shared_store, TABLES)
        rows = [row for request in group for row in reference.spans(request)]
        assert len(rows) == requests.take_all(shared_store, catalogue, otlp_traces, otlp.TRACES_IN, group)
        assert reference.same(rows) == reference.same(reference.stored(shared_store, reference.SPANS, "otel_traces"))

    holds()


def test_bodies_end_to_end_are_one_insert(store: Store, catalogue: Catalogue) -> None:
    """Group commit of OTLP is a byte join: the sink knows nothing of what is inside."""
    parts = [request_of(GOOD | {"span_id": bytes([i]) * 8, "name": f"call {i}"}) for i in range(1, 4)]
    bodies = [otlp_traces.decode(requests.message(p), requests.context(catalogue)).batches[0].body for p in parts]
    store.insert_body(otlp.TRACES_IN, b"".join(bodies), otlp.FORMAT, otlp.settings_for(otlp.TRACES_IN), token="t")
    assert [{"SpanName": f"call {i}"} for i in (1, 2, 3)] == store.query("SELECT SpanName FROM otel_traces ORDER BY SpanName")


def test_a_body_without_arrays_is_handed_on_as_it_came(catalogue: Catalogue) -> None:
    """What SDKs write is canonical: the bytes that came are the bytes inserted, and their hash is the insert's identity."""
    request = request_of(GOOD | {"name": "call"})
    (batch,) = otlp_traces.decode(requests.message(request), requests.context(catalogue)).batches
    assert (otlp.TRACES_IN, request.SerializeToString(), 1) == (batch.table, batch.body, batch.n)


@pytest.mark.parametrize(
    "wrong",
    [{"trace_id": b"\x01" * 15}, {"trace_id": bytes(16)}, {"trace_id": b""}, {"span_id": bytes(8)}, {"span_id": b"\x01" * 9}],
)
def test_an_invalid_span_is_rejected_alone_and_counted(wrong: dict[str, object], store: Store, catalogue: Catalogue) -> None:
    """Partial success: one broken instrumentation must not cost the other spans of a batch, and its owner must hear of it."""
    request = request_of(GOOD | {"name": "good"}, GOOD | {"name": "bad"} | wrong)
    decoded = requests.take(store, catalogue, otlp_traces, request)
    assert [row["SpanName"] for row in store.query("SELECT SpanName FROM otel_traces")] == ["good"]
    (finding,) = decoded.findings
    assert finding.code == "rejected_spans"
    assert finding.text.startswith(
        "1 of 2 spans rejected; the first: resource_spans[0].scope_spans[0].spans[1] 'bad' has trace id"
    )
    (reject,) = decoded.rejects
    (alone,) = ExportTraceServiceRequest.FromString(reject.body).resource_spans[0].scope_spans[0].spans
    assert alone.name == "bad"


def test_a_request_without_one_valid_span_is_rejected_whole(catalogue: Catalogue) -> None:
    """All wrong is a wrong message, with its bytes in `rejects` once."""
    with pytest.raises(BadPayload, match="1 of 1 spans rejected"):
        otlp_traces.decode(requests.message(request_of({"name": "x"})), requests.context(catalogue))


def test_a_span_without_a_name_is_stored(store: Store, catalogue: Catalogue) -> None:
    """The specification asks for a name and forgives its absence; the times and the ids are worth keeping."""
    requests.take(store, catalogue, otlp_traces, request_of(GOOD))
    assert store.query("SELECT SpanName FROM otel_traces") == [{"SpanName": ""}]


def test_a_value_written_in_pieces_is_read_as_protobuf_reads_it(store: Store, catalogue: Catalogue) -> None:
    """Protobuf allows a length of too many bytes and a field twice; the views would take such bytes at their face."""
    key, overlong, twice = b"\x0a\x01a", b"\x12\x05\x0a\x82\x00xy", b"\x12\x04\x0a\x02no\x12\x02\x18\x07"
    values = [b"".join((b"\x4a", bytes([len(key + value)]), key, value)) for value in (overlong, twice)]
    span = b"\x0a\x10" + b"\x01" * 16 + b"\x12\x08" + b"\x02" * 8 + b"".join(values)
    scoped = b"\x12" + bytes([len(span)]) + span
    resourced = b"\x12" + bytes([len(scoped)]) + scoped
    requests.take(store, catalogue, otlp_traces, b"\x0a" + bytes([len(resourced)]) + resourced)
    assert [row["v"] for row in store.query("SELECT mapValues(SpanAttributes) AS v FROM otel_traces")] == [["xy", "7"]]


def test_an_empty_request_is_nothing(catalogue: Catalogue) -> None:
    """Exporters send one as a heartbeat; an INSERT of no rows is not worth its 20 ms."""
    assert otlp_traces.decode(requests.message(b""), requests.context(catalogue)).batches == ()


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"hello, this is not protobuf", b"\x0a\x05\x0a"])
def test_what_is_no_request_is_rejected_with_its_first_bytes(body: bytes, catalogue: Catalogue) -> None:
    """One malformed body would fail the INSERT of the whole group; the sender sees what we saw."""
    with pytest.raises(BadPayload, match=body[:16].hex(" ")):
        otlp_traces.decode(requests.message(body), requests.context(catalogue))


def test_spans_of_many_days_are_one_insert(store: Store, catalogue: Catalogue) -> None:
    """An exporter that comes back after months, or a wrong clock, must not be refused for ever for its partitions."""
    day = 86_400_000_000_000
    spans = [GOOD | {"start_time_unix_nano": 1_700_000_000_000_000_000 + i * day} for i in range(150)]
    requests.take(store, catalogue, otlp_traces, request_of(*spans))
    assert store.value("SELECT count() FROM otel_traces") == 150


REAL = {
    "nodered/0002_v1_traces.json": (125, {"node-red-orders"}),
    "nodered/0004_v1_traces.json": (50, {"node-red-orders"}),
    "python/0004_v1_traces.pb": (20, {"order-intake"}),
    "python/0007_v1_traces.pb": (15, {"fulfilment-worker"}),
    "otelproto_trace.json": (1, {"my.service"}),
    "jaeger_default.json": (1, {"query11-service"}),
    "jaeger_example_trace.json": (5, {"example-service-1", "example-service-2", "example-service-3"}),
    "jaeger_link_attributes_trace.json": (1, {"query25-service"}),
    "jaeger_log_tags_trace.json": (1, {"query02-service"}),
    "jaeger_otlp2jaeger-in.json": (2, {"telemetrygen"}),
    "jaeger_span_tags_trace.json": (1, {"query01-service"}),
}


@pytest.mark.parametrize("name", REAL)
def test_what_real_exporters_sent_is_stored_whole(name: str, field_data: Path, store: Store, catalogue: Catalogue) -> None:
    """Samples that we wrote ourselves share our mistakes; these come from SDKs in four languages and from Jaeger."""
    message = requests.message((field_data / "otlp" / name).read_bytes())
    decoded = otlp_traces.decode(message, requests.context(catalogue))
    requests.insert(store, decoded)
    expected = reference.spans(otlp.read(message, ExportTraceServiceRequest))
    assert (*REAL[name], ()) == (len(expected), {row[7] for row in expected}, decoded.findings)
    assert reference.same(expected) == reference.same(reference.stored(store, reference.SPANS, "otel_traces"))
