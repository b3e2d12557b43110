"""
OTLP to rows, in Python loops over upb messages: what the engine's views must equal in every row.

Why it is kept: it is the definition in words that can be read, and the other side of the property tests. Rows are tuples of
plain values (times as nanoseconds or seconds, maps as pairs in the order sent), compared by their repr, so that NaN equals
NaN and -0.0 is not 0.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from collectors.formats.otlp_values import text
from schema.store import Store

Row = tuple[Any, ...]

KINDS = {0: "Unspecified", 1: "Internal", 2: "Server", 3: "Client", 4: "Producer", 5: "Consumer"}
CODES = {0: "Unset", 1: "Ok", 2: "Error"}
LAST_SECOND = 2**32 - 1


# --- what a request says ------------------------------------------------------------------------------------------------
def spans(request: ExportTraceServiceRequest) -> list[Row]:
    """One row a span, in the order of SPANS."""
    return [
        (
            _signed(s.start_time_unix_nano), _id(s.trace_id, 16), _id(s.span_id, 8), _id(s.parent_span_id, 8),
            s.trace_state, s.name, KINDS.get(s.kind, ""), _service(rs.resource.attributes), _map(rs.resource.attributes),
            ss.scope.name, ss.scope.version, _map(s.attributes), max(0, s.end_time_unix_nano - s.start_time_unix_nano),
            CODES.get(s.status.code, ""), s.status.message,
            tuple(_signed(e.time_unix_nano) for e in s.events), tuple(e.name for e in s.events),
            tuple(_map(e.attributes) for e in s.events),
            tuple(_id(link.trace_id, 16) for link in s.links), tuple(_id(link.span_id, 8) for link in s.links),
            tuple(link.trace_state for link in s.links), tuple(_map(link.attributes) for link in s.links),
        )
        for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans
    ]  # fmt: skip


def logs(request: ExportLogsServiceRequest) -> list[Row]:
    """One row a log record, in the order of LOGS."""
    return [
        (
            _signed(r.time_unix_nano or r.observed_time_unix_nano), _id(r.trace_id, 16), _id(r.span_id, 8), r.flags & 255,
            r.severity_text, r.severity_number & 255, _service(rl.resource.attributes), text(r.body),
            rl.schema_url, _map(rl.resource.attributes), sl.schema_url, sl.scope.name, sl.scope.version,
            _map(sl.scope.attributes), _map(r.attributes), r.event_name,
        )
        for rl in request.resource_logs for sl in rl.scope_logs for r in sl.log_records
    ]  # fmt: skip


def metrics(request: ExportMetricsServiceRequest) -> dict[str, list[Row]]:
    """The rows of each of the five tables, one a data point."""
    found: dict[str, list[Row]] = {kind: [] for kind in POINTS}
    for rm in request.resource_metrics:
        for sm in rm.scope_metrics:
            for metric in sm.metrics:
                kind = metric.WhichOneof("data")
                data = getattr(metric, kind) if kind else None
                for point in data.data_points if data else ():
                    found[kind].append((*_head(rm, sm, metric, point), *POINTS[kind](data, point)))
    return found


def _head(rm: Any, sm: Any, metric: Any, point: Any) -> Row:
    return (
        _map(rm.resource.attributes), rm.schema_url, sm.scope.name, sm.scope.version, _map(sm.scope.attributes),
        sm.scope.dropped_attributes_count, sm.schema_url, _service(rm.resource.attributes), metric.name, metric.description,
        metric.unit, tuple(sorted(_map(point.attributes))), _seconds(point.start_time_unix_nano),
        _seconds(point.time_unix_nano),
    )  # fmt: skip


def _gauge(data: Any, p: Any) -> Row:
    return (_value(p), p.flags, *_exemplars(p))


def _sum(data: Any, p: Any) -> Row:
    return (_value(p), p.flags, *_exemplars(p), data.aggregation_temporality, data.is_monotonic)


def _histogram(data: Any, p: Any) -> Row:
    return (
        p.count, p.sum, tuple(p.bucket_counts), tuple(p.explicit_bounds), *_exemplars(p), p.flags, p.min, p.max,
        data.aggregation_temporality,
    )  # fmt: skip


def _exponential_histogram(data: Any, p: Any) -> Row:
    return (
        p.count, p.sum, p.scale, p.zero_count, p.positive.offset, tuple(p.positive.bucket_counts), p.negative.offset,
        tuple(p.negative.bucket_counts), *_exemplars(p), p.flags, p.min, p.max, data.aggregation_temporality,
    )  # fmt: skip


def _summary(data: Any, p: Any) -> Row:
    return (p.count, p.sum, tuple(q.quantile for q in p.quantile_values), tuple(q.value for q in p.quantile_values), p.flags)


POINTS = {
    "gauge": _gauge,
    "sum": _sum,
    "histogram": _histogram,
    "exponential_histogram": _exponential_histogram,
    "summary": _summary,
}


def _exemplars(point: Any) -> Row:
    found = point.exemplars
    return (
        tuple(_map(e.filtered_attributes) for e in found), tuple(_seconds(e.time_unix_nano) for e in found),
        tuple(_value(e) for e in found), tuple(_id(e.span_id, 8) for e in found), tuple(_id(e.trace_id, 16) for e in found),
    )  # fmt: skip


def _value(point: Any) -> float:
    return float(point.as_int) if point.WhichOneof("value") == "as_int" else float(point.as_double)


def _map(attributes: Iterable[KeyValue]) -> tuple[tuple[str, str], ...]:
    return tuple((a.key, text(a.value)) for a in attributes)


def _service(attributes: Iterable[KeyValue]) -> str:
    return next((text(a.value) for a in attributes if a.key == "service.name"), "")


def _id(raw: bytes, size: int) -> str:
    return raw.hex() if len(raw) == size and any(raw) else ""


def _signed(ns: int) -> int:
    return ns - 2**64 if ns >= 2**63 else ns


def _seconds(ns: int) -> int:
    return min(ns // 10**9, LAST_SECOND)


# --- what the store says ------------------------------------------------------------------------------------------------
PAIRS = "Array(Tuple(String, String))"
SPANS = f"""
    toUnixTimestamp64Nano(Timestamp), TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName,
    CAST(ResourceAttributes, '{PAIRS}'), ScopeName, ScopeVersion, CAST(SpanAttributes, '{PAIRS}'), Duration, StatusCode,
    StatusMessage, arrayMap(t -> toUnixTimestamp64Nano(t), Events.Timestamp), Events.Name,
    arrayMap(m -> CAST(m, '{PAIRS}'), Events.Attributes), Links.TraceId, Links.SpanId, Links.TraceState,
    arrayMap(m -> CAST(m, '{PAIRS}'), Links.Attributes)
"""
LOGS = f"""
    toUnixTimestamp64Nano(Timestamp), TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber, ServiceName, Body,
    ResourceSchemaUrl, CAST(ResourceAttributes, '{PAIRS}'), ScopeSchemaUrl, ScopeName, ScopeVersion,
    CAST(ScopeAttributes, '{PAIRS}'), CAST(LogAttributes, '{PAIRS}'), EventName
"""
HEAD = f"""
    CAST(ResourceAttributes, '{PAIRS}'), ResourceSchemaUrl, ScopeName, ScopeVersion, CAST(ScopeAttributes, '{PAIRS}'),
    ScopeDroppedAttrCount, ScopeSchemaUrl, ServiceName, MetricName, MetricDescription, MetricUnit,
    arraySort(CAST(Attributes, '{PAIRS}')), toUInt32(StartTimeUnix), toUInt32(TimeUnix),
"""
EXEMPLARS = f"""
    arrayMap(m -> CAST(m, '{PAIRS}'), Exemplars.FilteredAttributes), arrayMap(t -> toUInt32(t), Exemplars.TimeUnix),
    Exemplars.Value, Exemplars.SpanId, Exemplars.TraceId
"""
SIZES = "Flags, Min, Max, AggregationTemporality"
METRICS = {
    "gauge": f"{HEAD} Value, Flags, {EXEMPLARS}",
    "sum": f"{HEAD} Value, Flags, {EXEMPLARS}, AggregationTemporality, IsMonotonic",
    "histogram": f"{HEAD} Count, Sum, BucketCounts, ExplicitBounds, {EXEMPLARS}, {SIZES}",
    "exponential_histogram": f"{HEAD} Count, Sum, Scale, ZeroCount, PositiveOffset, PositiveBucketCounts, NegativeOffset, "
    f"NegativeBucketCounts, {EXEMPLARS}, {SIZES}",
    "summary": f"{HEAD} Count, Sum, ValueAtQuantiles.Quantile, ValueAtQuantiles.Value, Flags",
}


def stored(store: Store, columns: str, table: str) -> list[Row]:
    """The rows of a table as the reference writes them."""
    return [_plain(tuple(row.values())) for row in store.query(f"SELECT {columns} FROM {table}")]


def same(rows: Iterable[Row]) -> list[str]:
    """Rows in a form and order in which equal sets of rows are equal."""
    return sorted(repr(row) for row in rows)


def _plain(value: Any) -> Any:
    return tuple(_plains(value)) if isinstance(value, (list, tuple)) else value


def _plains(values: Iterable[Any]) -> Iterator[Any]:
    return (_plain(value) for value in values)
