"""
A connection of the intake port that gives way: where they run short, the one that has idled longest is closed.

Why not uvicorn's limit alone: it counts whoever is connected, and answers 503 to the next. A thousand connections that send
a byte of their headers now and then, or nothing at all, would so shut out everybody, and they name no source whose share
they could be counted against. An honest sender's headers are there within milliseconds, a stalled one's never; so those are
closed that have waited longest, idle keep-alive connections among them, which every HTTP client opens again.
"""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which knows since when no request of it is under way."""

    idle_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.idle_at = self.loop.time()
        if self.limit_concurrency and len(self.connections) > self.limit_concurrency * 9 // 10:
            self._make_room()

    def on_response_complete(self) -> None:
        self.idle_at = self.loop.time()
        super().on_response_complete()

    @property
    def is_idle(self) -> bool:
        return (self.cycle is None or self.cycle.response_complete) and not self.transport.is_closing()

    def _make_room(self) -> None:
        others = [cast(Connection, one) for one in self.connections if one is not self]
        idle = [one for one in others if one.is_idle]
        if idle:
            min(idle, key=lambda one: one.idle_at).transport.close()
