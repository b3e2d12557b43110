"""
Random OTLP requests for the property tests, and the way in: decode, then insert as the sink does.

Why a token an insert: without one the store folds blocks of equal content, and a property test repeats itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from google.protobuf.message import Message as Protobuf
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1 import metrics_pb2 as m
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from collectors.formats import otlp
from collectors.message import Batch, Context, Decoded, Message, Source
from schema.governance import Catalogue
from schema.store import Store

texts = st.one_of(st.sampled_from(("", "a", "SO-1", 'say "hi"/\\\n', "\u2028é🚚", "\x00\x1f\x7f")), st.text(max_size=12))
keys = st.one_of(st.sampled_from(("service.name", "order.id", "a", "a!", "é")), st.text(min_size=1, max_size=6))
uint64 = st.integers(0, 2**64 - 1)
uint32 = st.integers(0, 2**32 - 1)
int32 = st.integers(-(2**31), 2**31 - 1)
int64 = st.one_of(st.integers(-(2**63), 2**63 - 1), st.sampled_from((0, 1, -1, 127, 128, 2**53 + 1)))
doubles = st.one_of(st.floats(), st.sampled_from((0.1, 1e-6, 9.99e-7, 1e21, 1e20, 5e-324, 1.7976931348623157e308, -0.0)))
times = st.one_of(
    st.integers(1_790_000_000_000_000_000, 1_790_000_100_000_000_000), st.sampled_from((0, 1, 2**63 - 1, 2**64 - 1))
)
trace_ids = st.binary(min_size=16, max_size=16).filter(any)
span_ids = st.binary(min_size=8, max_size=8).filter(any)
odd_trace_ids = st.one_of(trace_ids, st.sampled_from((b"", bytes(16), b"\x01")))
odd_span_ids = st.one_of(span_ids, st.sampled_from((b"", bytes(8), b"\x01" * 9)))


def few(strategy: st.SearchStrategy[Any], n: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, max_size=n)


scalars = st.one_of(
    st.builds(AnyValue),
    st.builds(AnyValue, string_value=texts),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=int64),
    st.builds(AnyValue, double_value=doubles),
    st.builds(AnyValue, bytes_value=st.binary(max_size=5)),
)
any_values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(AnyValue, array_value=st.builds(ArrayValue, values=few(inner))),
        st.builds(
            AnyValue, kvlist_value=st.builds(KeyValueList, values=few(st.builds(KeyValue, key=keys, value=st.none() | inner)))
        ),
    ),
    max_leaves=6,
)
attributes = few(st.builds(KeyValue, key=keys, value=st.none() | any_values), 4)
resources = st.builds(Resource, attributes=attributes)
scopes = st.builds(InstrumentationScope, name=texts, version=texts, attributes=attributes, dropped_attributes_count=uint32)

spans = st.builds(
    Span,
    trace_id=trace_ids,
    span_id=span_ids,
    parent_span_id=odd_span_ids,
    trace_state=texts,
    flags=uint32,
    name=texts,
    kind=st.integers(-2, 9),
    start_time_unix_nano=times,
    end_time_unix_nano=times,
    attributes=attributes,
    dropped_attributes_count=uint32,
    events=few(st.builds(Span.Event, time_unix_nano=times, name=texts, attributes=attributes), 2),
    links=few(st.builds(Span.Link, trace_id=odd_trace_ids, span_id=odd_span_ids, trace_state=texts, attributes=attributes), 2),
    status=st.none() | st.builds(Status, code=st.integers(-2, 5), message=texts),
)
traces = st.builds(
    ExportTraceServiceRequest,
    resource_spans=few(
        st.builds(ResourceSpans, resource=resources, scope_spans=few(st.builds(ScopeSpans, scope=scopes, spans=few(spans)), 2))
    ),
)

records = st.builds(
    LogRecord,
    time_unix_nano=times,
    observed_time_unix_nano=times,
    severity_number=st.integers(-1, 300),
    severity_text=texts,
    body=st.none() | any_values,
    attributes=attributes,
    flags=uint32,
    trace_id=odd_trace_ids,
    span_id=odd_span_ids,
    event_name=texts,
)
logs = st.builds(
    ExportLogsServiceRequest,
    resource_logs=few(
        st.builds(
            ResourceLogs,
            resource=resources,
            schema_url=texts,
            scope_logs=few(st.builds(ScopeLogs, scope=scopes, schema_url=texts, log_records=few(records)), 2),
        )
    ),
)

point = {"attributes": attributes, "start_time_unix_nano": times, "time_unix_nano": times, "flags": uint32}
exemplar = {"time_unix_nano": times, "span_id": odd_span_ids, "trace_id": odd_trace_ids, "filtered_attributes": attributes}
exemplars = few(
    st.one_of(
        st.builds(m.Exemplar, as_double=doubles, **exemplar),
        st.builds(m.Exemplar, as_int=int64, **exemplar),
        st.builds(m.Exemplar, **exemplar),
    ),
    2,
)
numbers = few(
    st.one_of(
        st.builds(m.NumberDataPoint, as_double=doubles, exemplars=exemplars, **point),
        st.builds(m.NumberDataPoint, as_int=int64, exemplars=exemplars, **point),
        st.builds(m.NumberDataPoint, **point),
    )
)
maybe = st.none() | doubles
histogram_points = st.builds(
    m.HistogramDataPoint, count=uint64, sum=maybe, bucket_counts=few(uint64), explicit_bounds=few(doubles), min=maybe,
    max=maybe, exemplars=exemplars, **point,
)  # fmt: skip
buckets = st.none() | st.builds(m.ExponentialHistogramDataPoint.Buckets, offset=int32, bucket_counts=few(uint64))
exponential_points = st.builds(
    m.ExponentialHistogramDataPoint, count=uint64, sum=maybe, scale=int32, zero_count=uint64, positive=buckets,
    negative=buckets, min=maybe, max=maybe, exemplars=exemplars, **point,
)  # fmt: skip
summary_points = st.builds(
    m.SummaryDataPoint, count=uint64, sum=doubles,
    quantile_values=few(st.builds(m.SummaryDataPoint.ValueAtQuantile, quantile=doubles, value=doubles)), **point,
)  # fmt: skip
temporality = st.integers(-1, 3)
named = {"name": texts, "description": texts, "unit": texts}
metric = st.one_of(
    st.builds(m.Metric, **named),
    st.builds(m.Metric, gauge=st.builds(m.Gauge, data_points=numbers), **named),
    st.builds(
        m.Metric,
        sum=st.builds(m.Sum, data_points=numbers, aggregation_temporality=temporality, is_monotonic=st.booleans()),
        **named,
    ),
    st.builds(
        m.Metric,
        histogram=st.builds(m.Histogram, data_points=few(histogram_points), aggregation_temporality=temporality),
        **named,
    ),
    st.builds(
        m.Metric,
        exponential_histogram=st.builds(
            m.ExponentialHistogram, data_points=few(exponential_points), aggregation_temporality=temporality
        ),
        **named,
    ),
    st.builds(m.Metric, summary=st.builds(m.Summary, data_points=few(summary_points)), **named),
)
metrics = st.builds(
    ExportMetricsServiceRequest,
    resource_metrics=few(
        st.builds(
            m.ResourceMetrics,
            resource=resources,
            schema_url=texts,
            scope_metrics=few(st.builds(m.ScopeMetrics, scope=scopes, schema_url=texts, metrics=few(metric, 4)), 2),
        ),
        2,
    ),
)


def message(body: bytes | Protobuf, content_type: str = "application/x-protobuf") -> Message:
    raw = body if isinstance(body, bytes) else body.SerializeToString()
    return Message(raw, datetime(2026, 11, 23, tzinfo=UTC), content_type)


def context(catalogue: Catalogue) -> Context:
    return Context(Source("test", "otlp", "otlp"), catalogue)


def insert(store: Store, decoded: Decoded, token: str = "") -> None:
    """Each body into its door, as the sink inserts it."""
    for batch in decoded.batches:
        store.insert_body(batch.table, batch.body, otlp.FORMAT, otlp.settings_for(batch.table), token=token or uuid.uuid4().hex)


def take(store: Store, catalogue: Catalogue, format_: ModuleType, body: bytes | Protobuf) -> Decoded:
    """Decode one body and insert it."""
    decoded: Decoded = format_.decode(message(body), context(catalogue))
    insert(store, decoded)
    return decoded


def take_all(store: Store, catalogue: Catalogue, format_: ModuleType, table: str, bodies: Iterable[Protobuf]) -> int:
    """Decode each body, insert all end to end as one group; the number of rows that the format counted."""
    found: list[Decoded] = [format_.decode(message(body), context(catalogue)) for body in bodies]
    batches = [batch for decoded in found for batch in decoded.batches]
    whole = Batch(table, body=b"".join(batch.body for batch in batches), n=sum(len(batch) for batch in batches))
    insert(store, Decoded((whole,)))
    return len(whole)


def empty(store: Store, tables: Iterable[str]) -> None:
    for table in tables:
        store.command(f"TRUNCATE TABLE {table}")
