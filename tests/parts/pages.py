"""Milepost's pages as a browser test meets them: whether they are served, and when the first run of one is over."""

from __future__ import annotations

import httpx
from playwright.sync_api import Page, expect

MAIN = '[data-testid="stMain"]'
RUNNING = '[data-testid="stStatusWidgetRunningIcon"]'


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
