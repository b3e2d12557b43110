"""What all sources use together is shared: one that floods, trickles or unfolds a bomb finds itself waiting, and not the others."""

from __future__ import annotations

import contextlib
import gzip
import select
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from collectors import door as doors
from collectors.commit import commit
from collectors.config import MB, Limits, Settings
from collectors.fairness import FairPool, Overloaded, Room, Turns
from collectors.message import Source
from collectors.sink import Sink
from schema.governance import Catalogue
from schema.store import Store
from tests.collectors.intake import EVENTS, STRUCTURED, Intake
from tests.parts.wait import until

Make = Callable[..., Any]
BATCH = {"content-type": "application/cloudevents-batch+json"}
GZIP = {**STRUCTURED, "content-encoding": "gzip"}
FLOOD = Source("flood", "webhook", "cloudevents")
# A thousand members end to end, ten megabytes each: 10 GB in 10 MB.
BOMB = gzip.compress(b"0" * 10_000_000) * 1000


# --- the parts -------------------------------------------------------------------------------------------------------------
def test_one_source_never_takes_the_room_that_the_next_will_need() -> None:
    """Half alone, a third beside another: whoever comes finds something free, without a reservation for each of many."""
    room = Room(1200)

    def fill(whose: str) -> int:
        n = 0
        with contextlib.suppress(Overloaded):
            while True:
                room.take(10, whose)
                n += 10
        return n

    assert fill("a") == 600
    assert fill("b") == 300
    assert fill("c") == 150
    room.give(600, "a")
    assert fill("b") == 230
    assert room.used == 680


def test_the_turn_is_that_of_the_source_that_has_had_least_in_bytes() -> None:
    """By messages alone, a source of large bodies would get a thousand times the time of one of small bodies."""
    turns: Turns[str] = Turns()
    for n in range(3):
        turns.put(f"big{n}", "big", 1_000_000)
    for n in range(4):
        turns.put(f"small{n}", "small", 100)
    both = ("big", "small")
    assert [turns.take(both) for _ in range(8)] == ["big0", "small0", "small1", "small2", "small3", "big1", "big2", None]
    assert len(turns) == 0


def test_a_source_alone_leaves_a_lane_free_and_has_one_while_others_are_about() -> None:
    """What runs cannot be taken back: who comes while a flood holds all threads would wait for the end of its work."""
    turns: Turns[str] = Turns()
    for n in range(5):
        turns.put(f"a{n}", "a", 1)
    assert (turns.may_go(is_last_lane=False), turns.take("a"), turns.may_go(is_last_lane=False)) == (["a"], "a0", ["a"])
    assert turns.may_go(is_last_lane=True) == []
    turns.put("b0", "b", 1)
    assert (turns.may_go(is_last_lane=True), turns.take("b")) == (["b"], "b0")
    turns.done("b")
    assert turns.may_go(is_last_lane=False) == []
    turns.done("a")
    assert turns.may_go(is_last_lane=True) == ["a"]


def test_a_source_that_was_silent_has_saved_nothing_up() -> None:
    """Else one that comes after a quiet night would have all the threads for itself until it had caught up."""
    turns: Turns[str] = Turns()
    for n in range(100):
        turns.put(f"a{n}", "a", 1000)
        turns.take("a")
    for n in range(3):
        turns.put(f"a{n}", "a", 1000)
        turns.put(f"b{n}", "b", 1000)
    assert {turns.take("ab") for _ in range(2)} == {"a0", "b0"}
    assert {turns.take("ab") for _ in range(2)} == {"a1", "b1"}


def test_a_pool_runs_all_that_waits_and_an_error_reaches_the_one_who_asked() -> None:
    """No thread of the pool dies of a task, and closing loses none."""
    pool = FairPool(1, "test")
    wrong = pool.submit("a", 0, lambda: [][0])
    right = [pool.submit(whose, 0, str.upper, whose) for whose in "abcab"]
    pool.shutdown()
    assert isinstance(wrong.exception(), IndexError)
    assert [future.result(timeout=0) for future in right] == list("ABCAB")


# --- over real sockets -----------------------------------------------------------------------------------------------------
def trickle(port: int | None, head: bytes) -> socket.socket:
    """A connection that has begun a request, and never ends it."""
    sock = socket.create_connection(("127.0.0.1", port or 0))
    sock.sendall(head)
    return sock


def test_a_source_that_trickles_holds_its_own_places_and_no_others(intake: Intake) -> None:
    """A byte a second on every connection it can get: the other sources are served, and so is it, up to its number."""
    intake.settings = intake.settings.model_copy(update={"limits": Limits(max_requests_at_once=20)})
    client = intake.start(EVENTS, FLOOD)
    head = b"POST /hooks/flood HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    with contextlib.ExitStack() as open_:
        for _ in range(20):
            open_.enter_context(trickle(client.base_url.port, head))
        until(lambda: client.post("/hooks/flood", content=b"{}", headers=STRUCTURED).status_code == 429)
        answer = client.post("/hooks/flood", content=b"{}", headers=STRUCTURED)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert answer.json()["error"] == (
            "20 requests of source 'flood' are under way, and no more may be (limits.max_requests_at_once)"
        )
        assert client.post("/v1/events", content=b"{}", headers=STRUCTURED).status_code == 200
    until(lambda: client.post("/hooks/flood", content=b"{}", headers=STRUCTURED).status_code == 200)


def test_a_body_that_does_not_arrive_in_time_is_given_up(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trickler's place is free again after a minute at the latest, and its connection is closed."""
    monkeypatch.setattr(doors, "READ_TIMEOUT_S", 0.2)
    port = intake.start(EVENTS).base_url.port
    head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    with trickle(port, head) as sock:
        sock.settimeout(60)
        answer = b"".join(iter(lambda: sock.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize("head", [b"", b"POST /v1/events HTTP/1.1\r\nX-Slow: "], ids=["silent", "half a header"])
def test_connections_that_never_say_what_they_want_give_way(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    """They name no source whose share they could be counted against; with all connections taken, the next would get 503."""
    monkeypatch.setattr("collectors.http.MAX_CONNECTIONS", 40)
    client = intake.start(EVENTS)
    with contextlib.ExitStack() as open_:
        for _ in range(100):
            open_.enter_context(trickle(client.base_url.port, head))
        for _ in range(5):
            with httpx.Client(base_url=client.base_url, trust_env=False, timeout=60) as another:
                assert another.post("/v1/events", content=b"{}", headers=STRUCTURED).status_code == 200


@pytest.fixture
def busy(tables: Store, catalogue: Catalogue, tmp_path: Path) -> Iterator[tuple[Intake, Sink]]:
    """An intake with the limits of a small machine before a real sink and store."""
    limits = Limits(max_queue_bytes=128 * MB, max_decompressed_bytes=8 * MB, max_requests_per_s=0, max_bytes_per_s=0)
    sink = Sink(tables, catalogue, limits)
    made = Intake(Settings(store="", data=tmp_path, limits=limits))
    yield made, sink
    made.stop()
    sink.close()


def test_bombs_are_refused_in_bounded_memory_while_others_are_served(
    busy: tuple[Intake, Sink], tables: Store, cloud_event: Make
) -> None:
    """Bodies of ten megabytes that would unfold to ten gigabytes, many at once: each stops at its limit."""
    intake, sink = busy
    client = intake.start(EVENTS, FLOOD, deliver=sink.deliver)
    statuses: list[int] = []

    def throw() -> None:
        with httpx.Client(base_url=client.base_url, trust_env=False, timeout=60) as mine:
            statuses.append(mine.post("/hooks/flood", content=BOMB, headers=GZIP).status_code)

    throwers = [threading.Thread(target=throw) for _ in range(6)]
    for one in throwers:
        one.start()
    for n in range(10):
        body = gzip.compress(orjson.dumps(cloud_event(n)))
        assert client.post("/v1/events", content=body, headers=GZIP).status_code == 200
    for one in throwers:
        one.join()
    assert set(statuses) <= {413, 429}
    assert 413 in statuses
    assert tables.value("SELECT uniqExact(object_id) FROM events") == 10
    assert sink.depth == {"messages": 0, "bytes": 0}


def test_of_many_large_bodies_at_once_those_are_refused_for_which_there_is_no_room(intake: Intake) -> None:
    """Were room taken only as bytes arrive, each would get a part of it and none its whole: all refused, again and again."""
    limits = Limits(max_queue_bytes=40_000, max_body_bytes=20_000, max_bytes_per_s=0)
    intake.settings = intake.settings.model_copy(update={"limits": limits})
    client = intake.start(EVENTS)
    head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 15000\r\n\r\n"
    with trickle(client.base_url.port, head) as first, trickle(client.base_url.port, head) as second:
        (refused,), _, _ = select.select([first, second], [], [], 60)
        assert refused.recv(4096).startswith(b"HTTP/1.1 429 ")
        taken = first if refused is second else second
        taken.sendall(b"x" * 15_000)
        taken.settimeout(60)
        assert taken.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_a_source_that_floods_does_not_keep_another_waiting(busy: tuple[Intake, Sink], tables: Store, cloud_event: Make) -> None:
    """More than the decoders can take, of large bodies and of garbage: every event of the other is stored, and no 429 is its."""
    intake, sink = busy
    client = intake.start(EVENTS, FLOOD, deliver=sink.deliver)
    large = orjson.dumps([cloud_event(n) for n in range(500)])
    over, statuses = threading.Event(), []

    def flood(body: bytes) -> None:
        with httpx.Client(base_url=client.base_url, trust_env=False, timeout=60) as mine:
            while not over.is_set():
                statuses.append(mine.post("/hooks/flood", content=body, headers=BATCH).status_code)

    flooders = [threading.Thread(target=flood, args=(body,)) for body in [large] * 3 + [b"\x00garbage" * 1000]]
    for one in flooders:
        one.start()
    until(lambda: len(statuses) > 4)
    for n in range(8):
        assert client.post("/v1/events", content=orjson.dumps(cloud_event(n)), headers=STRUCTURED).status_code == 200
    over.set()
    for one in flooders:
        one.join()
    assert tables.value("SELECT uniqExact(object_id) FROM events WHERE source = 'events'") == 8
    assert set(statuses) <= {200, 400, 429}


def test_a_flood_that_waits_does_not_hold_up_who_comes_after_it(
    tables: Store, catalogue: Catalogue, message: Make, cloud_event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its groups under way hang; a message of another source is committed beside them, in a group of its own."""
    groups: list[set[str]] = []
    go_on = threading.Event()

    def slow(store: Store, group: list[Any], *rest: Any) -> None:
        groups.append({waiting.source.name for waiting in group})
        if group[0].source.name == "flood":
            go_on.wait(60)
        commit(store, group, *rest)

    monkeypatch.setattr("collectors.sink.commit", slow)
    monkeypatch.setattr("collectors.sink.GROUP_ROWS", 5)
    sink = Sink(tables, catalogue)
    body = message([cloud_event(n) for n in range(5)])
    waiting = [sink.submit(FLOOD, body) for _ in range(10)]
    until(lambda: sink.depth["messages"] == 8)
    assert sink.submit(EVENTS, body).result(timeout=60).n_rows == 5
    assert groups == [{"flood"}, {"flood"}, {"events"}]
    go_on.set()
    assert sum(future.result(timeout=60).n_rows for future in waiting) == 50
    sink.close()
