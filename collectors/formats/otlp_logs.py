"""
OTLP logs: an ExportLogsServiceRequest into the door of `otel_logs`.

No record is refused: unlike a span it means something without ids, and an id that is none is stored as ''.
"""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from collectors.formats import otlp
from collectors.message import Batch, Context, Decoded, Message


def decode(message: Message, context: Context) -> Decoded:
    """
    Check a request and hand its bytes on.

    Shape:  one Batch for `otlp_logs_in`, n log records.
    Raises: BadPayload, if the body is no request.
    Source: opentelemetry-proto 1.x, logs/v1.
    """
    request = otlp.read(message, ExportLogsServiceRequest)
    n = sum(len(scoped.log_records) for resourced in request.resource_logs for scoped in resourced.scope_logs)
    if not n:
        return Decoded()
    return Decoded((Batch(otlp.LOGS_IN, body=otlp.body(message, request, is_changed=False), n=n),))
