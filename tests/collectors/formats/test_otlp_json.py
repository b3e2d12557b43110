"""OTLP/JSON becomes the request that its protobuf form is; what is no OTLP/JSON is rejected with the place and the reason."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collectors.formats import otlp, otlp_json, otlp_traces
from schema.errors import BadPayload
from schema.governance import Catalogue
from schema.store import Store
from tests.collectors.formats import otlp_reference as reference
from tests.collectors.formats import otlp_requests as requests

SAMPLES = Path(__file__).parents[2] / "samples"
IDS = ("traceId", "spanId", "parentSpanId")


def span(**fields: Any) -> dict[str, Any]:
    return {"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "eee19b7ec3c1b174", "name": "call"} | fields


def body(*spans: dict[str, Any]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}).encode()


def read(raw: bytes) -> list[Any]:
    request = otlp_json.read(raw, ExportTraceServiceRequest)
    return [s for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans]


def hexed(node: Any) -> Any:
    """protobuf's JSON with the ids in hexadecimal, as an OTLP/JSON exporter writes them."""
    if isinstance(node, list):
        return [hexed(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: base64.b64decode(item).hex() if key in IDS else hexed(item) for key, item in node.items()}


@settings(max_examples=100)
@given(requests.traces)
def test_any_request_reads_the_same_from_json(request: ExportTraceServiceRequest) -> None:
    """Half of the SDKs (every browser) send JSON: nothing may depend on which."""
    raw = json.dumps(hexed(MessageToDict(request))).encode()
    assert repr(reference.spans(request)) == repr(reference.spans(otlp_json.read(raw, ExportTraceServiceRequest)))


@settings(max_examples=60)
@given(requests.metrics)
def test_any_metrics_read_the_same_from_json(request: ExportMetricsServiceRequest) -> None:
    """Doubles have NaN, 64-bit integers are strings, and counts are large."""
    raw = json.dumps(hexed(MessageToDict(request))).encode()
    assert repr(reference.metrics(request)) == repr(reference.metrics(otlp_json.read(raw, ExportMetricsServiceRequest)))


@pytest.mark.parametrize("id_", ["5B8EFFF798038103D269B633813FC60C", "5b8efff798038103d269b633813fc60c"])
def test_ids_are_hexadecimal_in_either_case(id_: str) -> None:
    """The specification's own example is in capitals, every SDK's output is not."""
    (found,) = read(body(span(traceId=id_)))
    assert bytes.fromhex(id_) == found.trace_id


@pytest.mark.parametrize("time", ["1544712660000000000", 1544712660000000000])
def test_integers_come_as_numbers_or_strings(time: object) -> None:
    """JavaScript SDKs send numbers, protobuf's JSON sends strings."""
    (found,) = read(body(span(startTimeUnixNano=time)))
    assert found.start_time_unix_nano == 1544712660000000000


@pytest.mark.parametrize("kind", [3, "SPAN_KIND_CLIENT"])
def test_enums_come_as_numbers_or_names(kind: object) -> None:
    """OTLP/JSON says numbers; older exporters and hand-made files say names."""
    (found,) = read(body(span(kind=kind)))
    assert found.kind == 3


def test_unknown_fields_are_ignored() -> None:
    """A newer SDK sends more than we know, and is right to."""
    (found,) = read(body(span(someday={"a": [1]})))
    assert found.name == "call"


def test_a_file_of_lines_is_several_requests() -> None:
    """The Collector's file exporter writes one request a line."""
    raw = b"\xef\xbb\xbf" + body(span(name="a")) + b"\r\n\n" + body(span(name="b"), span(name="c")) + b"\n"
    assert [found.name for found in read(raw)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"resourceSpans": [', "neither one JSON document nor one a line"),
        (b'{"resourceSpans": []}\n{"resourceSpans": [}', "line 2"),
        (b"[1, 2]", "a JSON list, not an object with 'resourceSpans'"),
        (b'{"resourceLogs": []}', "has resourceLogs .another signal.*not 'resourceSpans'"),
        (b'{"data": [{"traceID": "1"}]}', "has data, not 'resourceSpans'"),
        (body(span(traceId="not-hex")), "traceId 'not-hex' is no hexadecimal id"),
        (body(span(traceId="W47/95gDgQPSabYzgT/GDA==")), "no hexadecimal id, which OTLP/JSON has .not base64."),
        (body(span(startTimeUnixNano="yesterday")), "startTimeUnixNano"),
    ],
)
def test_what_is_no_otlp_json_is_rejected_with_place_and_reason(raw: bytes, reason: str) -> None:
    """The sender sees what was got, where, and what is allowed, and can mend it without us."""
    with pytest.raises(BadPayload, match=reason):
        otlp_json.read(raw, ExportTraceServiceRequest)


def test_a_jaeger_trace_is_rejected_as_what_it_is(catalogue: Catalogue) -> None:
    """Jaeger's own JSON looks alike from afar; its field is named in the answer."""
    raw = json.dumps({"data": [{"traceID": "1", "spans": []}], "errors": None}).encode()
    with pytest.raises(BadPayload, match="has data, errors, not 'resourceSpans': it is no ExportTraceServiceRequest"):
        otlp_traces.decode(requests.message(raw, "application/json"), requests.context(catalogue))


def test_json_under_a_wrong_content_type_is_read_all_the_same(catalogue: Catalogue) -> None:
    """curl sends a form's type by default; the first byte says more than the header."""
    decoded = otlp_traces.decode(requests.message(body(span()), "application/x-protobuf"), requests.context(catalogue))
    assert [batch.n for batch in decoded.batches] == [1]


def test_protobuf_that_looks_like_json_is_read_as_protobuf(catalogue: Catalogue) -> None:
    """Its first field of 123 bytes begins with a line feed and a brace: one in a hundred small bodies does."""
    request = ExportTraceServiceRequest()
    scoped = request.resource_spans.add().scope_spans.add()
    scoped.spans.add(trace_id=b"\x01" * 16, span_id=b"\x02" * 8, name="x" * 89)
    raw = request.SerializeToString()
    assert raw.startswith(b"\n{")
    assert [batch.n for batch in otlp_traces.decode(requests.message(raw), requests.context(catalogue)).batches] == [1]


def test_json_after_an_empty_line_is_read_where_it_is_said_to_be_json(catalogue: Catalogue) -> None:
    """Hand-made files begin so."""
    decoded = otlp_traces.decode(requests.message(b"\n\n" + body(span()), "application/json"), requests.context(catalogue))
    assert [batch.n for batch in decoded.batches] == [1]


@pytest.mark.parametrize("folder", ["otlp_traces", "otlp_logs"])
def test_a_file_says_itself_which_signal_it_is_of(folder: str, catalogue: Catalogue) -> None:
    """`milepost load otlp` takes what the Collector's file exporter writes, whatever is in it."""
    raw = (SAMPLES / folder / "shipment.json").read_bytes()
    decoded = otlp.decode(requests.message(raw, "application/json"), requests.context(catalogue))
    assert [batch.table for batch in decoded.batches] == [f"{folder}_in"]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [(b"\n\x00", "does not say which signal"), (b'{"spans": []}', "none of resourceSpans"), (b"[]", "none of resourceSpans")],
)
def test_what_does_not_say_its_signal_is_rejected(raw: bytes, reason: str, catalogue: Catalogue) -> None:
    """A guess would store a log as a span."""
    with pytest.raises(BadPayload, match=reason):
        otlp.decode(requests.message(raw), requests.context(catalogue))


@pytest.mark.parametrize(
    ("folder", "kind", "rows", "columns", "table"),
    [
        ("otlp_traces", ExportTraceServiceRequest, reference.spans, reference.SPANS, "otel_traces"),
        ("otlp_logs", ExportLogsServiceRequest, reference.logs, reference.LOGS, "otel_logs"),
    ],
)
def test_a_sample_has_its_golden_rows(
    folder: str, kind: Any, rows: Any, columns: str, table: str, store: Store, catalogue: Catalogue
) -> None:
    """The reference and the engine could be wrong together: these rows were read by a person."""
    raw = (SAMPLES / folder / "shipment.json").read_bytes()
    golden = json.loads((SAMPLES / folder / "shipment.rows.json").read_text())
    format_ = __import__(f"collectors.formats.{folder}", fromlist=["decode"])
    requests.take(store, catalogue, format_, raw)
    assert sorted(golden, reverse=True) == sorted(json.loads(json.dumps(reference.stored(store, columns, table))), reverse=True)
    assert golden == json.loads(json.dumps(rows(otlp.read(requests.message(raw), kind))))
