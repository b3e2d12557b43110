"""
Calls as spans: OTLP requests, as an exporter of the integration hub would have sent them.

Why bytes by hand and not the classes of opentelemetry-proto: a hundred thousand spans are a third of what it costs to tell the
history, and nearly all of a span's bytes are those of the span before; a test holds the bytes against the classes. They go
through the same door of the engine as everybody's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from struct import Struct

from collectors.demo.telling import Call

SPANS_A_BODY = 2000
OBJECT_KEYS = {
    "order": "milepost.order_id", "shipment": "milepost.shipment_id", "invoice": "milepost.invoice_id",
    "inventory": "milepost.movement_id", "return": "milepost.return_id",
}  # fmt: skip
HUB, FIRST_VERSION = "integration-hub", "1.8.0"
Deploys = Mapping[str, Sequence[tuple[int, str]]]


def attributes(call: Call) -> dict[str, str | int]:
    """The attributes of a call's span."""
    told: dict[str, str | int] = {
        "milepost.interface": call.interface,
        "milepost.attempt": call.attempt,
        "messaging.message.id": call.message,
    }
    if call.object_id:
        told[OBJECT_KEYS[call.object_type]] = call.object_id
    if call.region:
        told["milepost.region"] = call.region
    if call.partner:
        told["milepost.partner"] = call.partner
    if call.is_throttled:
        told["http.response.status_code"] = 429
    return told


def version_of(service: str, at: int, deploys: Deploys) -> str:
    """The version of a service that was live at a time."""
    rolled_out = deploys.get(service, ())
    i = bisect_right([since for since, _ in rolled_out], at)
    return rolled_out[i - 1][1] if i else FIRST_VERSION


def resource_of(service: str, version: str) -> dict[str, str]:
    """What an instance of the hub says of itself."""
    told = {"service.name": service, "service.version": version, "service.namespace": HUB}
    return told | {"deployment.environment.name": "demo"}


def body(calls: Iterable[Call], deploys: Deploys) -> bytes:
    """One ExportTraceServiceRequest with a ResourceSpans for each service and version."""
    by_resource: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    for call in calls:
        by_resource[call.service, version_of(call.service, call.at, deploys)].append(_span(call))
    return b"".join(_resource_spans(key, spans) for key, spans in by_resource.items())


def bodies(calls: Iterable[Call], deploys: Deploys, size: int = SPANS_A_BODY) -> Iterator[tuple[bytes, int]]:
    """Requests of at most `size` spans, each with how many it holds."""
    group: list[Call] = []
    for call in calls:
        group.append(call)
        if len(group) == size:
            yield body(group, deploys), size
            group = []
    if group:
        yield body(group, deploys), len(group)


# --- protobuf: fields in the order of their numbers, as opentelemetry/proto/trace/v1/trace.proto has them ------------------
_IDS = Struct("<BB16sBB8s")  # trace_id (1), span_id (2)
_PARENT = Struct("<BB8s")  # parent_span_id (4)
_TIMES = Struct("<BQBQ")  # start_time_unix_nano (7), end_time_unix_nano (8)
_LINK = Struct("<BBBB16sBB8s")  # links (13) with trace_id (1), span_id (2)
NAME, KIND, ATTRIBUTES, STATUS = b"\x2a", b"\x30", b"\x4a", b"\x7a"
OK = STATUS + b"\x02\x18\x01"


def _span(call: Call) -> bytes:
    """A field `spans` of ScopeSpans."""
    ended = call.at * 10**9
    told = [
        _IDS.pack(0x0A, 16, bytes.fromhex(call.trace), 0x12, 8, bytes.fromhex(call.span)),
        _PARENT.pack(0x22, 8, bytes.fromhex(call.parent)) if call.parent else b"",
        _named(call.interface, call.kind),
        _TIMES.pack(0x39, ended - call.ms * 10**6, 0x41, ended),
        *[_attribute(key, value) for key, value in attributes(call).items()],
        _linked(*call.link) if call.link[0] else b"",
    ]
    if call.error:
        told.append(_sized(STATUS, _sized(b"\x12", call.error.encode()) + b"\x18\x02"))
    elif not call.is_throttled:
        told.append(OK)
    return _sized(b"\x12", b"".join(told))


def _linked(trace: str, span: str) -> bytes:
    return _LINK.pack(0x6A, 28, 0x0A, 16, bytes.fromhex(trace), 0x12, 8, bytes.fromhex(span))


@cache
def _named(interface: str, kind: int) -> bytes:
    return _sized(NAME, interface.encode()) + KIND + bytes([kind])


def _attribute(key: str, value: str | int) -> bytes:
    """A field `attributes` of a span."""
    if key in UNIQUE:
        return ATTRIBUTES + _pair(key, value)
    return _common(key, value)


UNIQUE = frozenset({"messaging.message.id", *OBJECT_KEYS.values()})


@cache
def _common(key: str, value: str | int) -> bytes:
    return ATTRIBUTES + _pair(key, value)


def _pair(key: str, value: str | int) -> bytes:
    """A KeyValue with its size."""
    any_value = _sized(b"\x0a", value.encode()) if isinstance(value, str) else b"\x18" + _varint(value)
    return _sized(b"", _key(key) + _sized(b"\x12", any_value))


@cache
def _key(key: str) -> bytes:
    return _sized(b"\x0a", key.encode())


def _resource_spans(key: tuple[str, str], spans: Sequence[bytes]) -> bytes:
    """A field `resource_spans` of the request."""
    resource = b"".join(b"\x0a" + _pair(k, v) for k, v in resource_of(*key).items())
    scope = _sized(b"\x0a", HUB.encode()) + _sized(b"\x12", b"1")
    scoped = _sized(b"\x12", _sized(b"\x0a", scope) + b"".join(spans))
    return _sized(b"\x0a", _sized(b"\x0a", resource) + scoped)


def _sized(tag: bytes, payload: bytes) -> bytes:
    return tag + _varint(len(payload)) + payload


def _varint(n: int) -> bytes:
    if n < 0x80:
        return SMALL[n]
    found = bytearray()
    while n >= 0x80:
        found.append(n & 0x7F | 0x80)
        n >>= 7
    found.append(n)
    return bytes(found)


SMALL = [bytes([n]) for n in range(0x80)]
