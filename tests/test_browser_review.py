"""
The pages of review and investigation in a real browser, over a small enterprise with rejects: what no page without a browser
shows, which is whether it fits, whether it can be read, and whether a click replays.

Why a server of its own and not the demo: the demo's doors reject nothing, and a sheet of paper and a table need no history.
`python -m tests.test_browser_review FOLDER PORT` is that server.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from collectors import replay
from collectors.message import Message, Source
from collectors.sink import Sink
from dashboard import serve
from schema import governance, migrate
from schema.store import connect
from tests.dashboard import enterprise
from tests.dashboard.telling import Told, tell
from tests.parts.pages import MAIN, free_port, opened, serving

PAGES = ("scorecard", "failures", "traces", "intake", "numbers")
VIEWPORT: ViewportSize = {"width": 1440, "height": 1000}


def wms(name: str) -> Source:
    """A source whose mapping reads the object's id from this field."""
    return Source("wms", "webhook", "records", options={"mapping": {"object_id": name, "object_type": "= shipment", "occurred_at": "at"}})


def call(i: int, at: datetime) -> Told:
    """A call over an interface, every second of which fails with a long sentence."""
    error = "ParseError: 214 AT7 for EU-North: the time zone 'CE' is not allowed in AT707" if i % 2 else ""
    return Told(i, i, at, "carrier.ACME.214", said={"milepost.interface": "carrier.ACME.214", "order.id": f"SO-{i}"}, error=error)


def main(folder: str, port: str) -> None:
    """A store with the small enterprise and two rejects whose mapping is mended by now, and the pages over it, until SIGTERM."""
    catalogue, now = governance.load(), datetime.now(UTC)
    store = connect(f"chdb://{folder}")
    migrate.migrate(store, catalogue)
    enterprise.fill(store, now)
    tell(store, *[call(i, now - timedelta(minutes=i)) for i in range(1, 9)])
    sink = Sink(store, catalogue)
    for i in range(2):
        sink.deliver_now(wms("nr"), Message(b'{"no": "S%d", "at": "2026-11-23 08:00:00"}' % i, now - timedelta(minutes=1)))
    lent = replay.lend(store, sink, {"wms": wms("no")})
    serve.server(store, catalogue, port=int(port), replay=lent).run()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("review"), free_port()
    asked = [sys.executable, "-m", "tests.test_browser_review", str(folder / "store"), str(port)]
    address = f"http://127.0.0.1:{port}"
    with serving(asked, address, folder / "log"):
        yield address


@pytest.mark.parametrize("name", PAGES)
def test_every_table_fits_a_laptop(url: str, page: Page, name: str) -> None:
    """At 1440 px a column that is cut is one that nobody reads; a table that scrolls sideways has a width beyond its own."""
    opened(page, f"{url}/{name}")
    page.wait_for_selector(".dvn-scroller", timeout=30_000)
    page.wait_for_timeout(1000)
    wide = page.evaluate("[...document.querySelectorAll('.dvn-scroller')].map(e => e.scrollWidth - e.clientWidth)")
    assert [w for w in wide if w > 2] == []


def test_a_click_replays_what_was_rejected_and_says_how_it_went(url: str, page: Page) -> None:
    """The cause is mended, the bytes are there: one click, and the open rejects are gone."""
    opened(page, f"{url}/intake?source=wms")
    text = page.locator(MAIN)
    expect(text).to_contain_text("Open rejects of wms: 2", timeout=30_000)
    page.get_by_role("button", name="Replay all 2 rejects of wms").click()
    expect(text).to_contain_text("2 messages delivered again and stored", timeout=30_000)
    expect(text).to_contain_text("Open rejects of wms: 0")
    expect(page.get_by_role("button", name=re.compile("Replay"))).to_have_count(0)


def test_the_scorecard_on_paper_is_one_sheet(url: str, page: Page, tmp_path: Path) -> None:
    """A board reads one page; what runs over is a second page with one line."""
    opened(page, f"{url}/scorecard")
    button = page.locator('[data-testid="stDownloadButton"] button').filter(has_text="Print").first
    expect(button).to_be_visible(timeout=60_000)
    with page.expect_download(timeout=60_000) as download:
        button.click()
    download.value.save_as(tmp_path / "card.html")
    page.goto((tmp_path / "card.html").as_uri())
    sheets = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type /Page\b", sheets)) == 1


if __name__ == "__main__":
    main(*sys.argv[1:])
