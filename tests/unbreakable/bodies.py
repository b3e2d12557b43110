"""What senders send in these tests: telemetry and business events of which every row can be found again by its mark."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

# Where the rows of a signal lie, what of a row is its mark, and the tables that are filled from it by views.
TABLES = {
    "traces": (("otel_traces", "SpanName"), ("interface_calls", "interface")),
    "logs": (("otel_logs", "Body"),),
    "metrics": (("otel_metrics_gauge", "MetricName"), ("otel_metrics_sum", "MetricName")),
}


def telemetry(signal: str, mark: str, n: int, at_ns: int) -> bytes:
    """A request of `n` rows with a mark; of metrics, `n` points in each of two tables."""
    return {"traces": traces, "logs": logs, "metrics": metrics}[signal](mark, n, at_ns)


def traces(mark: str, n: int, at_ns: int) -> bytes:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for i in range(n):
        id_ = hashlib.blake2b(f"{mark}-{i}".encode(), digest_size=16).digest()
        span = spans.add(trace_id=id_, span_id=id_[:8], name=mark, kind=3, start_time_unix_nano=at_ns, end_time_unix_nano=at_ns)
        span.attributes.add(key="milepost.interface").value.string_value = mark
    return request.SerializeToString()


def logs(mark: str, n: int, at_ns: int) -> bytes:
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for _ in range(n):
        records.add(time_unix_nano=at_ns).body.string_value = mark
    return request.SerializeToString()


def metrics(mark: str, n: int, at_ns: int) -> bytes:
    request = ExportMetricsServiceRequest()
    scoped = request.resource_metrics.add().scope_metrics.add()
    for kind in ("gauge", "sum"):
        points = getattr(scoped.metrics.add(name=mark), kind).data_points
        for i in range(n):
            points.add(time_unix_nano=at_ns + i, as_double=1.0)
    return request.SerializeToString()


def cloud_events(mark: str, n: int, time: str) -> bytes:
    """A batch of `n` departed shipments."""
    return orjson.dumps([_cloud_event(f"{mark}-{i}", time) for i in range(n)])


def _cloud_event(id_: str, time: str) -> dict[str, Any]:
    data = {"object_type": "shipment", "object_id": id_, "state": "departed", "system_role": "carrier"}
    return {
        "specversion": "1.0", "id": id_, "source": "/test", "type": "shipment.departed", "time": time, "data": data,
    }  # fmt: skip
