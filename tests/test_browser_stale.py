"""
A click that crosses a refresh under way: what a busy machine does now and then, done here each time.

Why a tampered websocket: the crossing takes a few milliseconds of luck, so the message of the page before is kept and sent once more
when the next page stands.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, WebSocketRoute, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.parts.pages import MAIN, opened
from tests.test_browser import page, pages_alone

__all__ = ["page"]


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


def test_a_refresh_of_the_page_before_does_not_empty_this_one(page: Page, tmp_path: Path) -> None:
    """An ops lead who clicks while the status line refreshes sees the page that was asked for, and not an empty one."""
    wire = Wire()
    page.route_web_socket("**/_stcore/stream", wire.tap)
    with pages_alone(f"chdb://{tmp_path}/store", tmp_path) as url:
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
