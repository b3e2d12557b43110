"""
SIGKILL at random moments while telemetry, events and files come in: `python -m tests.unbreakable.kills --n 50`.

Senders do what senders do: they keep what was not acknowledged and send it again, byte for byte. At the end every row that
was acknowledged is there once, behind the views too, and the state is what its events say. A shortfall exits 1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import httpx

from tests.parts import ROOT
from tests.parts.house import House
from tests.unbreakable.bodies import TABLES, cloud_events, telemetry

ROWS = 40
SENDERS = 2  # of each signal, so that groups have several messages
REOPEN_S = 5.0
WARMING_UP = 0.25
PROTOBUF, JSON = {"content-type": "application/x-protobuf"}, {"content-type": "application/cloudevents-batch+json"}


@dataclass(slots=True)
class Sent:
    """What became of one kind of message: the marks that were acknowledged, and how often something had to be sent again."""

    acknowledged: list[str] = field(default_factory=list)
    n_again: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What the store says after all kills."""

    n_acknowledged: int  # requests of telemetry and events; files are taken or not
    n_files: int
    n_again: int
    restarts_s: list[float]  # from the start of a process after a kill to its first good /healthz
    wrong: list[str]


def run(folder: Path, n: int, seed: int = 0, say: Callable[[str], None] = lambda text: None) -> Result:
    """Start, kill n times, start once more, let the senders finish, stop, and hold the store against what was acknowledged."""
    house, dice, stop = House(folder), Random(seed), threading.Event()
    sent: dict[str, Sent] = {}
    threads = _senders(house, sent, stop)
    restarts = []
    try:
        for i in range(n + 1):
            restarts.append(house.start())
            if not i:
                for thread in threads:
                    thread.start()
            if i < n:
                _until_killed(dice, sent)
                house.kill()
                say(f"kill {i + 1} of {n}: {_n(sent):,} acknowledged, up in {restarts[-1]:.1f} s")
        stop.set()
        for thread in threads:
            thread.join()
        _until_taken(house, len(sent["files"].acknowledged))
        house.stop()
    finally:
        stop.set()
        house.kill()
    marks = {kind: s.acknowledged for kind, s in sent.items()}
    (folder / "marks.json").write_text(json.dumps(marks))
    asked = [sys.executable, "-m", "tests.unbreakable.kills", "--verdict", str(folder)]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    # The first start makes the store and all its tables; the others open it again.
    return Result(_n(sent), len(sent["files"].acknowledged), sum(s.n_again for s in sent.values()), restarts[1:], json.loads(done.stdout))


def _until_killed(dice: Random, sent: dict[str, Sent]) -> None:
    """Now and then while it is still warming up; else at any moment from the first request that it acknowledges."""
    is_early, pause_s = dice.random() < WARMING_UP, dice.uniform(0.0, 2.0)
    n, end = _n(sent), time.monotonic() + 20
    while not is_early and _n(sent) == n and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(pause_s)


def _n(sent: dict[str, Sent]) -> int:
    return sum(len(one.acknowledged) for kind, one in sent.items() if kind != "files")


def _senders(house: House, sent: dict[str, Sent], stop: threading.Event) -> list[threading.Thread]:
    threads = []
    for kind in [*TABLES, "events"]:
        for k in range(SENDERS):
            sent[f"{kind}{k}"] = Sent()
            told = (house, f"{kind}{k}", kind, sent[f"{kind}{k}"], stop)
            threads.append(threading.Thread(target=_send, args=told, daemon=True))
    sent["files"] = Sent()
    threads.append(threading.Thread(target=_drop, args=(house, sent["files"], stop), daemon=True))
    return threads


def _send(house: House, name: str, kind: str, sent: Sent, stop: threading.Event) -> None:
    """One body after the other; each until it is acknowledged."""
    path, headers = ("/v1/events", JSON) if kind == "events" else (f"/v1/{kind}", PROTOBUF)
    with httpx.Client(base_url=house.url, timeout=30, trust_env=False) as client:
        while not stop.is_set():
            mark = f"{name}-{len(sent.acknowledged)}"
            body = _body(kind, mark)
            while not _is_taken(client, path, body, headers):
                sent.n_again += 1
                time.sleep(0.3)
            sent.acknowledged.append(mark)


def _body(kind: str, mark: str) -> bytes:
    now = datetime.now(UTC)
    if kind == "events":
        return cloud_events(mark, ROWS, now.isoformat())
    return telemetry(kind, mark, ROWS, int(now.timestamp()) * 10**9)


def _is_taken(client: httpx.Client, path: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        answer = client.post(path, content=body, headers=headers)
    except httpx.HTTPError:
        return False
    if answer.status_code == 400:
        raise AssertionError(f"{path} refused a good body: {answer.text}")
    return answer.status_code == 200


def _drop(house: House, sent: Sent, stop: threading.Event) -> None:
    """Files, written beside the pattern and renamed; what lies in the folder counts as acknowledged, for it must not be lost."""
    while not stop.wait(1.0):
        mark = f"files-{len(sent.acknowledged)}"
        part = house.drop / f"{mark}.part"
        part.write_bytes(_body("events", mark))
        part.rename(house.drop / f"{mark}.json")
        sent.acknowledged.append(mark)


def _until_taken(house: House, n: int) -> None:
    """Until all files are done, as long as one is done within a minute."""
    done, since = -1, time.monotonic()
    while done < n and time.monotonic() < since + 60:
        now = len(list((house.drop / "done").iterdir()))
        done, since = (now, time.monotonic()) if now > done else (done, since)
        time.sleep(0.1)


# --- the verdict, in a process of its own: an embedded store has one holder ------------------------------------------------
def verdict(folder: Path) -> list[str]:
    """What is wrong with the store; empty is right."""
    from schema import state
    from schema.store import connect

    marks = json.loads((folder / "marks.json").read_text())
    store = connect(f"chdb://{folder / 'store'}")
    wrong = []
    for signal, tables in TABLES.items():
        wanted = dict.fromkeys([m for kind in marks if kind.startswith(signal) for m in marks[kind]], ROWS)
        for table, mark in tables:
            found = store.query(f"SELECT {mark} AS mark, count() AS n FROM {table} WHERE {mark} LIKE '{signal}%' GROUP BY mark")
            wrong += _differences(table, wanted, {row["mark"]: row["n"] for row in found})
    wanted = dict.fromkeys([m for kind in marks if kind.startswith(("events", "files")) for m in marks[kind]], ROWS)
    mark = "substring(object_id, 1, length(object_id) - position(reverse(object_id), '-'))"
    found = store.query(f"SELECT {mark} AS mark, uniqExact(object_id) AS n, uniqExact(event_id) AS m FROM events GROUP BY mark")
    wrong += _differences("events", wanted, {row["mark"]: row["n"] if row["n"] == row["m"] else -1 for row in found})
    for table in ("interface_calls WHERE trace_id", "otel_traces_trace_id_ts WHERE TraceId"):
        lost = store.value(
            f"SELECT countIf(id NOT IN (SELECT {table.split()[-1]} FROM {table.split()[0]})) "
            "FROM (SELECT DISTINCT TraceId AS id FROM otel_traces WHERE SpanName LIKE 'traces%')"
        )
        wrong += [f"{lost} traces are not in {table.split()[0]}"] if lost else []
    state.refresh(store)
    wrong += [f"state drifts: {row}" for row in state.drift(store)[:20]]
    n = store.value("SELECT sum(sign) FROM object_state WHERE object_type = 'shipment'")
    wrong += [] if n == ROWS * len(wanted) else [f"{n} shipments have a state, {ROWS * len(wanted)} were acknowledged"]
    store.close()
    return wrong


def _differences(table: str, wanted: dict[str, int], found: dict[str, int]) -> list[str]:
    marks = sorted(wanted.keys() | found.keys())
    return [
        f"{table}: {mark} has {found.get(mark, 0)} rows, {wanted.get(mark, 0)} were acknowledged"
        for mark in marks
        if wanted.get(mark, 0) != found.get(mark, 0)
    ]


def main() -> int:
    """The command line: kills, a line each, and the verdict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--verdict", type=Path, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.verdict:
        print(json.dumps(verdict(told.verdict)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        result = run(Path(folder), told.n, told.seed, lambda text: print(text, flush=True))
    slowest = max(result.restarts_s)
    print(f"seed {told.seed}: {told.n} kills, {result.n_acknowledged:,} requests acknowledged, {result.n_again:,} sent again")
    print(f"{result.n_files:,} files taken; {ROWS} rows in each")
    print(f"slowest start after a kill, to healthy: {slowest:.1f} s (bar {REOPEN_S} s)")
    for line in result.wrong[:50]:
        print(f"  wrong: {line}")
    print("nothing lost, nothing twice" if not result.wrong else f"{len(result.wrong)} shortfalls")
    return 1 if result.wrong or slowest > REOPEN_S else 0


if __name__ == "__main__":
    sys.exit(main())
