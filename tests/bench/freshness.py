"""
How long from a sender's acknowledgement until a person sees the event, while other senders push 1,000 events a second.

Why in a browser and over HTTP: between the two lie the commit, a round of the state, the pages' answers and the browser's own
work, and only the whole of it is what a person waits for. One order after another is moved through its life by single events;
the Object page of that order stays open, and the clock runs from the 200 of the receiver to the word on the screen.

    python -m tests.bench.freshness [--rate 1000] [--orders 3]
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

from schema.store import connect
from tests.bench.row import Row, at_most, quantile, told
from tests.parts import chromium
from tests.parts.pages import answers, free_port

LIFE = ("received", "confirmed", "released", "allocated", "picked", "packed", "shipped", "delivered")
BATCH = 100
START_S, SEEN_S = 120, 60
JOBS = """
SELECT job, count() AS n, quantile(0.5)(duration_ms) / 1000 AS p50_s, quantile(0.95)(duration_ms) / 1000 AS p95_s, avg(j.n) AS through
FROM job_runs AS j GROUP BY job ORDER BY job
"""
JSON = {"content-type": "application/cloudevents-batch+json"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rate", type=int, default=1000, help="events a second from the other senders")
    parser.add_argument("--orders", type=int, default=3, help="orders that are watched, one after another")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with milepost(Path(folder)) as (pages, intake, _), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.ARGS))
            crowd = Crowd(intake, asked.rate)
            with crowd:
                time.sleep(10)  # a steady stream, before anything is measured
                page = browser.new_page()
                waits = [wait for n in range(asked.orders) for wait in watched(page, pages, intake, f"WATCHED-{n}")]
            browser.close()
        for job in connect(f"chdb://{folder}/store").query(JOBS):
            print(f"job {job['job']:<17} n {job['n']}, p50 {job['p50_s']:.1f} s, p95 {job['p95_s']:.1f} s, took through {job['through']:,.0f}")
    rate = f"{crowd.n / crowd.took_s:,.0f} events/s of {asked.rate:,} asked"
    acks = f"p50 {1000 * statistics.median(crowd.acks):.0f} ms, p95 {1000 * quantile(crowd.acks, 0.95):.0f} ms"
    seen = f"p50 {statistics.median(waits):.1f} s, max {max(waits):.1f} s, n {len(waits)}"
    told([
        at_most("acknowledged to seen on a page, p95, while others send", quantile(waits, 0.95), 6, " s", more=seen),
        Row("  what the others sent, and how soon it was acknowledged", f"{rate}; {acks}"),
    ])  # fmt: skip


@contextmanager
def milepost(folder: Path, store: str = "") -> Iterator[tuple[str, str, int]]:
    """A Milepost of its own, embedded, on this store or an empty one: the addresses of its pages and of its intake, and its PID."""
    pages, intake = free_port(), free_port()
    store = store or f"chdb://{folder}/store"
    (folder / "milepost.toml").write_text(f'data = "{folder}"\nstore = "{store}"\n[listen]\npages = {pages}\nintake = {intake}\n')
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("milepost")), "up"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + START_S
        while not answers(f"http://127.0.0.1:{pages}"):
            if time.monotonic() > end or process.poll() is not None:
                raise SystemExit("milepost did not come up")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{pages}", f"http://127.0.0.1:{intake}", process.pid
    finally:
        process.terminate()
        process.wait(timeout=180)


def event(order: str, state: str, n: int) -> dict[str, object]:
    """One canonical event of an order, in a CloudEvent."""
    now = datetime.now(UTC).isoformat()
    return {
        "specversion": "1.0", "id": f"{order}-{n}", "source": "/bench", "type": f"order.{state}", "time": now,
        "data": {
            "object_type": "order", "object_id": order, "state": state, "system": "erp", "system_role": "erp",
            "customer": f"C{hash(order) % 50}", "region": "EU-West", "amount": "100", "currency": "EUR",
        },
    }  # fmt: skip


class Crowd:
    """Everybody else: batches of a hundred events, each order with eight of them in two seconds, at a steady rate."""

    def __init__(self, intake: str, rate: int) -> None:
        self._url, self._every_s = f"{intake}/v1/events", BATCH / rate
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(4)]
        self._turn = itertools.count()
        self.n, self.acks, self.took_s = 0, list[float](), 0.0

    def __enter__(self) -> Crowd:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.took_s = time.monotonic() - self._began

    def _send(self, number: int) -> None:
        with httpx.Client(timeout=60, trust_env=False) as client:
            while not self._stop.is_set():
                turn = next(self._turn)
                pause = self._began + turn * self._every_s - time.monotonic()
                if pause > 0 and self._stop.wait(pause):
                    return
                first = turn * BATCH
                body = json.dumps([event(f"CROWD-{i // 8}", LIFE[i % 8], i) for i in range(first, first + BATCH)])
                asked = time.monotonic()
                if client.post(self._url, content=body, headers=JSON).status_code < 300:
                    self.acks.append(time.monotonic() - asked)
                    self.n += BATCH


def watched(page: Page, pages: str, intake: str, order: str) -> Iterator[float]:
    """Move one order through its life, and wait for each state on its page: seconds from the acknowledgement."""
    with httpx.Client(timeout=60, trust_env=False) as client:
        for n, state in enumerate(LIFE):
            client.post(f"{intake}/v1/events", content=json.dumps([event(order, state, n)]), headers=JSON).raise_for_status()
            acknowledged = time.monotonic()
            if n == 0:  # an object that is not known yet has no page that refreshes
                page.wait_for_timeout(6000)
                page.goto(f"{pages}/object?type=order&id={order}")
                page.get_by_text(order).first.wait_for(timeout=1000 * SEEN_S)
                continue
            page.get_by_test_id("stMain").get_by_text(state, exact=False).first.wait_for(timeout=1000 * SEEN_S)
            yield time.monotonic() - acknowledged
            page.wait_for_timeout(700 * (n % 4))  # so that the rounds and the refreshes are met at every phase


if __name__ == "__main__":
    main()
