"""
Milepost's own telemetry into Milepost: the OpenTelemetry SDK, wired to the sink, or to where OTEL_ variables say.

Why through the sink and not over HTTP to our own door: the spans of a receiver that receives its own spans never end. What
the exporter does is therefore suppressed from instrumentation, and it speaks OTLP to the same code that real senders meet.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from opentelemetry import context, metrics, trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from collectors.message import Message, Source
from collectors.sink import Sink
from schema.errors import StoreUnavailable

METRICS_EVERY_MS = 60_000
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def watch_ourselves(sink: Sink) -> Callable[[], None]:
    """Start spans and metrics of our own. Returns what flushes and stops them; call it before the sink closes."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return lambda: None
    is_elsewhere = any(os.environ.get(name) for name in ENDPOINTS)
    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "milepost")})
    tracing = TracerProvider(resource=resource)
    tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter() if is_elsewhere else SinkSpans(sink)))
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter() if is_elsewhere else SinkMetrics(sink), export_interval_millis=METRICS_EVERY_MS
    )
    metering = MeterProvider(resource=resource, metric_readers=[reader])
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(metering)

    def stop() -> None:
        tracing.shutdown()
        metering.shutdown()

    return stop


class SinkSpans(SpanExporter):
    """Spans as one ExportTraceServiceRequest into the sink."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        stored = _deliver(self._sink, "otlp_traces", encode_spans(spans).SerializeToString())
        return SpanExportResult.SUCCESS if stored else SpanExportResult.FAILURE


class SinkMetrics(MetricExporter):
    """Metrics as one ExportMetricsServiceRequest into the sink."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink = sink

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        stored = _deliver(self._sink, "otlp_metrics", encode_metrics(metrics_data).SerializeToString())
        return MetricExportResult.SUCCESS if stored else MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Nothing is held back."""


def _deliver(sink: Sink, format_: str, body: bytes) -> bool:
    token = context.attach(context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
    try:
        sink.deliver_now(Source("milepost", "self", format_), Message(body, datetime.now(UTC), name="self"))
    except StoreUnavailable:
        return False
    finally:
        context.detach(token)
    return True
