"""
Calls as spans: OTLP requests, as an exporter of the integration hub would have sent them.

Why the classes of opentelemetry-proto and no encoder of our own: the bytes go through the same door as everybody's, and a field
that is wrong here would be a wrong demo of right code.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from collectors.demo.telling import Call

SPANS_A_BODY = 2000
OBJECT_KEYS = {
    "order": "milepost.order_id", "shipment": "milepost.shipment_id", "invoice": "milepost.invoice_id",
    "inventory": "milepost.movement_id", "return": "milepost.return_id",
}  # fmt: skip
HUB, FIRST_VERSION = "integration-hub", "1.8.0"
KINDS = {
    2: Span.SpanKind.SPAN_KIND_SERVER, 3: Span.SpanKind.SPAN_KIND_CLIENT,
    4: Span.SpanKind.SPAN_KIND_PRODUCER, 5: Span.SpanKind.SPAN_KIND_CONSUMER,
}  # fmt: skip
Deploys = Mapping[str, Sequence[tuple[int, str]]]


def attributes(call: Call) -> dict[str, str | int]:
    """The attributes of a call's span."""
    told: dict[str, str | int] = {
        "milepost.interface": call.interface,
        "milepost.attempt": call.attempt,
        "messaging.message.id": call.message,
    }
    if call.object_id:
        told[OBJECT_KEYS[call.object_type]] = call.object_id
    if call.region:
        told["milepost.region"] = call.region
    if call.partner:
        told["milepost.partner"] = call.partner
    if call.is_throttled:
        told["http.response.status_code"] = 429
    return told


def version_of(service: str, at: int, deploys: Deploys) -> str:
    """The version of a service that was live at a time."""
    rolled_out = deploys.get(service, ())
    i = bisect_right([since for since, _ in rolled_out], at)
    return rolled_out[i - 1][1] if i else FIRST_VERSION


def resource_of(service: str, version: str) -> dict[str, str]:
    """What an instance of the hub says of itself."""
    told = {"service.name": service, "service.version": version, "service.namespace": HUB}
    return told | {"deployment.environment.name": "demo"}


def body(calls: Iterable[Call], deploys: Deploys) -> bytes:
    """One ExportTraceServiceRequest with a ResourceSpans for each service and version."""
    by_resource: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for call in calls:
        by_resource[call.service, version_of(call.service, call.at, deploys)].append(_span(call))
    return ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=_pairs(resource_of(*key))),
                scope_spans=[ScopeSpans(scope=InstrumentationScope(name=HUB, version="1"), spans=spans)],
            )
            for key, spans in by_resource.items()
        ]
    ).SerializeToString()


def bodies(calls: Iterable[Call], deploys: Deploys, size: int = SPANS_A_BODY) -> Iterator[tuple[bytes, int]]:
    """Requests of at most `size` spans, each with how many it holds."""
    group: list[Call] = []
    for call in calls:
        group.append(call)
        if len(group) == size:
            yield body(group, deploys), size
            group = []
    if group:
        yield body(group, deploys), len(group)


def _pairs(told: Mapping[str, str | int]) -> list[KeyValue]:
    return [
        KeyValue(key=key, value=AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value))
        for key, value in told.items()
    ]


def _span(call: Call) -> Span:
    started = call.at * 10**9 - call.ms * 10**6
    span = Span(
        trace_id=bytes.fromhex(call.trace), span_id=bytes.fromhex(call.span), name=call.interface, kind=KINDS[call.kind],
        parent_span_id=bytes.fromhex(call.parent), start_time_unix_nano=started, end_time_unix_nano=call.at * 10**9,
        attributes=_pairs(attributes(call)),
    )  # fmt: skip
    if call.link[0]:
        span.links.append(Span.Link(trace_id=bytes.fromhex(call.link[0]), span_id=bytes.fromhex(call.link[1])))
    if call.error:
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=call.error))
    elif not call.is_throttled:
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_OK))
    return span
