"""An intake port of a test: real servers on free ports, with deliveries that are the test's own."""

from __future__ import annotations

from typing import Any

import httpx

from collectors.config import Settings, format_module, kind_module
from collectors.gate import Gate
from collectors.http import Server, app
from collectors.message import Message, Source
from collectors.running import Means, Receipt

EVENTS = Source("events", "webhook", "cloudevents", options={"path": "/v1/events"})
OTLP = Source("otlp", "otlp", "otlp")
STRUCTURED = {"content-type": "application/cloudevents+json"}
PROTOBUF = {"content-type": "application/x-protobuf"}


class Intake:
    """Servers started by a test, with deliveries that are the test's own; stopped when it ends."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.got: list[tuple[Source, Message]] = []
        self.answer: Receipt | Exception = Receipt(n_rows=1)
        self.bugs: list[str] = []
        self.is_there = True
        self._running: list[tuple[Server, httpx.Client]] = []

    async def deliver(self, source: Source, message: Message) -> Receipt:
        self.got.append((source, message))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def start(self, *sources: Source, deliver: Any = None) -> httpx.Client:
        routes, gate = [], Gate(self.settings)
        for source in sources:
            types = getattr(format_module(source.format), "CONTENT_TYPES", ())
            means = Means(deliver or self.deliver, lambda s, m: Receipt(), self.settings, types, gate)
            routes += kind_module(source.kind).start(source, means).routes
        made = app(
            routes,
            ping=lambda: self.is_there,
            depth=lambda: {"messages": 0, "bytes": 0},
            on_error=lambda path, err: self.bugs.append(f"{path} {err}"),
        )
        server = Server(made, "127.0.0.1", 0)
        server.start()
        client = httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60, trust_env=False)
        self._running.append((server, client))
        return client

    def stop(self) -> None:
        for server, client in self._running:
            client.close()
            server.stop()
