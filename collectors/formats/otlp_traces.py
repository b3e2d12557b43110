"""
OTLP traces: an ExportTraceServiceRequest into the door of `otel_traces`.

A span without a valid trace id and span id cannot be joined to anything and is left out alone, as the specification's
partial success has it: the rest of the request is stored, the sender learns how many and why, and each such span stands in
`rejects` as a request of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from collectors.formats import otlp
from collectors.message import Batch, Context, Decoded, Finding, Message, Reject
from schema.errors import BadPayload

TRACE_ID, SPAN_ID = 16, 8
NO_TRACE, NO_SPAN = bytes(TRACE_ID), bytes(SPAN_ID)


def decode(message: Message, context: Context) -> Decoded:
    """
    Check a request and hand its bytes on.

    Shape:  one Batch for `otlp_traces_in`, n spans; a Finding `rejected_spans` with the count, and a Reject for each.
    Raises: BadPayload, if the body is no request, or not one of its spans is valid.
    Source: opentelemetry-proto 1.x, trace/v1; OTLP 1.x, "Partial Success".
    """
    request = otlp.read(message, ExportTraceServiceRequest)
    rejects = tuple(_take_invalid(request))
    n = sum(len(scoped.spans) for resourced in request.resource_spans for scoped in resourced.scope_spans)
    findings = _findings(rejects, n)
    if not n:
        if rejects:
            raise BadPayload(findings[0].text)
        return Decoded()
    body = otlp.body(message, request, is_changed=bool(rejects))
    return Decoded((Batch(otlp.TRACES_IN, body=body, n=n),), findings, rejects=rejects)


def _findings(rejects: tuple[Reject, ...], n: int) -> tuple[Finding, ...]:
    if not rejects:
        return ()
    return (Finding("rejected_spans", f"{len(rejects)} of {len(rejects) + n} spans rejected; the first: {rejects[0].reason}"),)


def _take_invalid(request: ExportTraceServiceRequest) -> Iterator[Reject]:
    """Take the invalid spans out of a request."""
    for i, resourced in enumerate(request.resource_spans):
        for j, scoped in enumerate(resourced.scope_spans):
            invalid = [k for k, span in enumerate(scoped.spans) if not _is_valid(span)]
            for k in invalid:
                yield _reject(resourced, scoped, scoped.spans[k], f"resource_spans[{i}].scope_spans[{j}].spans[{k}]")
            for k in reversed(invalid):
                del scoped.spans[k]


def _is_valid(span: Span) -> bool:
    trace_id, span_id = span.trace_id, span.span_id
    return len(trace_id) == TRACE_ID and len(span_id) == SPAN_ID and trace_id != NO_TRACE and span_id != NO_SPAN


def _reject(resourced: ResourceSpans, scoped: ScopeSpans, span: Span, where: str) -> Reject:
    alone = ExportTraceServiceRequest()
    parent = alone.resource_spans.add(resource=resourced.resource, schema_url=resourced.schema_url)
    parent.scope_spans.add(scope=scoped.scope, schema_url=scoped.schema_url, spans=[span])
    said = f"trace id {span.trace_id.hex() or 'none'}, span id {span.span_id.hex() or 'none'}"
    reason = f"{where} {span.name!r} has {said}; allowed are {TRACE_ID} and {SPAN_ID} bytes, not all zero"
    return Reject(alone.SerializeToString(), reason)
