"""
OTLP over HTTP: POST /v1/traces, /v1/logs and /v1/metrics, protobuf and JSON, as every OpenTelemetry SDK and Collector sends.

Why only HTTP and no gRPC: every exporter speaks it, and it needs no second server. Errors are a google.rpc.Status in the
encoding of the caller, and only 429 and 503 invite a retry (OTLP 1.x, "OTLP/HTTP Response"): an exporter drops its batch
on 400, and its bytes then stand in `rejects`.
"""

from __future__ import annotations

from dataclasses import replace

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message as Protobuf
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.door import Accepted, Door, KeyOptions, media_type
from collectors.message import Source
from collectors.running import Means, Receipt, Running

PROTOBUF, JSON = "application/x-protobuf", "application/json"
ANSWERS: dict[str, tuple[type[Protobuf], str]] = {
    "traces": (ExportTraceServiceResponse, "rejected_spans"),
    "logs": (ExportLogsServiceResponse, "rejected_log_records"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points"),
}
# google.rpc.Code of an HTTP status, as the Collector's receiver maps them.
RPC_CODES = {400: 3, 401: 16, 403: 7, 408: 4, 413: 8, 415: 3, 429: 8, 503: 14}
Options = KeyOptions


def start(source: Source, means: Means) -> Running:
    """A route for each signal; a source whose format is one signal (`otlp_traces`) has only that."""
    signals = [name for name in ANSWERS if source.format in ("otlp", f"otlp_{name}")]
    return Running(routes=[_route(source, means, signal) for signal in signals])


def _route(source: Source, means: Means, signal: str) -> Route:
    door = Door(replace(source, format=f"otlp_{signal}"), means, (PROTOBUF, JSON))
    return Route(f"/v1/{signal}", door.endpoint(say, _accepted(signal)), methods=["POST"])


def say(request: Request, status: int, text: str) -> Response:
    """A google.rpc.Status in the caller's encoding; JSON for a caller whose encoding is neither."""
    return _encoded(request, Status(code=RPC_CODES.get(status, 2), message=text), status)


def _accepted(signal: str) -> Accepted:
    response, field = ANSWERS[signal]

    def accepted(request: Request, receipt: Receipt) -> Response:
        if receipt.rejected:
            return say(request, 400, receipt.rejected)
        answer = response()
        if receipt.n_rejects or receipt.findings:
            partial = answer.partial_success  # type: ignore[attr-defined]
            setattr(partial, field, receipt.n_rejects)
            partial.error_message = "; ".join(finding.text for finding in receipt.findings)
        return _encoded(request, answer, 200)

    return accepted


def _encoded(request: Request, message: Protobuf, status: int) -> Response:
    if media_type(request.headers.get("content-type", "")) == PROTOBUF:
        return Response(message.SerializeToString(), status, media_type=PROTOBUF)
    return Response(MessageToJson(message, indent=None), status, media_type=JSON)
