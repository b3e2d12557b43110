"""
Ill-behaved senders, each a process of its own that says "ready" once it is at it and goes on until its input ends.

Why only the standard library and one body made beforehand: what they cost themselves must not be taken for what they cost
others, on a machine of two cores that both share.

    python -m tests.bench.attackers KIND PORT [PATH] [CONNECTIONS]
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

JSON = {"Content-Type": "application/cloudevents-batch+json"}
HEAD = "POST {} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
CONNECTIONS = {"flood": 6, "garbage": 6, "bombs": 6, "trickle": 1}
TRICKLING = 600


@dataclass(frozen=True, slots=True)
class To:
    """Where to send, and until when."""

    port: int
    path: str
    stop: threading.Event = field(default_factory=threading.Event)


def events(n: int, name: str) -> bytes:
    """A batch of events, each of an order of its own."""
    now = datetime.now(UTC).isoformat()
    told = [
        {
            "specversion": "1.0", "id": f"{name}-{i}", "source": "/bench", "type": "order.received", "time": now,
            "data": {"object_type": "order", "object_id": f"{name}-{i}", "state": "received", "system": "erp", "region": "EU"},
        }
        for i in range(n)
    ]  # fmt: skip
    return json.dumps(told).encode()


def send(to: To, body: bytes, headers: dict[str, str]) -> None:
    """One connection that sends a body again as soon as it is answered; told to come back later, it does."""
    is_ready = False
    link = http.client.HTTPConnection("127.0.0.1", to.port, timeout=60)
    while not to.stop.is_set():
        try:
            link.request("POST", to.path, body, headers)
            answer = link.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            link.close()
            continue
        if not is_ready:
            is_ready = True
            say()
        if answer.status in (429, 503):
            to.stop.wait(float(answer.headers["retry-after"]))


def flood(to: To) -> None:
    send(to, events(2000, f"FLOOD-{threading.get_ident()}"), JSON)


def garbage(to: To) -> None:
    send(to, b"\x00{garbage" * 20_000, JSON)


def bombs(to: To) -> None:
    """A thousand gzip members of ten megabytes each: 10 GB in 10 MB."""
    send(to, gzip.compress(b"0" * 10_000_000) * 1000, JSON | {"Content-Encoding": "gzip"})


def trickle(to: To) -> None:
    """A byte a second of a body on each of many connections."""
    with contextlib.ExitStack() as open_:
        links = [open_.enter_context(socket.create_connection(("127.0.0.1", to.port))) for _ in range(TRICKLING)]
        for link in links:
            link.sendall(HEAD.format(to.path).encode())
        say()
        while not to.stop.wait(1):
            for link in links:
                with contextlib.suppress(OSError):
                    link.sendall(b"[")


def say() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def main(kind: str, port: int, path: str = "/hooks/flood", connections: int = 0) -> None:
    acts: dict[str, Callable[[To], None]] = {
        "flood": flood, "garbage": garbage, "bombs": bombs, "trickle": trickle,
    }  # fmt: skip
    to = To(port, path)
    threads = [threading.Thread(target=acts[kind], args=(to,), daemon=True) for _ in range(connections or CONNECTIONS[kind])]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    to.stop.set()
    time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:4], *map(int, sys.argv[4:5]))
