"""
Which requests reach the pages at all, and the way back to where somebody was when he was sent to sign in.

Why a foreign Origin is refused here, when Streamlit looks at it too: Streamlit takes any port of this machine for its own
(another program on localhost could open a visitor's session with his cookies), and to compare a stranger's address it asks a
host outside for its own. Why a foreign Host is refused on pages without login: a web page whose name is made to point at this
machine (DNS rebinding) is of one origin with it, and would read everything.

Why the way back is a cookie set from the Referer: Streamlit sends everybody to `/` after the login, and a view that was sent as
a link must open as that view. Only a path of these pages is ever followed.
"""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from dashboard.access import is_loopback

LOGIN, CALLBACK, COOKIE = "/auth/login", "/oauth2callback", "milepost_back"
HIDDEN = ("/_stcore/metrics",)
PATH = re.compile(r"/(?![/\\])[^\\\s]{0,2000}")
BACK_S = 600


class Gate:
    """In front of the pages: `is_local` where only this machine may ask, `address` where the provider sends people back to."""

    def __init__(self, app: ASGIApp, *, is_local: bool = False, address: str = "") -> None:
        self._app, self._is_local = app, is_local
        self._ours = _site(address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        status, why = self._refusal(scope, headers)
        if why and scope["type"] == "websocket":
            await WebSocketClose(code=1008, reason=why[:120])(scope, receive, send)
        elif why:
            await JSONResponse({"error": why}, status)(scope, receive, send)
        else:
            await self._app(scope, receive, _remembering(scope, headers, send))

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str]:
        host = headers.get("host", "").lower()
        if self._is_local and not is_loopback(urlsplit(f"//{host}").hostname or ""):
            return 421, (
                f"These pages are for this machine and not for {host[:80]!r}. Behind a proxy that knows its visitors set "
                "listen.allow_without_login = true; to let people sign in, configure [auth]."
            )
        if scope["type"] == "websocket" and _site(headers.get("origin", f"http://{host}")) not in (host, self._ours or host):
            return 403, "Another site may not open these pages' connection."
        return (404, "Not here.") if scope["path"] in HIDDEN else (0, "")


def _site(origin: str) -> str:
    return urlsplit(origin).netloc.lower()


def _remembering(scope: Scope, headers: Headers, send: Send) -> Send:
    """Note where somebody is when he goes to sign in, and send him back there."""
    if scope["path"] not in (LOGIN, CALLBACK):
        return send

    async def noted(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer = MutableHeaders(scope=message)
            if scope["path"] == LOGIN and (path := _here(headers)):
                answer.append("set-cookie", _cookie(quote(path, safe=""), BACK_S))
            elif scope["path"] == CALLBACK and answer.get("location") == "/":
                if path := _back(headers):
                    answer["location"] = path
                answer.append("set-cookie", _cookie("", 0))
        await send(message)

    return noted


def _cookie(value: str, age_s: int) -> str:
    return f"{COOKIE}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=lax"


def _here(headers: Headers) -> str:
    """The path and query of the page that a request comes from, if that page is ours."""
    page = urlsplit(headers.get("referer", ""))
    path = f"{page.path}?{page.query}" if page.query else page.path
    return path if page.netloc.lower() == headers.get("host", "").lower() and PATH.fullmatch(path) else ""


def _back(headers: Headers) -> str:
    """The path to go back to; empty if there is none, or if it leads elsewhere."""
    found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    path = unquote(found.value) if found else ""
    return path if PATH.fullmatch(path) else ""
