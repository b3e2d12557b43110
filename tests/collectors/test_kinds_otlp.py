"""OTLP over HTTP, by the real SDK and byte by byte: the answers that decide whether an exporter retries or drops."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from collectors.running import Receipt
from collectors.sink import Sink
from schema.governance import Catalogue
from schema.store import Store
from tests.collectors.intake import OTLP, PROTOBUF, Intake
from tests.parts.node import Node

EXPORT = Path(__file__).parents[1] / "parts" / "export.cjs"

Make = Callable[..., Any]


def test_the_opentelemetry_sdk_exports_into_the_store(intake: Intake, store: Store, catalogue: Catalogue) -> None:
    """The SDK's own exporter, gzip and protobuf, against the real table."""
    sink = Sink(store, catalogue)
    url = str(intake.start(OTLP, deliver=sink.deliver).base_url) + "/v1/traces"
    results: list[SpanExportResult] = []

    class Counted(OTLPSpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            results.append(super().export(spans))
            return results[-1]

    exporter: SpanExporter = Counted(endpoint=url, compression=Compression.Gzip)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("post invoice"):
        pass
    provider.shutdown()
    sink.close()
    assert results == [SpanExportResult.SUCCESS]
    assert store.query("SELECT SpanName FROM otel_traces") == [{"SpanName": "post invoice"}]


@pytest.mark.parametrize("encoding", ["proto", "json"])
def test_the_sdk_of_javascript_exports_into_the_store(
    intake: Intake, store: Store, catalogue: Catalogue, node: Node, encoding: str
) -> None:
    """A portal is written in JavaScript: its exporter's protobuf and its JSON end in the same row."""
    sink = Sink(store, catalogue)
    url = str(intake.start(OTLP, deliver=sink.deliver).base_url) + "/v1/traces"
    asked = [str(node.path), str(EXPORT), encoding, url]
    done = subprocess.run(asked, env=dict(node.env), capture_output=True, text=True, timeout=300)
    sink.close()
    assert (done.returncode, done.stderr) == (0, "")
    rows = store.query(
        """
        SELECT ServiceName, SpanName, SpanKind, StatusCode, StatusMessage,
               SpanAttributes['retries'] AS n, SpanAttributes['tags'] AS t
        FROM otel_traces
        """
    )
    assert rows == [
        {
            "ServiceName": "portal-js", "SpanName": f"send {encoding}", "SpanKind": "Producer", "StatusCode": "Error",
            "StatusMessage": "503", "n": "2", "t": '["a","b"]',
        }
    ]  # fmt: skip
    calls = store.query("SELECT interface, is_error, object_types, object_ids FROM interface_calls")
    assert calls == [{"interface": "portal.orders", "is_error": 1, "object_types": ["order"], "object_ids": ["O-77"]}]


def test_an_otlp_answer_is_empty_when_all_was_stored_and_partial_when_not(intake: Intake) -> None:
    """Full success must leave partial_success unset; the specification says so, and SDKs log a warning otherwise."""
    client = intake.start(OTLP)
    whole = client.post("/v1/traces", content=b"", headers=PROTOBUF)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, b"", "application/x-protobuf")
    assert client.post("/v1/logs", content=b"{}", headers={"content-type": "application/json"}).json() == {}
    intake.answer = Receipt(n_rows=5, n_rejects=2)
    partial = ExportTraceServiceResponse.FromString(client.post("/v1/traces", content=b"", headers=PROTOBUF).content)
    assert partial.partial_success.rejected_spans == 2
    json = client.post("/v1/metrics", content=b"{}", headers={"content-type": "application/json"}).json()
    assert json == {"partialSuccess": {"rejectedDataPoints": "2"}}


def test_an_otlp_body_that_is_wrong_is_400_with_a_status_in_the_callers_encoding(intake: Intake) -> None:
    """On 400 an exporter drops the batch for good; the reason must be readable for whoever looks at its log."""
    intake.answer = Receipt(rejected="no request", n_rejects=1)
    client = intake.start(OTLP)
    told = client.post("/v1/traces", content=b"\x0a", headers=PROTOBUF)
    assert (told.status_code, Status.FromString(told.content)) == (400, Status(code=3, message="no request"))
    json = client.post("/v1/traces", content=b"{", headers={"content-type": "application/json; charset=utf-8"})
    assert (json.status_code, json.json()) == (400, {"code": 3, "message": "no request"})
    other = client.post("/v1/traces", content=b"", headers={"content-type": "text/plain"})
    assert (other.status_code, "allowed: application/x-protobuf, application/json" in other.json()["message"]) == (415, True)


def test_each_signal_goes_to_its_own_format(intake: Intake) -> None:
    """One source in the configuration, three routes, three decoders."""
    client = intake.start(OTLP)
    body = ExportTraceServiceRequest().SerializeToString()
    for signal in ("traces", "logs", "metrics"):
        client.post(f"/v1/{signal}", content=body, headers=PROTOBUF)
    assert [source.format for source, _ in intake.got] == ["otlp_traces", "otlp_logs", "otlp_metrics"]
    assert {source.name for source, _ in intake.got} == {"otlp"}
