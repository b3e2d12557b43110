"""
Milepost's pages as a browser test meets them: a process that serves them, whether they are served, and when the first run of one is over.

Why a process: an embedded store has one holder, and that of the tests is another.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from tests.parts import ROOT

PAGES = ("", "exceptions", "object", "scorecard", "failures", "traces", "intake", "numbers")
ERROR = '[data-testid="stException"]'
MAIN = '[data-testid="stMain"]'
RUNNING = '[data-testid="stStatusWidgetRunningIcon"]'
START_S = 300
# The pages alone over the store of argv[1], on the port of argv[2]: no demo, no jobs.
PAGES_ALONE = """
import sys
from dashboard import serve
from schema import governance, migrate
from schema.store import connect
store, catalogue = connect(sys.argv[1]), governance.load()
migrate.migrate(store, catalogue)
serve.server(store, catalogue, port=int(sys.argv[2])).run()
"""
# What a person has set for his own Milepost is not what tests run with.
ENV = {name: value for name, value in os.environ.items() if not name.startswith(("MILEPOST_", "OTEL_"))}


@contextmanager
def serving(
    command: Sequence[str], url: str, log: Path, *, cwd: Path = ROOT, env: Mapping[str, str] = ENV
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that serves pages at `url`, from when they answer until the block ends; what it says is in `log`."""
    with log.open("wb") as said:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=said, stderr=said)
    try:
        end = time.monotonic() + START_S
        while not answers(url):
            if time.monotonic() > end or process.poll() is not None:
                raise RuntimeError(f"the pages did not come up:\n{log.read_text('utf-8', 'replace')[-3000:]}")
            time.sleep(0.1)
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=120)


@contextmanager
def pages_alone(dsn: str, folder: Path) -> Iterator[str]:
    """The pages in a process of their own; their address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with serving([sys.executable, "-c", PAGES_ALONE, dsn, str(port)], url, folder / "log"):
        yield url


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def answers(url: str) -> bool:
    """Whether the pages are served there."""
    try:
        return httpx.get(f"{url}/healthz", timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def opened(page: Page, url: str) -> Page:
    """The page when its first run is over."""
    page.goto(url)
    page.wait_for_selector(f"{MAIN} [data-testid='stVerticalBlock']", timeout=30_000)
    expect(page.locator(RUNNING)).to_have_count(0, timeout=60_000)
    page.wait_for_timeout(500)
    return page
