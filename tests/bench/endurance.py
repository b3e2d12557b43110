"""
An hour under load: a Milepost of its own over the kept history, a thousand events a second over HTTP and people on its pages,
and what its memory does meanwhile.

Why against the memory after a tenth of the time and not at the start: caches and the engine's own pools fill first, which is no
leak. What must not be is growth after that. Memory is the median over a minute, for it breathes with every merge. Where the
machine could not send what was asked, the load was less than the row says, and that row is short.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.bench.freshness import Crowd, milepost
from tests.bench.history import Say, dsn
from tests.bench.row import Row, at_least, at_most, memory, quantile, told
from tests.bench.serving import CARD
from tests.parts import chromium

RATE, SAMPLE_S, WINDOW = 1000, 5, 12
PLACES = ("", "exceptions", "scorecard", "intake")


def measure(folder: Path, millions: float, minutes: float, say: Say) -> Iterator[Row]:
    """Over the store of this size, which `history` has made; it grows by what is sent."""
    name = f"{minutes:g} min of {RATE:,} events/s and {len(PLACES)} pages at {millions:g} M events"
    with milepost(folder, store=dsn(folder, millions)) as (pages, intake, pid), sync_playwright() as playwright:
        at_start = memory(pid)
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.ARGS))
        for place in PLACES:
            browser.new_page().goto(f"{pages}/{place}")
        browser.contexts[0].pages[0].locator(CARD).first.wait_for(timeout=120_000)
        samples, crowd = list[float](), Crowd(intake, RATE)
        with crowd:
            end = time.monotonic() + 60 * minutes
            while (left := end - time.monotonic()) > 0:
                time.sleep(min(SAMPLE_S, left))
                samples.append(memory(pid))
                if len(samples) % WINDOW == 0:
                    say(f"{60 * minutes - left:,.0f} s: {samples[-1]:.2f} GiB, {crowd.n:,} events acknowledged")
        browser.close()
    first = max(WINDOW, len(samples) // 10)
    warm, last = statistics.median(samples[first - WINDOW : first]), statistics.median(samples[-WINDOW:])
    course = f"{at_start:.2f} when healthy, {warm:.2f} after a tenth of it, at most {max(samples):.2f}"
    yield at_most(f"memory after {name}", last, 2, " GiB", more=course)
    yield at_most("  grown since a tenth of it", 100 * (last / warm - 1), 10, " %")
    median_ms, most_ms = 1000 * statistics.median(crowd.acks), 1000 * quantile(crowd.acks, 0.95)
    acks = f"acknowledged after p50 {median_ms:.0f} ms, p95 {most_ms:.0f} ms"
    yield at_least("  of the events that were to be sent meanwhile, sent", crowd.n / crowd.took_s / RATE, 0.9, more=acks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("millions", type=float)
    parser.add_argument("minutes", type=float)
    asked = parser.parse_args()
    told(measure(asked.folder, asked.millions, asked.minutes, lambda said: print(said, file=sys.stderr, flush=True)))


if __name__ == "__main__":
    main()
