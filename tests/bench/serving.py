"""
Milepost itself over a store of millions: how soon it is healthy, how much memory it holds, how soon a person sees numbers, and
how long a sender waits while ten people watch.

Why real browsers: a session that nobody draws for costs the server less than one that asks for its parts every few seconds.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.freshness import JSON, event, milepost
from tests.bench.history import dsn
from tests.bench.row import Row, at_most, quantile, told
from tests.parts import chromium

WATCHERS, POSTS, BATCH = 10, 40, 200
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
        watchers = [browser.new_page() for _ in range(WATCHERS)]
        for page in watchers:
            page.goto(pages)
        time.sleep(20)
        acks = list(_posts(intake))
        yield at_most(
            f"POST of {BATCH} events, p95, {WATCHERS} browsers watching {name}", 1000 * quantile(acks, 0.95), 100, " ms",
            more=f"p50 {1000 * statistics.median(acks):.0f} ms",
        )  # fmt: skip
        yield at_most(f"memory with {WATCHERS} watchers {name}", _memory(pid), 2, " GiB")
        browser.close()


def _first_numbers(browser: Browser, pages: str) -> float:
    page: Page = browser.new_page()
    began = time.perf_counter()
    page.goto(pages)
    page.locator(CARD).first.wait_for(timeout=120_000)
    seconds = time.perf_counter() - began
    page.close()
    return seconds


def _posts(intake: str) -> Iterator[float]:
    with httpx.Client(timeout=60, trust_env=False) as client:
        for n in range(POSTS):
            body = json.dumps([event(f"SERVED-{n}-{i // 8}", "received", i) for i in range(BATCH)])
            began = time.perf_counter()
            client.post(f"{intake}/v1/events", content=body, headers=JSON).raise_for_status()
            yield time.perf_counter() - began
            time.sleep(0.5)


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
