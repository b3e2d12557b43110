"""
How fast messages become rows: telemetry and business events, from a body to a commit, against the limit of the store itself.

Why the limit is an INSERT SELECT of the same rows into the same tables, views and all: it is what the store costs without
anybody speaking to it, measured in the same minute on the same machine, in turns. Why the collector is tamed: as in `milepost up`.
"""

from __future__ import annotations

import contextlib
import gzip
import tempfile
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collectors.demo import telemetry
from collectors.demo.telling import Call
from collectors.formats import cloudevents
from collectors.message import Context, Message, Source
from collectors.runner import tame_collector
from collectors.sink import Sink
from schema import governance
from schema.governance import Catalogue
from schema.migrate import migrate
from schema.store import Store, connect
from tests.bench.freshness import milepost
from tests.bench.row import TURNS, Row, at_least, at_most, in_turns, quantile, told, took
from tests.collectors.formats import otlp_reference

GROUPS, SPANS, BODIES, EVENTS = 6, 20_000, 10, 10_000
CONNECTIONS, REQUESTS, HTTP_SPANS = 48, 600, 512  # as the batch processors of the SDKs send by default
GZIP = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
OTLP, BUSINESS = Source("otlp", "otlp", "otlp_traces"), Source("events", "webhook", "cloudevents")
SPAN_COLUMNS = (
    "Timestamp", "TraceId", "SpanId", "ParentSpanId", "TraceState", "SpanName", "SpanKind", "ServiceName", "ResourceAttributes",
    "ScopeName", "ScopeVersion", "SpanAttributes", "Duration", "StatusCode", "StatusMessage",
)  # fmt: skip


def measure() -> Iterator[Row]:
    """Telemetry, then business events, into an empty store."""
    with tempfile.TemporaryDirectory() as folder:
        store, catalogue = connect(f"chdb://{folder}"), governance.load()
        migrate(store, catalogue)
        tame_collector()
        limit = yield from _telemetry(store, catalogue)
        yield from _business(store, catalogue)
        store.close()
        # While this folder is still there: see __main__.
        yield from _over_http(limit)


# --- telemetry -----------------------------------------------------------------------------------------------------------
def _telemetry(store: Store, catalogue: Catalogue) -> Generator[Row, None, float]:
    """Through the sink; what is returned is the limit in spans a second."""
    requests = [telemetry.body(_calls(n), {}) for n in range(GROUPS * (1 + TURNS))]
    n, fresh = GROUPS * SPANS, iter(requests)  # the same body again would be recognised

    def deliver() -> None:
        _deliver(store, catalogue, OTLP, "application/x-protobuf", list(islice(fresh, GROUPS)))

    deliver()
    store.command("CREATE TABLE bench_spans AS otel_traces ENGINE = Memory")
    store.command("INSERT INTO bench_spans SELECT * FROM otel_traces")
    limit_s, loops_s, engine_s = in_turns(
        lambda: store.command("INSERT INTO otel_traces SELECT * FROM bench_spans"), lambda: _by_loops(store, requests[0]), deliver
    )
    store.command("DROP TABLE bench_spans")
    rate = f"{n / engine_s:,.0f} spans/s"
    yield at_least("OTLP body to commit, of an INSERT SELECT of the same rows", limit_s / engine_s, 0.45, more=rate)
    yield at_least("OTLP body to commit, against upb, Python loops and insert", loops_s * GROUPS / engine_s, 5, "x")
    return n / limit_s


def _calls(group: int, n: int = SPANS) -> list[Call]:
    """As the middleware of the demo makes them: one in twenty fails, objects come back."""
    since = int((datetime.now(UTC) - timedelta(hours=6)).timestamp())
    return [
        Call(
            f"erp.orders.{i % 7}", "erp-connector", 3, since + i % 20_000, 20 + i % 400, f"{group * SPANS + i // 3 + 1:032x}",
            f"{group * SPANS + i + 1:016x}", "", ("", ""), "EU-West", "ACME", "order", f"BENCH-{i % 5000}", f"{i:016x}",
            error="refused by the partner" if i % 20 == 0 else "",
        )
        for i in range(n)
    ]  # fmt: skip


def _by_loops(store: Store, body: bytes) -> None:
    """What a user would write: parse, loop, insert."""
    rows = otlp_reference.spans(ExportTraceServiceRequest.FromString(body))
    plain = [
        (
            datetime.fromtimestamp(row[0] / 1e9, UTC), *row[1:8], dict(row[8]), *row[9:11], dict(row[11]), *row[12:15],
        )
        for row in rows
    ]  # fmt: skip
    store.insert("otel_traces", SPAN_COLUMNS, plain)


def _over_http(limit: float) -> Iterator[Row]:
    """
    A Milepost of its own, and 48 senders on the same cores; each request is answered after its commit.

    With so many under way at any time, none waits less than 48 divided by the requests a second: the wait is the rate, told
    otherwise. The senders' bodies are packed beforehand, and they speak with the least that Python has for it.
    """
    bodies = [gzip.compress(telemetry.body(_calls(100 + n, HTTP_SPANS), {}), 1) for n in range(REQUESTS)]
    waits: list[float] = []
    with tempfile.TemporaryDirectory() as folder, milepost(Path(folder)) as (_, intake, _):
        todo, host = iter(bodies), intake.removeprefix("http://")

        def send(_: int) -> None:
            with contextlib.closing(HTTPConnection(host, timeout=120)) as connection:
                for body in todo:
                    began = time.perf_counter()
                    connection.request("POST", "/v1/traces", body, GZIP)
                    answer = connection.getresponse()
                    if answer.status != 200:
                        raise SystemExit(f"the benchmark's own spans were refused: {answer.status} {answer.read()!r}")
                    answer.read()
                    waits.append(time.perf_counter() - began)

        began = time.process_time()
        with ThreadPoolExecutor(CONNECTIONS) as senders:
            seconds = took(lambda: list(senders.map(send, range(CONNECTIONS))))
        share = (time.process_time() - began) / seconds
    rate = REQUESTS * HTTP_SPANS / seconds
    more = f"{rate:,.0f} spans/s, the senders took {share:.2f} of the same cores"
    yield at_least(f"OTLP over HTTP, gzip, {CONNECTIONS} connections, of the same limit", rate / limit, 0.35, more=more)
    yield at_most("  acknowledged after the commit, p95", 1000 * quantile(waits, 0.95), 500, " ms")


# --- business events -------------------------------------------------------------------------------------------------------
def _business(store: Store, catalogue: Catalogue) -> Iterator[Row]:
    bodies = [orjson.dumps([_event(n * EVENTS + i) for i in range(EVENTS)]) for n in range(BODIES)]
    def deliver() -> None:
        _deliver(store, catalogue, BUSINESS, "application/cloudevents-batch+json", bodies)

    deliver()
    store.command("CREATE TABLE bench_events AS events ENGINE = Memory")
    store.command("INSERT INTO bench_events SELECT * FROM events WHERE startsWith(object_id, 'BENCH-')")
    limit_s, took_s = in_turns(lambda: store.command("INSERT INTO events SELECT * FROM bench_events"), deliver)
    store.command("DROP TABLE bench_events")
    rate = f"{BODIES * EVENTS / took_s:,.0f} events/s"
    yield at_least("business events validated and committed, of an INSERT SELECT", limit_s / took_s, 0.12, more=rate)
    only_decoding = took(lambda: [_decode(catalogue, body) for body in bodies[:3]]) / 3 * BODIES
    yield Row("  of which decoding and validating, one thread", f"{BODIES * EVENTS / only_decoding:,.0f} events/s")


def _event(i: int) -> dict[str, object]:
    at = (datetime.now(UTC) - timedelta(seconds=i % 5000)).isoformat()
    return {
        "specversion": "1.0", "id": f"bench-{i}", "source": "/bench", "type": "order.confirmed", "time": at,
        "data": {
            "object_type": "order", "object_id": f"BENCH-{i // 3}", "state": "confirmed", "system": "erp", "system_role": "erp",
            "customer": f"C{i % 300}", "region": "EU-West", "warehouse": "RTM1", "amount": "100.50", "currency": "EUR",
        },
    }  # fmt: skip


def _decode(catalogue: Catalogue, body: bytes) -> None:
    message = Message(body, datetime.now(UTC), "application/cloudevents-batch+json")
    cloudevents.decode(message, Context(BUSINESS, catalogue))


def _deliver(store: Store, catalogue: Catalogue, source: Source, content_type: str, bodies: list[bytes]) -> None:
    """As receivers do: handed in at once, done when all are acknowledged."""
    sink = Sink(store, catalogue)
    with ThreadPoolExecutor(4) as senders:
        receipts = senders.map(lambda body: sink.deliver_now(source, Message(body, datetime.now(UTC), content_type)), bodies)
        wrong = [receipt.rejected for receipt in receipts if receipt.rejected]
    sink.close()
    if wrong:
        raise SystemExit(f"the benchmark's own body was rejected: {wrong[0]}")


if __name__ == "__main__":
    told(measure())
