"""
OTLP, what its three signals share: reading a body, and how the engine is told to decode it.

Why the engine decodes and not Python: a request is inserted as it came into a door of engine Null (`otlp_traces_in` …),
whose views make the rows, at five times the rate of Python loops and without holding the GIL. Bodies of one door are
concatenated: end to end they are one valid request. Here a body is only parsed (upb, a microsecond or two a span), because
one malformed body would fail the whole group, and what the engine cannot read (OTLP/JSON, arrays and lists of keys as
values) is brought to what it can.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, TypeVar

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as Protobuf

from collectors.formats import otlp_json, otlp_values
from collectors.message import Context, Decoded, Message
from schema.errors import BadPayload

TRACES_IN, LOGS_IN, METRICS_IN = "otlp_traces_in", "otlp_logs_in", "otlp_metrics_in"
SIGNALS = ("otlp_traces", "otlp_logs", "otlp_metrics")  # the formats of one signal each; a source named `otlp` takes all three
FORMAT = "ProtobufSingle"
MESSAGES = {TRACES_IN: "Traces", LOGS_IN: "Logs", METRICS_IN: "Metrics"}

Request = TypeVar("Request", bound=Protobuf)


@cache
def settings_for(table: str) -> Mapping[str, Any]:
    """
    The settings with which a body is inserted into one of the doors, FORMAT ProtobufSingle.

    Why each: the schema travels as text, so that a server needs no file; a body may span more than the hundred days that one
    INSERT may by default, and would be refused for ever; a repeated token must be folded behind the views as well, which
    older servers do not do by default.
    """
    return MappingProxyType({
        "format_schema_source": "string",
        "format_schema": files("collectors.formats").joinpath("otlp.proto").read_text("utf-8"),
        "format_schema_message_name": MESSAGES[table],
        "max_partitions_per_insert_block": 0,
        "deduplicate_blocks_in_dependent_materialized_views": 1,
    })  # fmt: skip


def decode(message: Message, context: Context) -> Decoded:
    """
    A body of whichever signal it says it is of: a file of OTLP/JSON, as the Collector's file exporter writes them.

    Raises: BadPayload, also for protobuf, whose bytes do not say which signal they are.
    """
    if not otlp_json.is_json(message):
        raise BadPayload(f"a request in protobuf does not say which signal it is of: name the format, {', '.join(SIGNALS)}")
    decoded: Decoded = importlib.import_module(f"{__package__}.{otlp_json.signal(message.body)}").decode(message, context)
    return decoded


def read(message: Message, kind: type[Request]) -> Request:
    """
    A body as the request it holds, from protobuf or OTLP/JSON (one request, or one a line).

    Raises: BadPayload, with what was got and where.
    """
    if otlp_json.is_json(message):
        return otlp_json.read(message.body, kind)
    try:
        return kind.FromString(message.body)
    except DecodeError as err:
        head = message.body[:16].hex(" ")
        raise BadPayload(f"{len(message.body):,} bytes are no {kind.DESCRIPTOR.name} ({err}); they begin {head}") from err


def body(message: Message, request: Protobuf, *, is_changed: bool) -> bytes:
    """The bytes for the engine: in canonical form, and with text where a value was an array or a list of keys."""
    has_new_bytes = is_changed or otlp_json.is_json(message)
    return otlp_values.flatten(request, request.SerializeToString() if has_new_bytes else message.body)
