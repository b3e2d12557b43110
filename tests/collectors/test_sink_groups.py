"""What makes a group: an INSERT costs nearly the same for one message and for fifty, so those that wait together share one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from collectors import sink as sinks
from collectors.formats import cloudevents
from collectors.message import Context, Decoded, Message
from collectors.sink import Sink
from schema.governance import Catalogue
from schema.store import Store
from tests.collectors.watched import Watched
from tests.parts.wait import until

Make = Callable[..., Any]


def test_messages_that_wait_together_share_one_insert(
    tables: Store, catalogue: Catalogue, source: Make, message: Make, cloud_event: Make
) -> None:
    """An INSERT costs the same for one row and for thousands: without group commit fifty senders would wait in a queue."""
    watched = Watched(tables)
    sink = Sink(watched, catalogue, linger_s=0.2, writers=1)  # type: ignore[arg-type]

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(sink.deliver(source(), message(cloud_event(n))) for n in range(50)))

    receipts = asyncio.run(all_at_once())
    sink.close()
    assert [r.n_rows for r in receipts] == [1] * 50
    assert tables.value("SELECT uniqExact(object_id) FROM events") == 50
    assert watched.inserts.count("events") <= 2


def test_a_group_waits_for_what_its_source_has_at_the_decoders(
    tables: Store, catalogue: Catalogue, source: Make, message: Make, cloud_event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty senders who are answered at once come back over a tenth of a second: a group of the first three costs a whole one."""
    decoding = threading.Event()
    monkeypatch.setattr(sinks, "GATHER_S", 60)
    monkeypatch.setattr(sinks, "format_module", lambda _: Slow(decoding))
    watched = Watched(tables)
    sink = Sink(watched, catalogue, linger_s=0)  # type: ignore[arg-type]
    sent = [sink.submit(source(), message(cloud_event(n), name=name)) for n, name in enumerate(("slow", "quick"))]
    until(lambda: sink.depth["messages"] == 1)
    time.sleep(0.2)
    assert (watched.inserts, sink.depth["messages"]) == ([], 1)
    decoding.set()
    assert [future.result(timeout=60).n_rows for future in sent] == [1, 1]
    sink.close()
    assert watched.inserts.count("events") == 1


class Slow:
    """The format of CloudEvents; a message of the name `slow` is decoded when it is told so."""

    def __init__(self, told: threading.Event) -> None:
        self._told = told

    def decode(self, message: Message, context: Context) -> Decoded:
        if message.name == "slow":
            assert self._told.wait(60)
        return cloudevents.decode(message, context)


def test_a_source_alone_gets_a_second_lane_for_half_as_much_and_not_for_less(
    tables: Store, catalogue: Catalogue, source: Make, message: Make, cloud_event: Make
) -> None:
    """If the first of fifty senders that come back at once took the free lane, each INSERT would be of few messages."""
    watched = Watched(tables)
    watched.gate = threading.Event()
    sink = Sink(watched, catalogue)  # type: ignore[arg-type]

    def come(n: int, within_s: float) -> bool:
        return any(watched.n_come >= n or time.sleep(0.01) for _ in range(int(100 * within_s)))

    sent = [sink.submit(source(), message([cloud_event(n) for n in range(20)]))]
    assert come(1, within_s=60)
    sent.append(sink.submit(source(), message(cloud_event(20))))
    assert not come(2, within_s=0.5)
    sent.append(sink.submit(source(), message([cloud_event(n) for n in range(30, 42)])))
    assert come(2, within_s=60)
    assert sink.depth["messages"] == 0
    watched.gate.set()
    assert [one.result().n_rows for one in sent] == [20, 1, 12]
    sink.close()


def test_telemetry_of_several_senders_is_joined_and_every_span_is_stored(
    store: Store, catalogue: Catalogue, source: Make, message: Make, field_data: Any
) -> None:
    """Bodies of OTLP are inserted end to end as they came; a malformed one among them is rejected without the others."""
    body = next((field_data / "otlp" / "python").glob("*traces.pb")).read_bytes()
    otlp = source("otlp", "otlp_traces", "otlp")
    sink = Sink(store, catalogue)
    tried = [sink.submit(otlp, message(told)) for told in (body, b"\x0anot protobuf", body[:])]
    receipts = [future.result() for future in tried]
    sink.close()
    assert [r.rejected is None for r in receipts] == [True, False, True]
    assert receipts[0].n_rows > 0
    assert store.value("SELECT count() > 0 FROM otel_traces")
    assert store.value("SELECT count() FROM messages WHERE format = 'otlp_traces'") == 3
