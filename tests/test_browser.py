"""
The demo in a real browser, started by the command line: what a person sees, clicks and takes away.

Why the demo and not made-up rows: its live part writes through the real doors while the pages are open, so that a live refresh
is one, and what the pages say comes from stored events.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.test_readme import free_port

START_S = 240
PAGES = ("", "exceptions", "object", "scorecard", "failures", "traces", "intake", "numbers")
ERROR = '[data-testid="stException"]'
MAIN = '[data-testid="stMain"]'


@dataclass(frozen=True, slots=True)
class Demo:
    url: str
    intake: str
    folder: Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    pages, intake = free_port(), free_port()
    (folder / "milepost.toml").write_text(f'data = "{folder}"\n[listen]\npages = {pages}\nintake = {intake}\n', "utf-8")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MILEPOST_", "OTEL_"))}
    asked = [str(Path(sys.executable).with_name("milepost")), "demo", "--days", "6", "--data", str(folder / "demo")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(asked, cwd=folder, env=env, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{pages}"
        end = time.monotonic() + START_S
        while not _detected(url):
            if time.monotonic() > end or process.poll() is not None:
                pytest.fail(f"the demo did not come up:\n{(folder / 'log').read_text('utf-8', 'replace')[-3000:]}")
            time.sleep(0.5)
        yield Demo(url, f"http://127.0.0.1:{intake}", folder)
        process.terminate()
        assert process.wait(timeout=60) == 0, "Ctrl-C and SIGTERM stop it cleanly"


def _detected(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1600, "height": 1100}, accept_downloads=True)
    yield context.new_page()
    context.close()


def opened(page: Page, url: str) -> Page:
    """The page when its first run is over."""
    page.goto(url)
    page.wait_for_selector(f"{MAIN} [data-testid='stVerticalBlock']", timeout=30_000)
    expect(page.locator('[data-testid="stStatusWidgetRunningIcon"]')).to_have_count(0, timeout=60_000)
    page.wait_for_timeout(500)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_no_traceback_and_nothing_leaves_the_machine(
    demo: Demo, browser: Browser, name: str, scheme: str
) -> None:
    """No page shows a traceback, ever; and no page fetches a font, an icon or a script from outside."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1600, "height": 1100})  # type: ignore[arg-type]
    page = context.new_page()
    outside: list[str] = []
    page.on("request", lambda r: outside.append(r.url) if "127.0.0.1" not in r.url and r.url.startswith("http") else None)
    opened(page, f"{demo.url}/{name}")
    assert page.locator(ERROR).count() == 0
    assert "Traceback" not in page.locator("body").inner_text()
    assert outside == []
    context.close()


@pytest.mark.parametrize("name", ["", "exceptions", "scorecard", "failures"])
def test_a_page_is_readable_on_a_telephone(demo: Demo, browser: Browser, name: str) -> None:
    """At 360 px nothing but tables scrolls sideways."""
    context = browser.new_context(viewport={"width": 360, "height": 800})
    page = opened(context.new_page(), f"{demo.url}/{name}")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    context.close()


def test_operations_says_what_waits_where_and_whose_it_is(demo: Demo, page: Page) -> None:
    """The sentence that the product exists for."""
    opened(page, demo.url)
    text = page.locator(MAIN)
    expect(text).to_contain_text("240 invoices", timeout=120_000)
    expect(text).to_contain_text("wait for proof of delivery from VELO")
    expect(text).to_contain_text("carrier desk")


def test_a_live_refresh_remounts_no_chart(demo: Demo, page: Page) -> None:
    """A chart that is rebuilt at each refresh flickers and loses its zoom: the same nodes must be there afterwards."""
    opened(page, demo.url)
    page.wait_for_selector("canvas", timeout=60_000)
    page.wait_for_timeout(3_000)
    marked = page.evaluate("[...document.querySelectorAll('canvas')].map(c => c.dataset.kept = '1').length")
    page.wait_for_timeout(12_000)
    assert marked > 0
    assert page.evaluate("document.querySelectorAll('canvas[data-kept]').length") == marked


def test_a_filter_stands_in_the_url_and_a_link_with_it_shows_the_same(demo: Demo, page: Page) -> None:
    """A view is sent to a colleague as a link."""
    opened(page, f"{demo.url}/?region=US-East")
    expect(page.locator(MAIN)).to_contain_text("US-East")
    expect(page.locator(MAIN)).not_to_contain_text("wait for proof of delivery from VELO")


def test_from_an_invoice_to_its_object_page_by_the_search_field(demo: Demo, page: Page) -> None:
    """Any key goes there: the ops lead pastes what the customer reads out."""
    truth = json.loads((demo.folder / "demo" / "faults.json").read_text("utf-8"))["faults"]
    invoice = next(f for f in truth if f["code"] == "BIL.MISSING_POD")["object_ids"][0]
    opened(page, demo.url)
    field = page.get_by_placeholder("Order, shipment, invoice", exact=False)
    field.fill(invoice)
    field.press("Enter")
    expect(page.locator(MAIN)).to_contain_text(invoice, timeout=30_000)
    expect(page.locator(MAIN)).to_contain_text("proof of delivery", timeout=30_000)
    assert page.locator(ERROR).count() == 0


def test_failures_leads_to_the_interface_and_to_a_failing_trace(demo: Demo, page: Page) -> None:
    """IT comes from the other side: from the edge to what it holds up, and to the trace."""
    opened(page, f"{demo.url}/failures")
    expect(page.locator(MAIN)).to_contain_text("erp", timeout=30_000)
    opened(page, f"{demo.url}/failures?interface=carrier.NRDX.214")
    expect(page.locator(MAIN)).to_contain_text("carrier.NRDX.214", timeout=30_000)
    page.wait_for_selector("canvas td", state="attached", timeout=30_000)
    cells = page.locator("canvas td").all_text_contents()
    trace = next(found[0] for text in cells if (found := re.search(r"[0-9a-f]{32}", text)))
    opened(page, f"{demo.url}/traces?trace={trace}")
    expect(page.locator(MAIN)).to_contain_text("carrier.NRDX", timeout=30_000)
    assert page.locator(ERROR).count() == 0


def test_the_scorecard_is_taken_away_as_csv_and_as_a_page_of_its_own(demo: Demo, page: Page, tmp_path: Path) -> None:
    """One click each: the board paper, and the numbers for whoever checks it."""
    opened(page, f"{demo.url}/scorecard")
    for label, suffix in (("CSV", ".csv"), ("rint", ".html")):
        button = page.locator('[data-testid="stDownloadButton"] button').filter(has_text=label).first
        expect(button).to_be_visible(timeout=60_000)
        with page.expect_download(timeout=60_000) as download:
            button.click()
        download.value.save_as(tmp_path / f"scorecard{suffix}")
    text = (tmp_path / "scorecard.html").read_text("utf-8")
    assert "Invoice readiness" in text
    assert "<script" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert len(list(csv.reader((tmp_path / "scorecard.csv").open(encoding="utf-8")))) >= 6


def test_an_event_that_is_acknowledged_is_on_the_object_page_seconds_later(demo: Demo, page: Page) -> None:
    """Acknowledged, then seen: the loop from the door to the page."""
    said = {"object_type": "shipment", "object_id": "BROWSER-1", "state": "departed", "occurred_at": "2026-11-01T08:00:00Z"}
    event = {"specversion": "1.0", "id": "browser-1", "source": "/tms", "type": "shipment.departed", "data": said}
    headers = {"content-type": "application/cloudevents+json"}
    answer = httpx.post(f"{demo.intake}/v1/events", content=json.dumps(event), headers=headers, timeout=30, trust_env=False)
    assert answer.status_code in (200, 202, 204), answer.text
    end = time.monotonic() + 60
    while time.monotonic() < end:
        opened(page, f"{demo.url}/object?type=shipment&id=BROWSER-1")
        if "departed" in page.locator(MAIN).inner_text().lower():
            return
        page.wait_for_timeout(2_000)
    pytest.fail(page.locator(MAIN).inner_text()[:2000])
