"""
How the live part speaks: OTLP by the SDK's exporter, CloudEvents by HTTP, X12 and JSON files by a drop folder.

Why only the real doors: what the demo shows is then what a user gets, acknowledgement, back-pressure and all; nothing is
inserted behind the collectors' back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import orjson
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from collectors.demo import edi, telemetry
from collectors.demo.cast import CARRIERS, NIGHTLY_FEED
from collectors.demo.telling import Call, Said
from schema.errors import SourceUnavailable

BATCH = 500
TIMEOUT_S = 30
HEADERS = {"Content-Type": "application/cloudevents-batch+json"}
BY_FILE = {"carrier-ocln": ".edi", NIGHTLY_FEED: ".json"}
SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class Doors:
    """
    The doors of a running Milepost.

    Raises: SourceUnavailable, where a door does not take what it is given: keep it and come back.
    """

    def __init__(self, url: str, data: Path, deploys: telemetry.Deploys) -> None:
        self._data, self._deploys = data, deploys
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT_S)
        self._exporter = OTLPSpanExporter(endpoint=f"{url}/v1/traces", timeout=TIMEOUT_S)
        self._resources: dict[tuple[str, str], Resource] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None) -> None:
        self._http.close()
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def say(self, source: str, said: Sequence[Said], now: int) -> None:
        """Bring statements to their source's door; none of them is a batch too, and shows that the feed is alive."""
        if suffix := BY_FILE.get(source):
            self._drop(source, suffix, said, now)
            return
        for start in range(0, max(1, len(said)), BATCH):
            self._post(source, [envelope(one) for one in said[start : start + BATCH]])

    def trace(self, calls: Sequence[Call]) -> None:
        """Export calls as spans."""
        for start in range(0, len(calls), BATCH):
            spans = [self._span(call) for call in calls[start : start + BATCH]]
            if self._exporter.export(spans) is not SpanExportResult.SUCCESS:
                raise SourceUnavailable(f"the intake did not take {len(spans)} spans")

    def _post(self, source: str, batch: list[dict[str, Any]]) -> None:
        try:
            answer = self._http.post(f"/v1/events/{source}", content=orjson.dumps(batch), headers=HEADERS)
        except httpx.HTTPError as err:
            raise SourceUnavailable(f"/v1/events/{source}: {err}") from err
        if answer.status_code not in (200, 400):  # 400: stands in `rejects`, and sending it again cannot help
            raise SourceUnavailable(f"/v1/events/{source} answered {answer.status_code}: {answer.text[:200]}")

    def _drop(self, source: str, suffix: str, said: Sequence[Said], now: int) -> None:
        """Write beside the folder's pattern, then rename: the collector never sees half a file."""
        if not said:
            return
        folder = self._data / "drop" / source
        folder.mkdir(parents=True, exist_ok=True)
        body = orjson.dumps([envelope(one) for one in said]) if suffix == ".json" else self._edi(source, said, now)
        part = folder / f".{now}{suffix}.part"
        part.write_bytes(body)
        part.rename(folder / f"{source}-{now}{suffix}")

    def _edi(self, source: str, said: Sequence[Said], now: int) -> bytes:
        carrier = next(c.scac for c in CARRIERS.values() if c.source == source)
        known = [one for one in said if one.classifier == "EST" or one.state in edi.CODES]
        return b"".join(edi.interchange(carrier, one) for one in known)

    def _span(self, call: Call) -> ReadableSpan:
        key = (call.service, telemetry.version_of(call.service, call.at, self._deploys))
        resource = self._resources.setdefault(key, Resource(telemetry.resource_of(*key)))
        return ReadableSpan(
            name=call.interface,
            context=_context(call.trace, call.span),
            parent=_context(call.trace, call.parent) if call.parent else None,
            resource=resource,
            attributes=telemetry.attributes(call),
            links=[Link(_context(*call.link))] if call.link[0] else [],
            kind=SpanKind(call.kind - 1),
            status=_status(call),
            start_time=call.at * 10**9 - call.ms * 10**6,
            end_time=call.at * 10**9,
            instrumentation_scope=InstrumentationScope(telemetry.HUB, "1"),
        )


def envelope(said: Said) -> dict[str, Any]:
    """A statement as a CloudEvent; its data names the event by the identity that history would have given it."""
    return {
        "specversion": "1.0",
        "id": f"{said.event_id}-{said.version}-{said.said_at}",
        "source": f"/demo/{said.teller.source}",
        "type": f"{said.object_type}.{'status' if said.code else said.state}",
        "time": _iso(said.at),
        "data": {key: value for key, value in _data(said).items() if value not in ("", [], {}, 0)},
    }


def _data(said: Said) -> Mapping[str, Any]:
    return {
        "event_id": said.event_id,
        "event_version": said.version,
        "occurred_at": _iso(said.at),
        "recorded_at": _iso(said.said_at),
        "classifier": said.classifier,
        "object_type": said.object_type,
        "object_id": said.object_id,
        "related": [{"object_type": type_, "object_id": id_} for type_, id_ in said.related],
        "keys": list(said.keys),
        "state": said.state,
        "source_code": said.code,
        "code_list": "TMS" if said.code else "",
        "code_element": "status" if said.code else "",
        "system": said.teller.system,
        "system_role": said.teller.role,
        **said.cuts._asdict(),
        "location": said.location,
        "amount": said.amount,
        "currency": said.currency,
        "quantity": said.quantity,
        "unit": said.unit,
        "trace_id": said.trace,
        "span_id": said.span,
        "correlation_id": said.correlation,
        "exception_code": said.exception,
        "is_retracted": said.is_retracted,
        "attributes": said.attributes,
    }


def _status(call: Call) -> Status:
    if call.error:
        return Status(StatusCode.ERROR, call.error)
    return Status(StatusCode.UNSET if call.is_throttled else StatusCode.OK)


def _context(trace: str, span: str) -> SpanContext:
    return SpanContext(int(trace, 16), int(span, 16), is_remote=False, trace_flags=SAMPLED)


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
