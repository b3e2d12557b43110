"""
OTLP metrics: an ExportMetricsServiceRequest into the door of the five `otel_metrics_*` tables.

One door and five views, because a request mixes gauges, sums and histograms, and is inserted once.
"""

from __future__ import annotations

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from collectors.formats import otlp
from collectors.message import Batch, Context, Decoded, Message


def decode(message: Message, context: Context) -> Decoded:
    """
    Check a request and hand its bytes on.

    Shape:  one Batch for `otlp_metrics_in`, n data points of whatever kind.
    Raises: BadPayload, if the body is no request.
    Source: opentelemetry-proto 1.x, metrics/v1.
    """
    request = otlp.read(message, ExportMetricsServiceRequest)
    n = sum(
        _points(metric)
        for resourced in request.resource_metrics
        for scoped in resourced.scope_metrics
        for metric in scoped.metrics
    )
    if not n:
        return Decoded()
    return Decoded((Batch(otlp.METRICS_IN, body=otlp.body(message, request, is_changed=False), n=n),))


def _points(metric: Metric) -> int:
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0
