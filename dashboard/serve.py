"""
The server of the pages: a Streamlit ASGI application with headers, limits and a warm start, on a uvicorn server of our own.

Why not `streamlit run` or `App.run`: those hide uvicorn's limits, anchor the configuration to argv[0], bind every interface
and send no security headers. Why warm imports, `gc.freeze()` and a collection now and then: Streamlit collects all generations
after every run of a script or of a part that refreshes. With ten people watching that was two thirds of what the interpreter
did, and senders waited for it.
Why a redirect for `?kiosk=1`: a wall is dark and bare whatever the system prefers, and only the front end's own embed
options can say so.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import hashlib
import importlib
import re
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import streamlit as st
import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

from dashboard import access, queries, queries_operations, reruns, session
from dashboard.assets import FRONT_END, Assets
from dashboard.gate import Gate
from schema.errors import StoreUnavailable
from schema.governance import Catalogue
from schema.store import StatementError, Store

HERE = Path(__file__).parent
WARM = ("pandas", "pyarrow", "numpy", "plotly.graph_objects", "streamlit.dataframe_util", "schema.exceptions")
COLLECT_S = 30
MAX_UPLOAD_MB = 5
MAX_CONNECTIONS = 500
WS_MAX_BYTES = 4 * 2**20
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
KIOSK = "embed=true&embed_options=dark_theme"


def server(
    store: Store,
    catalogue: Catalogue,
    *,
    host: str = "127.0.0.1",
    port: int = 8501,
    intake: str = session.DEFAULT_INTAKE,
    login: access.Login | None = None,
    allow_without_login: bool = False,
    trusted_proxies: str = "127.0.0.1",
    replay: session.Replay | None = None,
) -> uvicorn.Server:
    """
    The server of the pages, ready to `run()` in the main thread, which is where its signal handlers work.

    `intake` is the address that senders use. With a `login` (OIDC) no page is seen without it; without one only this machine is
    served, unless `allow_without_login` says that a proxy in front knows its visitors. `trusted_proxies` may say who the client
    is (X-Forwarded-For, -Proto). `replay` delivers rejects again, where collectors live in this process.

    Raises: BadConfig, if pages without login would be open to the network.
    """
    access.only_on_loopback(host, login, allow_without_login=allow_without_login)
    session.open(store, catalogue, intake=intake, policy=login.policy if login else None, replay=replay)
    return uvicorn.Server(
        uvicorn.Config(
            application(host=host, port=port, login=login, is_local=not (login or allow_without_login)),
            host=host,
            port=port,
            ws="websockets-sansio",
            ws_max_size=WS_MAX_BYTES,
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=5,
            limit_concurrency=MAX_CONNECTIONS,
            proxy_headers=True,
            forwarded_allow_ips=trusted_proxies,
        )
    )


def application(
    *, host: str = "127.0.0.1", port: int = 8501, login: access.Login | None = None, is_local: bool = True
) -> st.App:
    """The ASGI application: pages, /healthz, JSON where a sender has mistaken the port; `is_local`: for this machine only."""
    address = login.address if login else ""
    app = st.App(
        HERE / "app.py",
        routes=[
            Route("/healthz", _healthz),
            Route("/operations", _first_page),
            *(Route(f"{path}/{{rest:path}}", _not_here, methods=METHODS) for path in ("/v1", "/api")),
        ],
        lifespan=_warm,
        middleware=[
            Middleware(Headers, is_tls=address.startswith("https:")),
            Middleware(Gate, is_local=is_local, address=address),
            Middleware(Assets),
        ],
        secrets={"auth": dict(login.section)} if login else None,
    )
    reruns.mend()
    config.get_config_options(force_reparse=True, options_from_flags=_options(host, port))
    return app


def _options(host: str, port: int) -> dict[str, Any]:
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.maxUploadSize": MAX_UPLOAD_MB,
        "server.enableAgentApi": False,
        "runner.postScriptGC": False,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "type",
        "theme.base": str(HERE / "theme.toml"),
    }


@contextlib.asynccontextmanager
async def _warm(_: st.App) -> AsyncIterator[None]:
    """Import what the first page would wait for, then take all that is loaded out of the collector's sight."""
    for name in WARM:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    threading.Thread(target=_ask_first, name="warm", daemon=True).start()
    collecting = asyncio.create_task(_collect())
    yield
    collecting.cancel()


async def _collect() -> None:
    """What sessions that are over leave behind goes in cycles, and only a collection finds those."""
    while True:
        await asyncio.sleep(COLLECT_S)
        await asyncio.to_thread(gc.collect)


def _ask_first() -> None:
    """What the first page asks, before somebody does; what is in the way is that page's to say."""
    asked = queries_operations
    with contextlib.suppress(StoreUnavailable, StatementError):
        queries.pulse.warm()
        for read in (asked.workflows, asked.attainment, asked.open_incidents, asked.freshness, asked._blocked):
            read.warm(None, ())
        asked.stages.warm(None, (), "")
        asked.typical.warm(None)
        asked._causes.warm()


async def _healthz(_: Request) -> Response:
    return JSONResponse({"status": "ok", "serves": "pages"})


async def _first_page(request: Request) -> Response:
    """By its name as without: Streamlit knows the first page by `/` alone, and says of its name that there is no such page."""
    return RedirectResponse(request.url.replace(scheme="", netloc="", path="/"), 307)


async def _not_here(request: Request) -> Response:
    text = f"{request.method} {request.url.path} is not served here, these are the pages; senders go to {session.intake()}"
    return JSONResponse({"error": text}, 404)


class Headers:
    """
    Security headers on every answer, Secure cookies under TLS, and the way into kiosk mode.

    `is_tls`: people come by https, whatever a proxy in front says of it or forgets to say.
    """

    def __init__(self, app: ASGIApp, *, is_tls: bool = False) -> None:
        self._app, self._is_tls = app, is_tls
        self._headers = _security_headers(FRONT_END / "index.html")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if to := _kiosk(scope):
            await RedirectResponse(to, 307)(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, text in self._headers.items():
                    headers[name] = text
                if self._is_tls or scope["scheme"] == "https":
                    headers["strict-transport-security"] = "max-age=31536000"
                    _secure_cookies(headers)
            await send(message)

        await self._app(scope, receive, guarded)


def _kiosk(scope: Scope) -> str:
    """Where to go to for a wall that does not yet ask for the dark, bare front end."""
    query = scope["query_string"].decode("latin-1")
    asked = parse_qs(query)
    is_page = scope["method"] == "GET" and "." not in scope["path"] and not scope["path"].startswith("/_stcore")
    return f"{scope['path']}?{query}&{KIOSK}" if is_page and asked.get("kiosk") == ["1"] and "embed" not in asked else ""


def _secure_cookies(headers: MutableHeaders) -> None:
    """Streamlit marks its cookies Secure only where it ends TLS itself; behind a proxy it does not."""
    cookies = headers.getlist("set-cookie")
    if not cookies:
        return
    del headers["set-cookie"]
    for cookie in cookies:
        headers.append("set-cookie", cookie if "secure" in cookie.lower() else f"{cookie}; Secure")


def _security_headers(index: Path) -> dict[str, str]:
    """The policy: nothing from elsewhere, no script but the front end's own and its one inline script, by its hash."""
    inline = re.findall(r"<script>(.*?)</script>", index.read_text("utf-8"), re.S)
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in inline)
    return {
        "content-security-policy": (
            f"default-src 'self'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
            "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
            "frame-ancestors 'self'; form-action 'self'"
        ),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "cross-origin-opener-policy": "same-origin",
        "x-frame-options": "SAMEORIGIN",
    }
