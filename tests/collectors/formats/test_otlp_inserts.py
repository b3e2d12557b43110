"""A body inserted twice under one token is there once, and one that failed between table and view is made whole by a retry."""

from __future__ import annotations

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collectors.formats import otlp, otlp_logs, otlp_metrics, otlp_traces
from schema.governance import Catalogue
from schema.store import StatementError, Store
from tests.collectors.formats import otlp_requests as requests

KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")


def traces(n: int) -> ExportTraceServiceRequest:
    """n client spans of n traces."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for i in range(1, n + 1):
        spans.add(trace_id=i.to_bytes(16, "big"), span_id=i.to_bytes(8, "big"), name="call", kind=3, start_time_unix_nano=i)
    return request


def logs() -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=1).body.string_value = "line"
    return request


def metrics() -> ExportMetricsServiceRequest:
    """One point of each kind."""
    request = ExportMetricsServiceRequest()
    scoped = request.resource_metrics.add().scope_metrics.add()
    for kind in KINDS:
        getattr(scoped.metrics.add(name=kind), kind).data_points.add(time_unix_nano=10**9)
    return request


def counts(store: Store, *tables: str) -> dict[str, int]:
    return {table: int(store.value(f"SELECT count() FROM {table}")) for table in tables}


@pytest.mark.parametrize("n", [1, 3, 70_000])
def test_spans_inserted_twice_under_a_token_are_there_once(n: int, store: Store, catalogue: Catalogue) -> None:
    """An answer that got lost is answered by the same INSERT: in the table and behind every view, in however many blocks."""
    decoded = otlp_traces.decode(requests.message(traces(n)), requests.context(catalogue))
    for _ in range(2):
        requests.insert(store, decoded, token="one")
    whole = {"otel_traces": n, "otel_traces_trace_id_ts": n, "interface_calls": n}
    assert whole == counts(store, *whole)


def test_logs_inserted_twice_under_a_token_are_there_once(store: Store, catalogue: Catalogue) -> None:
    """As for spans."""
    decoded = otlp_logs.decode(requests.message(logs()), requests.context(catalogue))
    for _ in range(2):
        requests.insert(store, decoded, token="one")
    assert counts(store, "otel_logs") == {"otel_logs": 1}


def test_metrics_inserted_twice_under_a_token_are_there_once_in_each_table(store: Store, catalogue: Catalogue) -> None:
    """Five views from one door: each target keeps its own window."""
    decoded = otlp_metrics.decode(requests.message(metrics()), requests.context(catalogue))
    for _ in range(2):
        requests.insert(store, decoded, token="one")
    once = {f"otel_metrics_{kind}": 1 for kind in KINDS}
    assert once == counts(store, *once)


def test_the_same_spans_under_another_token_are_there_twice(store: Store, catalogue: Catalogue) -> None:
    """The token is the identity: without this the test above could not fail."""
    decoded = otlp_traces.decode(requests.message(traces(2)), requests.context(catalogue))
    for token in ("one", "two"):
        requests.insert(store, decoded, token=token)
    assert counts(store, "otel_traces", "interface_calls") == {"otel_traces": 4, "interface_calls": 4}


def test_a_view_that_fails_fails_the_insert_and_a_retry_makes_it_whole(store: Store, catalogue: Catalogue) -> None:
    """Nothing is swallowed: what is acknowledged is behind every view, and the retry does not double what was there."""
    decoded = otlp_traces.decode(requests.message(traces(5)), requests.context(catalogue))
    store.command("RENAME TABLE gov_span_keys TO gov_span_keys_away")
    with pytest.raises(StatementError):
        requests.insert(store, decoded, token="one")
    store.command("RENAME TABLE gov_span_keys_away TO gov_span_keys")
    requests.insert(store, decoded, token="one")
    assert counts(store, "otel_traces", "interface_calls") == {"otel_traces": 5, "interface_calls": 5}


def test_a_malformed_body_fails_the_insert_of_its_group(store: Store) -> None:
    """Which is why each body is parsed before: the engine takes a group whole or not at all."""
    body = traces(1).SerializeToString() + b"\x0a\x05\x0a"
    with pytest.raises(StatementError):
        store.insert_body(otlp.TRACES_IN, body, otlp.FORMAT, otlp.settings_for(otlp.TRACES_IN), token="one")
    assert counts(store, "otel_traces") == {"otel_traces": 0}
