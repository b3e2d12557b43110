"""
Streamlit's front end to the browser, sooner: the modules of the first page are named with its HTML, and all of it comes packed.

Why links to modules in a header: Streamlit loads what draws an element when the first such element comes, so that numbers that
are there wait for thirty small files, one wave after the other. Their names carry hashes; they are found here, with all that
they import and the HTML does not name itself; one that a later Streamlit no longer has is left out. They are asked for as the
least urgent, behind what starts the page.
Why packed here and kept: a first visit is 5 MB of text, which Streamlit sends as it is and reads from disk in pieces each time,
between which the event loop has everybody's pages to deliver. Packed it is a quarter; each file is packed once, when it is
first asked for, away from the event loop. A browser keeps them for good, for the names are hashes.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FRONT_END = Path(st.__file__).parent / "static"
FIRST = ("Html", "TextInput", "ButtonGroup", "Button", "Metric", "MenuButton", "PageLink")
TYPES = {".js": "application/javascript", ".css": "text/css"}
FOR_EVER = "public, immutable, max-age=31536000"
IMPORT = re.compile(r'(?:from|import)\s*"\./([\w.-]+\.js)"')
LEVEL = 5


class Assets:
    """In front of Streamlit's own static files; what is not asked for as a browser does goes on to them."""

    def __init__(self, app: ASGIApp, *, folder: Path = FRONT_END) -> None:
        self._app, self._first, self._packed = app, _links(folder), dict[Path, bytes]()
        self._files = {f"/{f.relative_to(folder).as_posix()}": f for f in (folder / "static").rglob("*") if f.suffix in TYPES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        asked, file = Headers(scope=scope), self._files.get(scope["path"])
        if file and "gzip" in asked.get("accept-encoding", "") and "range" not in asked:
            headers = {"content-encoding": "gzip", "cache-control": FOR_EVER, "vary": "accept-encoding"}
            if file not in self._packed:
                self._packed[file] = await asyncio.to_thread(_pack, file)
            await Response(self._packed[file], media_type=TYPES[file.suffix], headers=headers)(scope, receive, send)
            return

        async def linked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("link", self._first)
            await send(message)

        await self._app(scope, receive, linked)


def _pack(file: Path) -> bytes:
    return gzip.compress(file.read_bytes(), LEVEL)


def _links(front_end: Path) -> str:
    """A `Link` header of the modules that the first page draws with, and of all that these import."""
    html, scripts = (front_end / "index.html").read_text("utf-8"), front_end / "static" / "js"
    found: dict[str, None] = {}
    waiting = [file.name for name in FIRST for file in scripts.glob(f"{name}.*.js")]
    while waiting:
        name = waiting.pop()
        if name not in found and name not in html and (scripts / name).is_file():
            found[name] = None
            waiting += IMPORT.findall((scripts / name).read_text("utf-8"))
    return ", ".join(f'</static/js/{name}>; rel="modulepreload"; crossorigin; fetchpriority="low"' for name in found)
