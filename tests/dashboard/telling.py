"""
Spans and log records as a sender tells them, for tests of the pages: through the same door as everybody's, OTLP into the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from collectors.formats import otlp
from schema.store import Store

KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}


@dataclass(frozen=True)
class Told:
    """One span; `trace` and `span` are small numbers, so that a test can name them."""

    trace: int
    span: int
    at: datetime
    name: str = "call"
    service: str = "hub"
    kind: str = "client"
    parent: int = 0
    ms: float = 100
    error: str = ""
    version: str = "1.0.0"
    link: tuple[int, int] | None = None
    said: Mapping[str, str] = field(default_factory=dict)
    happened: Sequence[str] = ()


def trace_id(n: int) -> str:
    """The id of a trace as pages show it."""
    return f"{n:032x}"


def span_id(n: int) -> str:
    return f"{n:016x}"


def tell(store: Store, *spans: Told) -> None:
    """Store the spans, in one request."""
    resources: dict[tuple[str, str], list[Span]] = {}
    for told in spans:
        resources.setdefault((told.service, told.version), []).append(_span(told))
    request = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=_pairs({"service.name": service, "service.version": version})),
                scope_spans=[ScopeSpans(spans=found)],
            )
            for (service, version), found in resources.items()
        ]
    )
    store.insert_body(otlp.TRACES_IN, request.SerializeToString(), otlp.FORMAT, otlp.settings_for(otlp.TRACES_IN))


def log(store: Store, trace: int, span: int, at: datetime, body: str, *, severity: str = "INFO", service: str = "hub") -> None:
    """Store one log record."""
    record = LogRecord(
        time_unix_nano=_ns(at), trace_id=bytes.fromhex(trace_id(trace)), span_id=bytes.fromhex(span_id(span)),
        severity_text=severity, body=AnyValue(string_value=body),
    )  # fmt: skip
    request = ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(
                resource=Resource(attributes=_pairs({"service.name": service})), scope_logs=[ScopeLogs(log_records=[record])]
            )
        ]
    )
    store.insert_body(otlp.LOGS_IN, request.SerializeToString(), otlp.FORMAT, otlp.settings_for(otlp.LOGS_IN))


def _span(told: Told) -> Span:
    start = _ns(told.at)
    span = Span(
        trace_id=bytes.fromhex(trace_id(told.trace)),
        span_id=bytes.fromhex(span_id(told.span)),
        name=told.name,
        parent_span_id=bytes.fromhex(span_id(told.parent)) if told.parent else b"",
        kind=KINDS[told.kind],  # type: ignore[arg-type]
        start_time_unix_nano=start,
        end_time_unix_nano=start + int(told.ms * 1e6),
        attributes=_pairs(told.said),
    )
    if told.link:
        trace, linked = told.link
        span.links.append(Span.Link(trace_id=bytes.fromhex(trace_id(trace)), span_id=bytes.fromhex(span_id(linked))))
    for i, name in enumerate(told.happened):
        span.events.append(Span.Event(time_unix_nano=start + i * 1_000_000, name=name))
    if told.error:
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=told.error))
    return span


def _pairs(said: Mapping[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in said.items()]


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1000) * 1_000_000


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)
