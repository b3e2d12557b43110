"""
People who watch a page, without their browsers: clients that speak Streamlit's protocol as its front end does.

Why not ten Chromiums: on the cores of the server they would be most of what is measured. These ask for what a page asks for, at
the times it asks for it: the page itself, then every part of it that refreshes by itself, each by its own timer, whether the last
answer has come or not. What they are sent they read, and draw nothing. Streamlit 1.67's front end does the same in
`sendRerunBackMsg` and `handleAutoRerun`.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pyarrow as pa
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from tests.bench.row import quantile

FIRST_S = 180.0


@dataclass(slots=True)
class Watcher:
    """One open page: when its parts were asked for and drawn, and how many objects its table of stages showed at which moment."""

    number: int
    waits: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    shown: list[tuple[float, int]] = field(default_factory=list)
    is_open: threading.Event = field(default_factory=threading.Event)
    timers: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _page: str = ""
    _drawn_at: dict[str, float] = field(default_factory=dict)
    _asked_at: dict[str, float] = field(default_factory=dict)

    async def watch(self, address: str) -> None:
        """Open the page and keep it open until cancelled."""
        url = urlsplit(address)
        wire = f"ws://{url.netloc}/_stcore/stream"
        async with connect(wire, subprotocols=["streamlit"], origin=f"http://{url.netloc}", max_size=None, proxy=None) as connection:  # type: ignore[list-item,arg-type]
            await self._ask(connection, page=url.path.strip("/"))
            async for said in connection:
                self._take(ForwardMsg.FromString(said if isinstance(said, bytes) else said.encode()), connection)

    async def _ask(self, connection: ClientConnection, *, page: str = "", part: str = "") -> None:
        asked = BackMsg()
        asked.rerun_script.page_script_hash, asked.rerun_script.page_name = self._page, page
        asked.rerun_script.fragment_id, asked.rerun_script.is_auto_rerun = part, bool(part)
        asked.rerun_script.context_info.timezone = "Europe/Berlin"
        self._asked_at.setdefault(part, time.monotonic())
        await connection.send(asked.SerializeToString())

    def _take(self, said: ForwardMsg, connection: ClientConnection) -> None:
        kind = said.WhichOneof("type")
        if kind == "new_session":
            self._page = said.new_session.page_script_hash
        elif kind == "navigation":
            self._page = said.navigation.page_script_hash
        elif kind == "auto_rerun":
            self._refresh(said.auto_rerun.fragment_id, said.auto_rerun.interval, connection)
        elif kind == "delta":
            self._see(said.delta)
        elif kind == "script_finished":  # a part that is followed by the next one ends "early", and is whole
            parts = tuple(said.metadata.run.fragment_ids)
            if parts or said.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                self._drawn(parts)

    def _refresh(self, part: str, every_s: float, connection: ClientConnection) -> None:
        if part not in self.timers:
            self.timers[part] = asyncio.ensure_future(self._ask_each(part, every_s, connection))

    async def _ask_each(self, part: str, every_s: float, connection: ClientConnection) -> None:
        while True:
            await asyncio.sleep(every_s)
            await self._ask(connection, part=part)

    def _see(self, delta: Delta) -> None:
        now, last = time.monotonic(), self._drawn_at.get(delta.fragment_id)
        if delta.fragment_id:
            self.gaps.append(now - (last or now))
            self._drawn_at[delta.fragment_id] = now
        if delta.new_element.WhichOneof("type") == "dataframe":
            table = pa.ipc.open_stream(delta.new_element.dataframe.arrow_data.data).read_all().to_pydict()
            if "Stage" in table:
                self.shown.append((now, sum(table["Now"])))

    def _drawn(self, parts: Sequence[str]) -> None:
        now = time.monotonic()
        for part in parts or ("",):
            if part in self._asked_at:
                self.waits.append(now - self._asked_at.pop(part))
        self.is_open.set()


class Watchers:
    """So many watchers of one page while the block runs."""

    def __init__(self, address: str, n: int) -> None:
        self._address, self.all = address, [Watcher(i) for i in range(n)]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> Watchers:
        self._thread.start()
        for one in self.all:
            if not one.is_open.wait(FIRST_S):
                raise SystemExit(f"watcher {one.number} saw no page within {FIRST_S:g} s")
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=30)

    def forget(self) -> None:
        """Measure from here on."""
        for one in self.all:
            one.waits.clear()
            one.gaps.clear()
            del one.shown[:-1]

    def wait(self, share: float) -> float:
        """The quantile of the seconds from asking for a part to its being drawn."""
        return quantile([wait for one in self.all for wait in one.waits], share)

    @property
    def longest_gap(self) -> float:
        """Seconds between two drawings of one part, at most."""
        return max(gap for one in self.all for gap in one.gaps)

    def oldest(self, acknowledged_at: Sequence[float], objects_each: int) -> float:
        """How old a page became at most: when it was drawn anew, for how long had it lacked objects that were acknowledged?"""
        ages = [0.0]
        for one in self.all:
            first = one.shown[0][1]
            for (_, n), (drawn_at, _) in itertools.pairwise([*one.shown, (time.monotonic(), 0)]):
                lacking = (n - first) // objects_each
                if lacking < len(acknowledged_at):
                    ages.append(drawn_at - acknowledged_at[lacking])
        return max(ages)

    def _run(self) -> None:
        asyncio.run(self._watch())

    async def _watch(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        tasks = [asyncio.ensure_future(one.watch(self._address)) for one in self.all]
        await self._stop.wait()
        for task in [*tasks, *(timer for one in self.all for timer in one.timers.values())]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
