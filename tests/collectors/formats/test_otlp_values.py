"""The text of an OTLP value: exact texts, as the Collector's exporter writes them, and the engine's the same."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from collectors.formats import otlp_logs, otlp_values
from collectors.formats.otlp_values import number, text
from schema.governance import Catalogue
from schema.store import Store
from tests.collectors.formats import otlp_requests as requests


def array(*values: AnyValue) -> AnyValue:
    return AnyValue(array_value=ArrayValue(values=values))


def kvlist(**members: AnyValue | None) -> AnyValue:
    return AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key=k, value=v) for k, v in members.items()]))


ONE, TEXT, RAW = AnyValue(int_value=1), AnyValue(string_value='a"/\\\n\u2028é'), AnyValue(bytes_value=b"\xff\x00")
TEXTS: list[tuple[AnyValue, str]] = [
    (AnyValue(), ""),
    (AnyValue(string_value=""), ""),
    (TEXT, 'a"/\\\n\u2028é'),
    (AnyValue(bool_value=True), "true"),
    (AnyValue(bool_value=False), "false"),
    (AnyValue(int_value=0), "0"),
    (AnyValue(int_value=-(2**63)), "-9223372036854775808"),
    (AnyValue(int_value=2**63 - 1), "9223372036854775807"),
    (AnyValue(double_value=0.1), "0.1"),
    (AnyValue(double_value=3.0), "3"),
    (AnyValue(double_value=-0.0), "-0"),
    (AnyValue(double_value=1e-6), "0.000001"),
    (AnyValue(double_value=1.5e-7), "1.5e-7"),
    (AnyValue(double_value=1e20), "100000000000000000000"),
    (AnyValue(double_value=1e21), "1e+21"),
    (AnyValue(double_value=math.nan), "json: unsupported value: NaN"),
    (AnyValue(double_value=math.inf), "json: unsupported value: +Inf"),
    (AnyValue(double_value=-math.inf), "json: unsupported value: -Inf"),
    (AnyValue(bytes_value=b""), ""),
    (RAW, "/wA="),
    (array(), "[]"),
    (kvlist(), "{}"),
    (array(ONE, TEXT, RAW, AnyValue(), AnyValue(double_value=1e21)), '[1,"a\\"/\\\\\\n\\u2028é","/wA=",null,1e+21]'),
    (array(AnyValue(double_value=math.nan), AnyValue(bytes_value=b"")), '["NaN",""]'),
    (
        kvlist(b=ONE, a=array(kvlist(z=None, y=array(array(ONE)))), B=AnyValue(bool_value=True)),
        '{"B":true,"a":[{"y":[[1]],"z":null}],"b":1}',
    ),
    (AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="k", value=v) for v in (ONE, RAW)])), '{"k":"/wA="}'),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), TEXTS)
def test_a_value_has_the_text_that_the_exporter_writes(value: AnyValue, expected: str) -> None:
    """Rows written by a real Collector and rows written by us lie in one table and must be found by one filter."""
    assert expected == text(value)


def test_the_engine_writes_the_same_texts(store: Store, catalogue: Catalogue) -> None:
    """The golden texts hold for the SQL as well, as the body of a log record and as an attribute."""
    request = ExportLogsServiceRequest()
    scoped = request.resource_logs.add().scope_logs.add()
    for i, (value, _) in enumerate(TEXTS):
        scoped.log_records.add(body=value, attributes=[KeyValue(key="v", value=value)], time_unix_nano=i + 1)
    requests.take(store, catalogue, otlp_logs, request)
    rows = store.query("SELECT Body, LogAttributes['v'] AS v FROM otel_logs ORDER BY Timestamp")
    assert [{"Body": expected, "v": expected} for _, expected in TEXTS] == rows


@pytest.mark.parametrize("size", [126, 127, 128, 129, 16382, 16383, 16384, 2_097_150, 2_097_151, 2_097_152])
def test_a_text_of_any_length_is_whole(size: int, shared_store: Store, catalogue: Catalogue) -> None:
    """The length before a string takes a byte more at each of these sizes; one off would cut or stain every long text."""
    requests.empty(shared_store, ["otel_logs"])
    request = ExportLogsServiceRequest()
    scoped = request.resource_logs.add().scope_logs.add()
    raw = KeyValue(key="raw", value=AnyValue(bytes_value=b"x" * size))
    scoped.log_records.add(body=AnyValue(string_value="x" * size), attributes=[raw])
    requests.take(shared_store, catalogue, otlp_logs, request)
    sql = """
        SELECT length(Body), countSubstrings(Body, 'x'), length(base64Decode(LogAttributes['raw'])) FROM otel_logs
    """
    assert list(shared_store.query(sql)[0].values()) == [size, size, size]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_as_itself(x: float) -> None:
    """The shortest form is only right if nothing is lost."""
    assert repr(x) == repr(float(number(x)))


def test_the_engine_writes_numbers_alike(shared_store: Store) -> None:
    """ECMAScript's form is the engine's own but for the plus sign; a new engine version must not change that silently."""

    @settings(max_examples=30)
    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=200))
    def holds(numbers: list[float]) -> None:
        sql = "SELECT arrayMap(x -> replaceRegexpOne(toString(x), 'e([0-9])', 'e+\\\\1'), {xs:Array(Float64)}) AS texts"
        (row,) = shared_store.query(sql, {"xs": numbers})
        assert [number(x) for x in numbers] == row["texts"]

    holds()


@settings(max_examples=200)
@given(requests.logs)
def test_flattened_values_keep_their_text(request: ExportLogsServiceRequest) -> None:
    """Flattening is a change of form: no text that reaches a table may differ by it."""
    texts = [text(r.body) for rl in request.resource_logs for sl in rl.scope_logs for r in sl.log_records]
    flat = ExportLogsServiceRequest.FromString(otlp_values.flatten(request, request.SerializeToString()))
    bodies = [r.body for rl in flat.resource_logs for sl in rl.scope_logs for r in sl.log_records]
    assert texts == [text(body) for body in bodies]
    assert not {body.WhichOneof("value") for body in bodies} & {"array_value", "kvlist_value"}
