"""
CloudEvents 1.0 and 0.3 (JSON structured, JSON batch, binary) whose data is the canonical event.

Why CloudEvents for a company's own events: it is the one envelope that every broker, SDK and serverless product can write,
and its `source` and `id` are the identity that makes a replay harmless. What the envelope says (type, time, subject, trace
context) need not be repeated in the data; what the data says counts more.

Of a batch only what is not plain (cloudevents_plain.py) comes all the way through here: this module says what is meant, and
that one is fast. An event that is wrong in a batch is rejected alone; the reject is a batch of one, so that it can be replayed
as it is.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import orjson

from collectors.canonical import Canonical, Fields, validate, written
from collectors.formats import cloudevents_plain
from collectors.message import Context, Decoded, Message, Reject, Statement, decoded
from schema import events
from schema.errors import BadPayload

CONTENT_TYPES = ("application/cloudevents+json", "application/cloudevents-batch+json", "application/json")
VERSIONS = ("1.0", "0.3")
REQUIRED = ("specversion", "id", "source", "type")
# What the envelope itself is made of; every other attribute is an extension and kept.
ENVELOPE = frozenset({
    *REQUIRED, "time", "subject", "data", "data_base64", "datacontenttype", "datacontentencoding", "dataschema", "schemaurl",
    "traceparent", "tracestate", "correlationid",
})  # fmt: skip
JSON_TYPE = re.compile(r"(application|text)/([\w.-]+\+)?json", re.IGNORECASE)


def decode(message: Message, context: Context) -> Decoded:
    """
    Turn one event or one batch into canonical events.

    Shape:  one Batch for `events`, one row an event, in the order of the batch.
    Raises: BadPayload, if the body is no CloudEvent, or none of its events can be stored.
    Source: CloudEvents 1.0.2 with its JSON format and HTTP binding; 0.3 for data_base64's forerunner.
    """
    canonical = Canonical(context)
    said: list[Statement | None] = [] if _prefix(message) else [*cloudevents_plain.read(message.body, canonical)]
    if said and all(said):
        return decoded(message, context, [one for one in said if one])
    envelopes, is_batch = _envelopes(message)
    said = said or [None] * len(envelopes)
    wrong: dict[int, str] = {}
    found: list[Fields] = []
    places: list[int] = []
    for i, envelope in enumerate(envelopes):
        if said[i]:
            continue
        place = f"event {i + 1}" if is_batch else ""
        try:
            fields = _fields(envelope)
            canonical.complete(fields, place)
        except BadPayload as err:
            wrong[i] = str(err)
            continue
        found.append(fields)
        places.append(i)
    right, refused = validate(found)
    wrong |= {places[k]: f"data.{reason}" for k, reason in refused.items()}
    for i, event in zip((i for k, i in enumerate(places) if k not in refused), right, strict=True):
        said[i] = event
    if wrong and not is_batch:
        raise BadPayload(wrong[0])
    rejects = [Reject(written([envelopes[i]]), f"event {i + 1}: {wrong[i]}") for i in sorted(wrong)]
    return decoded(message, context, [one for one in said if one], canonical.findings, rejects)


# --- the three modes ------------------------------------------------------------------------------------------------------
def _envelopes(message: Message) -> tuple[list[Any], bool]:
    if prefix := _prefix(message):
        return [_binary(message, prefix)], False
    try:
        body = orjson.loads(message.body)
    except orjson.JSONDecodeError as err:
        raise BadPayload(f"the body is not JSON: {err}") from err
    if isinstance(body, list):
        return body, True
    return [body], False


def _prefix(message: Message) -> str:
    """How the headers of binary mode begin, over HTTP or from Kafka; empty in the other modes."""
    return next((prefix for prefix in ("ce-", "ce_") if f"{prefix}specversion" in message.headers), "")


def _binary(message: Message, prefix: str) -> dict[str, Any]:
    """Binary mode: attributes in headers. HTTP percent-encodes their values (binding 3.1.3.2), Kafka does not."""
    undo = _http_value if prefix == "ce-" else str
    envelope: dict[str, Any] = {
        key.removeprefix(prefix): undo(value) for key, value in message.headers.items() if key.startswith(prefix)
    }
    for key in ("traceparent", "tracestate"):
        if key in message.headers:
            envelope.setdefault(key, message.headers[key])
    envelope["datacontenttype"] = message.content_type or "application/json"
    if message.body:
        envelope["data"] = _json_data(envelope["datacontenttype"], message.body)
    return envelope


def _http_value(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    return unquote(value)


# --- one event ------------------------------------------------------------------------------------------------------------
def _fields(envelope: Any) -> Fields:
    """The loose fields of one event: the data, and from the envelope what the data leaves unsaid."""
    if not isinstance(envelope, dict):
        raise BadPayload(f"a CloudEvent is a JSON object (got {str(envelope)[:80]!r})")
    version, id_, source, type_ = (_required(envelope, key) for key in REQUIRED)
    if version not in VERSIONS:
        raise BadPayload(f"specversion: got {version[:20]!r}; allowed: {', '.join(VERSIONS)}")
    fields = dict(_data(envelope))
    if not fields.get("event_id"):
        fields["event_id"] = events.event_id(source, id_)
    if not fields.get("event_type"):
        fields["event_type"] = type_
    if not fields.get("occurred_at") and "time" in envelope:
        fields["occurred_at"] = envelope["time"]
    if not (fields.get("object_id") and fields.get("object_type")):
        _objects(envelope, fields)
    _trace(envelope, fields)
    if not envelope.keys() <= ENVELOPE:
        _extensions(envelope, fields)
    return fields


def _required(envelope: Mapping[str, Any], key: str) -> str:
    value = envelope.get(key)
    if isinstance(value, str) and value:
        return value
    raise BadPayload(f"{key}: required, a non-empty string (got {str(value)[:80]!r})")


def _objects(envelope: Mapping[str, Any], fields: Fields) -> None:
    """Without its own, the object is the subject, and its type the first part of the event's type that names one."""
    if not fields.get("object_id") and envelope.get("subject"):
        fields["object_id"] = envelope["subject"]
    if not fields.get("object_type") and (named := cloudevents_plain.object_type(str(fields["event_type"]))):
        fields["object_type"] = named


def _trace(envelope: Mapping[str, Any], fields: Fields) -> None:
    if "correlationid" in envelope and not fields.get("correlation_id"):
        fields["correlation_id"] = envelope["correlationid"]
    for key in ("trace_id", "span_id"):
        if isinstance(fields.get(key), str):
            fields[key] = fields[key].lower()
    if "traceparent" not in envelope or fields.get("trace_id"):
        return
    if found := cloudevents_plain.trace(str(envelope["traceparent"])):
        fields["trace_id"], fields["span_id"] = found


def _extensions(envelope: Mapping[str, Any], fields: Fields) -> None:
    told = fields.get("attributes", {})
    if isinstance(told, dict):
        fields["attributes"] = {key: envelope[key] for key in envelope.keys() - ENVELOPE} | told


def _data(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    type_ = envelope.get("datacontenttype") or "application/json"
    data = envelope.get("data")
    if "data_base64" in envelope or envelope.get("datacontentencoding") == "base64":
        data = _json_data(type_, _base64(envelope.get("data_base64", data)))
    if data is None:
        return {}
    _check_type(type_)
    if not isinstance(data, dict):
        raise BadPayload(f"data: a JSON object with the fields of an event (got {str(data)[:80]!r})")
    return data


def _check_type(type_: Any) -> None:
    if type_ != "application/json" and not JSON_TYPE.match(str(type_)):
        raise BadPayload(f"datacontenttype: got {str(type_)[:80]!r}; allowed: application/json")


def _json_data(type_: Any, data: bytes) -> Any:
    _check_type(type_)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as err:
        raise BadPayload(f"data is not JSON: {err}") from err


def _base64(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError) as err:
        raise BadPayload(f"data_base64: no base64: {err}") from err
