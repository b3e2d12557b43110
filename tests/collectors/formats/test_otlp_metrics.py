"""OTLP metrics: one request through one door into five tables, each row equal to the reference's."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from collectors.formats import otlp, otlp_metrics
from schema.errors import BadPayload
from schema.governance import Catalogue
from schema.store import Store
from tests.collectors.formats import otlp_reference as reference
from tests.collectors.formats import otlp_requests as requests


def stored(store: Store) -> dict[str, list[str]]:
    return {
        kind: reference.same(reference.stored(store, columns, f"otel_metrics_{kind}"))
        for kind, columns in reference.METRICS.items()
    }


def expected(request: ExportMetricsServiceRequest) -> dict[str, list[str]]:
    return {kind: reference.same(rows) for kind, rows in reference.metrics(request).items()}


def test_the_engine_makes_of_any_requests_what_the_reference_makes(shared_store: Store, catalogue: Catalogue) -> None:
    """The decoder is SQL; only a second decoder, and requests that nobody thought of, can show that it is right."""

    @settings(max_examples=10, suppress_health_check=list(HealthCheck))
    @given(st.lists(requests.metrics, min_size=1, max_size=12))
    def holds(group: list[ExportMetricsServiceRequest]) -> None:
        requests.empty(shared_store, [f"otel_metrics_{kind}" for kind in reference.METRICS])
        rows = {kind: reference.same(row for r in group for row in reference.metrics(r)[kind]) for kind in reference.METRICS}
        n = requests.take_all(shared_store, catalogue, otlp_metrics, otlp.METRICS_IN, group)
        assert n == sum(len(of_kind) for of_kind in rows.values())
        assert rows == stored(shared_store)

    holds()


def test_a_metric_without_points_is_nothing(catalogue: Catalogue) -> None:
    """SDKs announce instruments that measured nothing yet."""
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add().scope_metrics.add().metrics.add(name="empty").gauge.SetInParent()
    assert otlp_metrics.decode(requests.message(request), requests.context(catalogue)).batches == ()


def test_one_series_has_one_hash_in_whatever_order_its_attributes_come(store: Store, catalogue: Catalogue) -> None:
    """The sort key holds a hash of the attributes: unsorted, one series would lie in as many places as it has orders."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    for names in ("ab", "ba"):
        point = metric.gauge.data_points.add(as_int=1)
        for name in names:
            point.attributes.add(key=name).value.string_value = name
    requests.take(store, catalogue, otlp_metrics, request)
    assert tuple(store.query("SELECT count(), uniqExact(cityHash64(Attributes)) FROM otel_metrics_gauge")[0].values()) == (2, 1)


def test_what_is_no_request_is_rejected_with_its_first_bytes(catalogue: Catalogue) -> None:
    """One malformed body would fail the INSERT of the whole group."""
    with pytest.raises(BadPayload, match=r"3 bytes are no ExportMetricsServiceRequest .* begin ff ff ff"):
        otlp_metrics.decode(requests.message(b"\xff\xff\xff"), requests.context(catalogue))


REAL = {
    "nodered/0001_v1_metrics.json": 52,
    "nodered/0003_v1_metrics.json": 58,
    "nodered/0005_v1_metrics.json": 58,
    "nodered/0006_v1_metrics.json": 58,
    "python/0003_v1_metrics.pb": 2,
    "python/0006_v1_metrics.pb": 2,
    "otelproto_metrics.json": 4,
}


@pytest.mark.parametrize("name", REAL)
def test_what_real_exporters_sent_is_stored_whole(name: str, field_data: Path, store: Store, catalogue: Catalogue) -> None:
    """Samples that we wrote ourselves share our mistakes."""
    message = requests.message((field_data / "otlp" / name).read_bytes())
    requests.insert(store, otlp_metrics.decode(message, requests.context(catalogue)))
    rows = expected(otlp.read(message, ExportMetricsServiceRequest))
    assert REAL[name] == sum(len(of_kind) for of_kind in rows.values())
    assert rows == stored(store)
