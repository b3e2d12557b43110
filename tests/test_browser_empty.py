"""
The pages over an empty store, and over one that is away: what they say where there is nothing to show, and a click that crosses
a refresh.

Why no demo here: it would go on beside these tests, and none of them looks at what it says.
Why a tampered websocket: a click crosses a refresh within a few milliseconds of luck, so the message of the page before is kept and
sent once more when the next page stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.parts.clickhouse_server import ClickHouseServer
from tests.parts.pages import ERROR, MAIN, PAGES, opened, pages_alone

WAIT_MS = 30_000
AWAY = "The store does not answer since"


class Wire:
    """The connection of a page, which remembers the last refresh that it asked for."""

    def __init__(self) -> None:
        self.refresh = b""
        self.server: WebSocketRoute | None = None

    def tap(self, route: WebSocketRoute) -> None:
        self.server = server = route.connect_to_server()
        route.on_message(lambda said: self._keep(said, server))

    def _keep(self, said: str | bytes, server: WebSocketRoute) -> None:
        asked = BackMsg.FromString(said) if isinstance(said, bytes) else BackMsg()
        if asked.rerun_script.is_auto_rerun:
            self.refresh = bytes(said)
        server.send(said)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("empty")
    with pages_alone(f"chdb://{folder}/store", folder) as address:
        yield address


def test_every_page_over_an_empty_store_says_what_to_do(url: str, page: Page) -> None:
    """The first minute after the installation: a sentence and the next step, on every page."""
    for name in PAGES:
        opened(page, f"{url}/{name}")
        said = re.compile(r"no event yet.*detectors have not run yet.{30,}", re.S)
        expect(page.locator(MAIN), f"{name} says nothing of its own").to_contain_text(said, timeout=WAIT_MS)
        assert page.locator(ERROR).count() == 0, name
    opened(page, url)
    expect(page.locator(MAIN)).to_contain_text("curl -sS http://127.0.0.1:4318/v1/events")


def test_a_refresh_of_the_page_before_does_not_empty_this_one(url: str, browser: Browser) -> None:
    """An ops lead who clicks while the status line refreshes sees the page that was asked for, and not an empty one."""
    wire = Wire()
    page = browser.new_page(viewport={"width": 1600, "height": 1100})
    page.route_web_socket("**/_stcore/stream", wire.tap)
    opened(page, url)
    while not wire.refresh:
        page.wait_for_timeout(500)
    stale = wire.refresh
    page.locator('[data-testid="stSidebarNavLink"]').filter(has_text="Numbers").click()
    table = page.locator(MAIN).locator("canvas").last
    expect(table).to_be_visible(timeout=60_000)
    assert wire.server is not None
    wire.server.send(stale)
    for _ in range(2):  # whatever was sent before a refresh that came back has been dealt with
        wire.refresh = b""
        while not wire.refresh:
            page.wait_for_timeout(500)
    expect(table).to_be_visible(timeout=1_000)
    page.close()


def test_every_page_says_that_the_store_is_away_and_comes_back_with_it(
    page: Page, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """A database that is restarted is a line of text on the pages: since when, and that nothing is lost; never a traceback."""
    if pytestconfig.getoption("--engine") == "embedded":
        pytest.skip("needs the ClickHouse server, and --engine embedded was asked for")
    server = ClickHouseServer(tmp_path / "server")
    with server, pages_alone(server.dsn("away"), tmp_path) as url:
        opened(page, url)
        expect(page.locator(MAIN)).to_contain_text("No events yet")
        server.kill()
        expect(page.locator(MAIN)).to_contain_text(AWAY, timeout=WAIT_MS)
        for name in PAGES:
            opened(page, f"{url}/{name}")
            expect(page.locator(MAIN)).to_contain_text(AWAY, timeout=WAIT_MS)
            expect(page.locator(MAIN)).to_contain_text("Nothing is lost")
            assert page.locator(ERROR).count() == 0, name
            assert "Traceback" not in page.locator("body").inner_text(), name
        opened(page, url)
        with server:
            expect(page.locator(MAIN)).not_to_contain_text(AWAY, timeout=WAIT_MS)
            expect(page.locator(MAIN)).to_contain_text("No events yet", timeout=WAIT_MS)
