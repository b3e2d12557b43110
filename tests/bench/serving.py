"""
Milepost itself over a store of millions: how soon it is healthy, how much memory it holds, how soon a person sees numbers, and
how long a sender waits while ten people watch.

Why one real browser among ten watchers: ten would be most of what the server's cores do. The nine others ask for what a browser
asks for, and when (`tests/bench/watchers.py`), and draw nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import secrets
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.freshness import JSON, event, milepost
from tests.bench.history import dsn
from tests.bench.row import Row, at_most, quantile, told
from tests.bench.watchers import Watchers
from tests.parts import chromium

WATCHERS, POSTS, BATCH, EVENTS_AN_ORDER = 10, 40, 200, 8
SETTLE_S, OLDEST_S = 15, 10
CARD = '[class*="st-key-card_"]'


def measure(folder: Path, millions: float) -> Iterator[Row]:
    """Over the store of this size, which `history` has made."""
    name = f"at {millions:g} M events"
    began = time.perf_counter()
    with milepost(folder, store=dsn(folder, millions)) as (pages, intake, pid), sync_playwright() as playwright:
        yield at_most(f"start to healthy {name}", time.perf_counter() - began, 5, " s")
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.ARGS))
        yield at_most(f"first numbers on Operations, cold {name}", _first_numbers(browser, pages), 3, " s")
        warm = statistics.median(_first_numbers(browser, pages) for _ in range(3))
        yield at_most(f"first numbers on Operations, warm {name}", warm, 1.5, " s")
        yield at_most(f"memory after the first pages {name}", _memory(pid), 2, " GiB")
        open_page = browser.new_page()
        open_page.goto(pages)
        with Watchers(pages, WATCHERS - 1) as watchers:
            time.sleep(SETTLE_S)
            watchers.forget()
            asked_at, waits = _posts(intake)
            time.sleep(OLDEST_S)
            yield from _watched(name, watchers, asked_at, waits)
            yield at_most(f"memory with {WATCHERS} watchers {name}", _memory(pid), 2, " GiB")
        browser.close()


def _watched(name: str, watchers: Watchers, acknowledged_at: list[float], waits: list[float]) -> Iterator[Row]:
    """What senders waited for while people watched, and what these saw."""
    who = f"{WATCHERS} watching ({WATCHERS - 1} that speak a browser's protocol, 1 Chromium)"
    yield at_most(
        f"POST of {BATCH} events, p95, {who} {name}", 1000 * quantile(waits, 0.95), 100, " ms",
        more=f"p50 {1000 * statistics.median(waits):.0f} ms",
    )  # fmt: skip
    parts = f"a part was drawn {1000 * watchers.wait(0.5):.0f} ms after it was asked for, p95 {1000 * watchers.wait(0.95):.0f} ms"
    yield at_most(
        f"oldest page meanwhile {name}", max(watchers.longest_gap, watchers.oldest(acknowledged_at, BATCH // EVENTS_AN_ORDER)),
        OLDEST_S, " s", more=parts,
    )  # fmt: skip


def _first_numbers(browser: Browser, pages: str) -> float:
    page: Page = browser.new_page()
    began = time.perf_counter()
    page.goto(pages)
    page.locator(CARD).first.wait_for(timeout=120_000)
    seconds = time.perf_counter() - began
    page.close()
    return seconds


def _posts(intake: str) -> tuple[list[float], list[float]]:
    """Send orders that nobody has heard of, in a stage that the page counts: when each body was acknowledged, and how long that took."""
    run, acknowledged_at, waits = secrets.token_hex(3), list[float](), list[float]()
    with httpx.Client(timeout=60, trust_env=False) as client:
        for n in range(POSTS):
            body = json.dumps([event(f"SERVED-{run}-{n}-{i // EVENTS_AN_ORDER}", "released", i) for i in range(BATCH)])
            began = time.monotonic()
            client.post(f"{intake}/v1/events", content=body, headers=JSON).raise_for_status()
            acknowledged_at.append(time.monotonic())
            waits.append(acknowledged_at[-1] - began)
            time.sleep(random.uniform(0.3, 0.7))
    return acknowledged_at, waits


def _memory(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("millions", type=float)
    asked = parser.parse_args()
    told(measure(asked.folder, asked.millions))


if __name__ == "__main__":
    main()
