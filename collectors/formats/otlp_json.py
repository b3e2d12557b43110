"""
OTLP/JSON into the request that the protobuf form of the same message is, so that one path follows.

Why not protobuf's JSON reader alone: OTLP/JSON differs from it in one thing, ids are hexadecimal (in either case) and not
base64; the rest (integers as numbers or strings, enums as numbers or names, unknown fields ignored) it does by itself. A
file may hold one request a line, as the Collector's file exporter writes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, TypeVar

import orjson
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message as Protobuf

from collectors.message import Message
from schema.errors import BadPayload

IDS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})
BOM = b"\xef\xbb\xbf"
KEYS = {
    "resourceSpans": "otlp_traces", "resource_spans": "otlp_traces",
    "resourceLogs": "otlp_logs", "resource_logs": "otlp_logs",
    "resourceMetrics": "otlp_metrics", "resource_metrics": "otlp_metrics",
}  # fmt: skip

Request = TypeVar("Request", bound=Protobuf)


def is_json(message: Message) -> bool:
    """
    Whether a body is JSON, by its first byte, for senders do mislabel.

    A request in protobuf begins with the tag of its first field, which is a line feed, and where that field is 123 bytes long
    the next byte is a brace: only where the sender or the file's name says JSON may line feeds come before it.
    """
    start = message.body.removeprefix(BOM)
    says_json = "json" in message.content_type or message.name.endswith((".json", ".jsonl"))
    return start.lstrip(None if says_json else b" \t\r")[:1] in (b"{", b"[")


def signal(body: bytes) -> str:
    """The format of the signal that a body's first document is of. Raises: BadPayload, if it is none."""
    for where, document in _documents(body.removeprefix(BOM)):
        if isinstance(document, dict) and (found := next((KEYS[key] for key in document if key in KEYS), "")):
            return found
        raise BadPayload(f"{where} is no request of OTLP/JSON: it has none of {', '.join(KEYS)}")
    raise BadPayload("the body holds no document of OTLP/JSON")


def read(body: bytes, kind: type[Request]) -> Request:
    """
    One request out of one or many JSON documents.

    Raises: BadPayload for what is no JSON or no request of this signal, with the line and the field.
    """
    request = kind()
    for where, document in _documents(body.removeprefix(BOM)):
        _check(document, kind, where)
        try:
            request.MergeFrom(ParseDict(_with_ids(document, where), kind(), ignore_unknown_fields=True))
        except ParseError as err:
            raise BadPayload(f"{where} is no {kind.DESCRIPTOR.name} in OTLP/JSON: {err}") from err
    return request


def _documents(body: bytes) -> Iterator[tuple[str, Any]]:
    try:
        yield "the body", orjson.loads(body)
        return
    except orjson.JSONDecodeError as err:
        whole = err
    lines = [(f"line {i}", line) for i, line in enumerate(body.splitlines(), 1) if line.strip()]
    for where, line in lines:
        try:
            yield where, orjson.loads(line)
        except orjson.JSONDecodeError as err:
            said = f"{where}: {err}" if where != "line 1" else str(whole)
            raise BadPayload(f"neither one JSON document nor one a line: {said}") from err


def _check(document: Any, kind: type[Protobuf], where: str) -> None:
    field = kind.DESCRIPTOR.fields[0]
    if not isinstance(document, dict):
        raise BadPayload(f"{where} is a JSON {type(document).__name__}, not an object with {field.json_name!r}")
    if document and not document.keys() & {field.json_name, field.name}:
        said = ", ".join(sorted(document)[:8])
        hint = " (another signal: send it to that signal's address)" if document.keys() & KEYS.keys() else ""
        raise BadPayload(f"{where} has {said}{hint}, not {field.json_name!r}: it is no {kind.DESCRIPTOR.name}")


def _with_ids(node: Any, where: str) -> Any:
    if isinstance(node, list):
        return [_with_ids(item, where) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _base64(key, item, where) if key in IDS and isinstance(item, str) else _with_ids(item, where)
        for key, item in node.items()
    }


def _base64(key: str, digits: str, where: str) -> str:
    try:
        return base64.b64encode(binascii.unhexlify(digits)).decode()
    except ValueError as err:
        raise BadPayload(f"{where}: {key} {digits[:64]!r} is no hexadecimal id, which OTLP/JSON has (not base64)") from err
