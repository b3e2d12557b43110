"""
A Chromium for the page tests: the machine's own, else Playwright's, else the distribution's.

Why the machine's own first: it comes with the shared libraries that it needs, which Playwright's download does not, and
costs no second copy. As root on Debian the package is asked for before Playwright's download, for the same reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.parts import PartMissing

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No sandbox: tests run as root in containers. The rest keeps a test browser from speaking to anybody but the page.
ARGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def find() -> Path | None:
    """The first Chromium that runs. Playwright is asked last: to start it only for its path takes seconds."""
    found = [Path(path) for name in NAMES if (path := shutil.which(name))]
    own = next((path for path in found if _runs(path)), None)
    return own or next((path for path in [_playwrights()] if _runs(path)), None)


def install() -> Path:
    """Get one, by the ways that this machine allows. Raises: PartMissing with what a person can do."""
    ways = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        ways = [["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"], *ways]
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for way in ways:
        subprocess.run(way, capture_output=True, check=False, timeout=900, env=env)
        if found := find():
            return found
    raise PartMissing("no Chromium that runs: install one (Debian: `apt-get install chromium`), then run `make test` again")


def _playwrights() -> Path:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def _runs(path: Path) -> bool:
    if not path.exists():
        return False
    done = subprocess.run([path, "--version"], capture_output=True, check=False, timeout=60)
    return done.returncode == 0
