"""
The store away in six ways, on a real server, with the real Milepost before it: nothing lost, nothing twice, nobody misled.

One house for all of them, for its start is what takes long: after each fault it must be as well as before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from schema.errors import StoreUnavailable
from schema.store import Store, connect
from tests.parts.faults import FaultyServer
from tests.parts.house import House
from tests.parts.wait import until
from tests.unbreakable.bodies import TABLES, cloud_events, telemetry

ROWS, ROOM, DATABASE, TIMEOUT_S = 5, 2_000_000, "ops", 2
PROTOBUF, JSON = {"content-type": "application/x-protobuf"}, {"content-type": "application/cloudevents-batch+json"}
PATIENCE_S = 90


@dataclass(slots=True)
class Scene:
    """The server, the house before it, and a reader such as the pages have."""

    server: FaultyServer
    house: House
    reader: Store

    def post(self, kind: str, body: bytes) -> httpx.Response:
        path, headers = ("/v1/events", JSON) if kind == "events" else (f"/v1/{kind}", PROTOBUF)
        return httpx.post(self.house.url + path, content=body, headers=headers, timeout=PATIENCE_S, trust_env=False)

    def post_all(self, told: Mapping[str, bytes]) -> dict[str, httpx.Response]:
        """All at once, as senders who know nothing of each other."""
        with ThreadPoolExecutor(len(told)) as pool:
            return dict(zip(told, pool.map(self.post, told, told.values()), strict=True))


@pytest.fixture(scope="module")
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    if request.config.getoption("--engine") == "embedded":
        pytest.skip("needs the ClickHouse server, and --engine embedded was asked for")
    folder = tmp_path_factory.mktemp("faults")
    with FaultyServer(folder / "server") as server:
        dsn = f"{server.dsn(DATABASE)}?timeout_s={TIMEOUT_S}"
        house = House(folder / "house", dsn, ROOM)
        house.start()
        reader = connect(dsn)
        yield Scene(server, house, reader)
        house.kill()
        reader.close()


def bodies(name: str) -> dict[str, bytes]:
    """One body of each kind, marked with the fault's name."""
    now = datetime.now(UTC)
    found = {kind: telemetry(kind, f"{name}-{kind}", ROWS, int(now.timestamp()) * 10**9) for kind in TABLES}
    return found | {"events": cloud_events(f"{name}-events", ROWS, now.isoformat())}


@pytest.mark.parametrize(
    ("name", "can_read"), [("killed", False), ("hung", False), ("without_memory", False), ("read_only", True), ("full", True)]
)
def test_a_store_that_is_away_is_told_and_nothing_is_lost(name: str, can_read: bool, scene: Scene) -> None:
    """
    Senders get 503 with Retry-After and keep their data, files stay, what waits in memory stays bounded, /healthz says that the
    house is not well, and readers are told what a page can show. When the store is back, all of it is there once.
    """
    told = bodies(name)
    dropped = scene.house.drop / f"{name}-files.json"
    with getattr(scene.server, name)(DATABASE):
        dropped.write_bytes(cloud_events(f"{name}-files", ROWS, datetime.now(UTC).isoformat()))
        for kind, answer in scene.post_all(told).items():
            assert (answer.status_code, "retry-after" in answer.headers) == (503, True), f"{kind}: {answer.text}"
        _flooded(scene, name)
        until(lambda: scene.house.health()[0] == 503, "/healthz saying that the house is not well")
        _read(scene.reader, can_read)
        assert not (scene.house.drop / "done" / dropped.name).exists()
    until(lambda: scene.house.health()[0] == 200, "/healthz saying that all is well")
    for kind, body in told.items():
        until(lambda kind=kind, body=body: scene.post(kind, body).status_code == 200, f"{kind} being taken")  # type: ignore[misc]
    until((scene.house.drop / "done" / dropped.name).exists, "the file being done")
    assert scene.reader.ping()
    assert _stored(scene.reader, name) == [ROWS] * 7


def test_a_slow_store_is_patience_and_not_loss(scene: Scene) -> None:
    """Answers take twenty times as long, some come too late: whoever gets no 200 tries again, and all of it is there once."""
    told = bodies("slow")
    with scene.server.slow(DATABASE):
        (scene.house.drop / "slow-files.json").write_bytes(cloud_events("slow-files", ROWS, datetime.now(UTC).isoformat()))
        assert {answer.status_code for answer in scene.post_all(told).values()} <= {200, 503}
    for kind, body in told.items():
        until(lambda kind=kind, body=body: scene.post(kind, body).status_code == 200, f"{kind} being taken")  # type: ignore[misc]
    until((scene.house.drop / "done" / "slow-files.json").exists, "the file being done")
    assert _stored(scene.reader, "slow") == [ROWS] * 7


def _flooded(scene: Scene, name: str) -> None:
    """Senders that come all at once and again: they are refused, and what waits never takes more than its room."""
    body = cloud_events(f"{name}-flood", 1500, datetime.now(UTC).isoformat())
    assert len(body) * 12 > ROOM
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(scene.post("events", body).status_code)) for _ in range(12)]
    for thread in threads:
        thread.start()
    waiting = []
    while any(thread.is_alive() for thread in threads):
        waiting.append(scene.house.health()[1].get("waiting", {}).get("bytes", 0))
        time.sleep(0.02)
    assert set(codes) <= {429, 503}
    assert max(waiting, default=0) <= ROOM


def _read(reader: Store, can_read: bool) -> None:
    if can_read:
        assert reader.value("SELECT count() > 0 FROM gov_states")
        return
    with pytest.raises(StoreUnavailable, match=r"is away|does not answer"):
        reader.value("SELECT count() FROM gov_states")


def _stored(reader: Store, name: str) -> list[int]:
    """Rows of the fault's marks: in the five tables of telemetry, and as events (by event) of the webhook and the file."""
    found = [
        int(reader.value(f"SELECT count() FROM {table} WHERE {mark} LIKE {{mark:String}}", {"mark": f"{name}-{signal}%"}))
        for signal, tables in TABLES.items()
        for table, mark in tables
    ]
    events = "SELECT uniqExact(event_id) FROM events WHERE object_id LIKE {mark:String}"
    return found + [int(reader.value(events, {"mark": f"{name}-{kind}%"})) for kind in ("events", "files")]


def test_the_file_that_waited_is_whole(scene: Scene) -> None:
    """What stayed in the drop folder all the while was moved, not copied: nothing of it is left behind."""
    left = [path.name for path in Path(scene.house.drop).rglob("*.json") if path.parent.name != "done"]
    assert left == []
