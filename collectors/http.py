"""
The intake port: one ASGI application over the routes of the HTTP-borne kinds, and the server that it runs on.

Why a second server in a thread of its own and not routes beside the pages: measured, it halves the tail of a POST while
pages are drawn, and a port that machines write to should not carry the pages' limits, cookies and exposure.
Whatever is no route is answered in JSON, for a mistyped OTLP address that gets 200 and a page looks healthy.
"""

from __future__ import annotations

import errno
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import uvicorn
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collectors.connections import Connection
from schema.errors import BadConfig

START_S = 10.0
# A request passes from thread to thread, and while others decode, each waits so long for the interpreter: measured beside a
# flood, 9 of 10 passed within 2 to 5 ms, where Python's own 5 ms make it 10 to 18.
SWITCH_S = 0.001
MAX_CONNECTIONS = 1000

Depth = Callable[[], Mapping[str, int]]
OnError = Callable[[str, Exception], None]


def app(routes: Sequence[Route], *, ping: Callable[[], bool], depth: Depth, on_error: OnError) -> Starlette:
    """The application: the routes, /healthz, and JSON for all else."""
    _distinct(routes)

    async def healthz(_: Request) -> Response:
        is_there = await run_sync(ping)
        body = {"status": "ok" if is_there else "store away", "store": is_there, "waiting": dict(depth())}
        return JSONResponse(body, 200 if is_there else 503)

    async def not_so(request: Request, err: Exception) -> Response:
        status = err.status_code if isinstance(err, HTTPException) else 500
        known = ", ".join(sorted({route.path for route in routes}))
        text = f"{request.method} {request.url.path} is not served here; known: {known}"
        return JSONResponse({"error": text}, status, dict(getattr(err, "headers", None) or {}))

    async def failed(request: Request, err: Exception) -> Response:
        on_error(request.url.path, err)
        return JSONResponse({"error": "Milepost failed on this message; its log says why. Nothing was acknowledged."}, 500)

    handlers = {404: not_so, 405: not_so, Exception: failed}
    made = Starlette(routes=[*routes, Route("/healthz", healthz)], exception_handlers=handlers)
    made.router.redirect_slashes = False  # a sender that follows no redirect loses its data, one that does brings its key along
    return made


class Server:
    """uvicorn in a daemon thread, on a socket that is bound before the thread starts, so that a taken port is told at once."""

    def __init__(self, application: Starlette, host: str, port: int) -> None:
        self._socket = _bind(host, port)
        self.host, self.port = host, int(self._socket.getsockname()[1])
        config = uvicorn.Config(
            application,
            http=Connection,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="intake", daemon=True)

    def start(self) -> None:
        """Return once requests are answered."""
        sys.setswitchinterval(SWITCH_S)
        self._thread.start()
        end = time.monotonic() + START_S
        while not self._server.started and self._thread.is_alive() and time.monotonic() < end:
            time.sleep(0.005)

    def stop(self) -> None:
        """Take no more requests, finish those under way."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()


def json_say(_: Request, status: int, text: str) -> Response:
    """An error in JSON, as every route but OTLP's says it."""
    return Response(json.dumps({"error": text}), status, media_type="application/json")


def _distinct(routes: Sequence[Route]) -> None:
    seen: set[str] = {"/healthz"}
    for route in routes:
        if route.path in seen:
            raise BadConfig(f"two sources want the path {route.path}: give one of them another `path`")
        seen.add(route.path)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as err:
        sock.close()
        why = "another program listens there" if err.errno == errno.EADDRINUSE else str(err.strerror or err)
        raise BadConfig(f"listen.host {host!r}, listen.intake {port}: {why}") from err
    return sock
