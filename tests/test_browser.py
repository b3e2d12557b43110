"""
The demo in a real browser, started by the command line: what a person sees, clicks and takes away.

Why the demo and not made-up rows: its live part writes through the real doors while the pages are open, so that a live refresh
is one, and what the pages say comes from stored events.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Request, expect

from tests.parts.pages import ERROR, MAIN, PAGES, RUNNING, free_port, opened, serving

INCIDENTS = ".st-key-incidents"
WAIT_MS = 30_000


@dataclass(frozen=True, slots=True)
class Demo:
    url: str
    intake: str
    folder: Path

    def log(self) -> str:
        """What it has said so far."""
        return (self.folder / "log").read_text("utf-8", "replace")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    pages, intake = free_port(), free_port()
    (folder / "milepost.toml").write_text(f'data = "{folder}"\n[listen]\npages = {pages}\nintake = {intake}\n', "utf-8")
    asked = [str(Path(sys.executable).with_name("milepost")), "demo", "--days", "6", "--data", str(folder / "demo")]
    url = f"http://127.0.0.1:{pages}"
    with serving(asked, url, folder / "log", cwd=folder) as process:
        yield Demo(url, f"http://127.0.0.1:{intake}", folder)
    assert process.returncode == 0, "Ctrl-C and SIGTERM stop it cleanly"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_no_traceback_and_nothing_leaves_the_machine(demo: Demo, page: Page, name: str) -> None:
    """No page shows a traceback, ever, in light or dark; and no page fetches a font, an icon or a script from outside."""
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.emulate_media(color_scheme="dark")
    opened(page, f"{demo.url}/{name}")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        expect(page.locator(RUNNING)).to_have_count(0, timeout=60_000)
        assert page.locator(ERROR).count() == 0, scheme
        assert "Traceback" not in page.locator("body").inner_text(), scheme
    page.remove_listener("request", note)
    assert f"{demo.url}/{name}" in asked
    assert [url for url in asked if url.startswith("http") and "127.0.0.1" not in url] == []


@pytest.mark.parametrize("name", ["", "exceptions", "scorecard", "failures"])
def test_a_page_is_readable_on_a_telephone(demo: Demo, page: Page, name: str) -> None:
    """At 360 px nothing but tables scrolls sideways."""
    page.set_viewport_size({"width": 360, "height": 800})
    opened(page, f"{demo.url}/{name}")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


def test_operations_says_what_waits_where_and_whose_it_is(demo: Demo, page: Page) -> None:
    """The sentence that the product exists for."""
    opened(page, demo.url)
    text = page.locator(MAIN)
    expect(text).to_contain_text("wait for proof of delivery from VELO", timeout=120_000)
    expect(text).to_contain_text("240 invoices")
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


def test_a_filter_stands_in_the_url_goes_along_and_comes_off_by_its_chip(demo: Demo, page: Page) -> None:
    """A view is sent to a colleague as a link, and no page forgets what was chosen on another."""
    opened(page, demo.url)
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("combobox", name="Region").click()
    page.get_by_role("option", name="US-East").click()
    page.wait_for_url("**region=US-East**")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    chip = page.get_by_role("button", name="region: US-East ✕")
    expect(chip).to_be_visible(timeout=WAIT_MS)
    expect(page.locator(MAIN)).not_to_contain_text("wait for proof of delivery from VELO", timeout=WAIT_MS)
    page.locator('[data-testid="stSidebarNavLink"]').filter(has_text="Exceptions").click()
    page.wait_for_url("**/exceptions?**region=US-East**")
    heading = page.get_by_text(re.compile(r"^Needs somebody: \d+ exceptions$"))
    expect(heading).to_be_visible(timeout=WAIT_MS)
    colleague = page.context.browser.new_context(viewport={"width": 1600, "height": 1100})  # type: ignore[union-attr]
    theirs = opened(colleague.new_page(), page.url)
    expect(theirs.get_by_role("button", name="region: US-East ✕")).to_be_visible(timeout=WAIT_MS)
    n_theirs, n_ours = (p.get_by_text(re.compile(r"^Needs somebody: \d+ exceptions$")).inner_text() for p in (theirs, page))
    assert abs(int(re.findall(r"\d+", n_theirs)[0]) - int(re.findall(r"\d+", n_ours)[0])) <= 5, "the demo goes on meanwhile"
    colleague.close()
    chip.click()
    expect(chip).to_have_count(0, timeout=WAIT_MS)
    page.wait_for_url(lambda url: "region=" not in url)


def test_from_an_incident_to_its_exception_to_the_trace_and_back(demo: Demo, page: Page) -> None:
    """Every number opens what it is made of; back leads back to where it was asked."""
    opened(page, demo.url)
    incident = page.locator('[class*="st-key-incident_"]').filter(has_text="Milestones of Nordex Parcel").first
    expect(incident).to_be_visible(timeout=120_000)
    incident.get_by_role("button", name="Open").click()
    page.wait_for_url("**/exceptions?**incident=**")
    expect(page.locator(MAIN)).to_contain_text("Incident Interface fails", timeout=WAIT_MS)
    page.locator(MAIN).get_by_role("link", name="Trace", exact=True).click(timeout=120_000)
    page.wait_for_url("**/traces?**trace=**")
    expect(page.locator(MAIN)).to_contain_text("carrier.NRDX", timeout=WAIT_MS)
    page.go_back()
    page.wait_for_url("**/exceptions?**incident=**")
    expect(page.locator(MAIN)).to_contain_text("Incident Interface fails", timeout=WAIT_MS)


def test_a_card_filters_and_a_second_click_shows_all_again(demo: Demo, page: Page) -> None:
    """The shortest way from a red card to its incidents."""
    opened(page, demo.url)
    card = page.locator(".st-key-card_invoice_readiness").get_by_role("button")
    card.click()
    page.wait_for_url("**workflow=invoice_readiness**")
    expect(page.locator(INCIDENTS)).not_to_contain_text("Milestones of Nordex Parcel", timeout=WAIT_MS)
    expect(page.locator(INCIDENTS)).to_contain_text("240 invoices")
    expect(card).to_have_text("Invoice readiness ✕")
    card.click()
    expect(page.locator(INCIDENTS)).to_contain_text("Milestones of Nordex Parcel", timeout=WAIT_MS)


def test_verbs_ask_for_a_name_once_and_stand_in_the_history(demo: Demo, page: Page) -> None:
    """Who did what: acknowledged, handed over and commented in the browser, read back on the page."""
    opened(page, demo.url)
    incident = page.locator('[class*="st-key-incident_"]').filter(has_text="proof of delivery from VELO")
    incident.get_by_role("button", name="Open").click(timeout=120_000)
    page.wait_for_url("**/exceptions?**incident=**")
    page.get_by_role("button", name="Acknowledge").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your name").fill("Kim Larsen")
    dialog.get_by_role("button", name="Acknowledge 1 exception").click()
    main = page.locator(MAIN)
    expect(main).to_contain_text("Kim Larsen · acknowledge", timeout=WAIT_MS)
    page.get_by_role("button", name="Assign").click()
    page.get_by_role("menuitem", name="customer service").or_(page.get_by_role("option", name="customer service")).click()
    expect(main).to_contain_text("Kim Larsen · assign to customer service", timeout=WAIT_MS)
    page.get_by_role("button", name="More").click()
    page.get_by_label("Why").fill("the carrier promised it by noon")
    page.get_by_label("Why").press("Tab")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(main).to_contain_text("Kim Larsen · comment: the carrier promised it by noon", timeout=WAIT_MS)


def test_a_wall_needs_no_scrolling(demo: Demo, page: Page) -> None:
    """1920 x 1080, from across the room, nobody at the mouse."""
    page.set_viewport_size({"width": 1920, "height": 1080})
    opened(page, f"{demo.url}/?kiosk=1")
    expect(page.locator(MAIN)).to_contain_text("240 invoices", timeout=120_000)
    expect(page.locator(MAIN)).to_contain_text("Blocked invoices", timeout=WAIT_MS)
    page.wait_for_selector("canvas", timeout=WAIT_MS)
    page.wait_for_timeout(1_000)
    assert page.evaluate(f"(m => m.scrollHeight - m.clientHeight)(document.querySelector('{MAIN}'))") <= 0


def test_from_an_invoice_to_its_object_page_by_the_search_field(demo: Demo, page: Page) -> None:
    """Any key goes there: the ops lead pastes what the customer reads out."""
    invoice = _invoice(demo)
    opened(page, demo.url)
    field = page.get_by_placeholder("Order, shipment, invoice", exact=False)
    field.fill(invoice)
    field.press("Enter")
    expect(page.locator(MAIN)).to_contain_text(invoice, timeout=30_000)
    expect(page.locator(MAIN)).to_contain_text("proof of delivery", timeout=30_000)
    assert page.locator(ERROR).count() == 0


def _invoice(demo: Demo) -> str:
    """An invoice that waits for its proof of delivery."""
    truth = json.loads((demo.folder / "demo" / "faults.json").read_text("utf-8"))["faults"]
    return str(next(f for f in truth if f["code"] == "BIL.MISSING_POD")["object_ids"][0])


def test_failures_leads_to_the_interface_and_to_a_failing_trace(demo: Demo, page: Page) -> None:
    """IT comes from the other side: from the edge to what it holds up, and to the trace."""
    opened(page, f"{demo.url}/failures")
    expect(page.locator(MAIN)).to_contain_text("erp", timeout=30_000)
    opened(page, f"{demo.url}/failures?interface=carrier.NRDX.214")
    expect(page.locator(MAIN)).to_contain_text("carrier.NRDX.214", timeout=30_000)
    named = page.locator("canvas td").filter(has_text=re.compile("[0-9a-f]{32}")).first
    named.wait_for(state="attached", timeout=60_000)
    trace = re.findall("[0-9a-f]{32}", named.text_content() or "")[0]
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
