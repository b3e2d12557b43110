"""
The enterprise goes on after the anchor: the rest of every story that history began, and new orders in a fast lane.

Why a fast lane: 300 orders a day are one every few minutes, and nobody watches a demo for a day. Orders of the fast lane live
two hundred times faster, keep away from what is broken (so that the faults stay as large as they are told), and come every few
seconds. Why a cursor and sessions in a file: what is said at a time is a function of the seed alone, so that a restart needs to
know only how far it got, and when it was there at all; what was due in between is said then, late, as it would be.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event as Signal

import structlog

from collectors.demo.cast import CARRIERS, CAST_BY_REGION, HOUSES_BY_REGION, REGIONS, SHARES, SYSTEM_SOURCES
from collectors.demo.doors import BY_FILE, Doors
from collectors.demo.orders import Wish, plan
from collectors.demo.rows import received_at
from collectors.demo.telling import Call, Said, Story
from collectors.demo.world import World
from schema.errors import SourceUnavailable

log = structlog.get_logger(__name__)
FILE = "live.json"
PACE, EVERY_S, LIFE_S = 200.0, 4, 4 * 3600
HORIZON_S = 6 * 3600
HEARTBEAT_S, SAVE_EVERY_S, PAUSE_S = 60, 5, 1.0
BROKEN = {("EU-North", "NRDX"), ("US-East", "HLTR")}
BROKEN_HOUSES = ("LYS1",)


@dataclass(slots=True)
class Position:
    """How far the live part got, and when it was there at all."""

    cursor: int
    sessions: list[list[int]] = field(default_factory=list)

    @classmethod
    def load(cls, folder: Path, anchor: int) -> Position:
        """What the last session left; without one, the anchor."""
        path = folder / FILE
        if not path.is_file():
            return cls(anchor)
        kept = json.loads(path.read_text("utf-8"))
        return cls(kept["cursor"], kept["sessions"])

    def save(self, folder: Path) -> None:
        part = folder / f".{FILE}.part"
        part.write_text(json.dumps({"cursor": self.cursor, "sessions": self.sessions}), "utf-8")
        part.rename(folder / FILE)


class Agenda:
    """What is due next: statements and calls in order of time, told in good time before."""

    def __init__(self, world: World, position: Position, now: int) -> None:
        self._world, self._cursor = world, position.cursor
        self._due: list[tuple[int, int, Said | Call]] = []
        self._n = 0
        self._told_until = position.cursor
        self._next_order = -(-(now - world.anchor) // EVERY_S)
        for begin, end in position.sessions:
            self._resume(max(begin, position.cursor - LIFE_S), end)

    def until(self, now: int) -> tuple[list[Said], list[Call]]:
        """What has become due."""
        while self._told_until < now:
            self._tell_on(min(self._told_until + HORIZON_S, now + HORIZON_S))
        while self._world.anchor + self._next_order * EVERY_S <= now:
            self._add(express(self._world, self._next_order), self._cursor)
            self._next_order += 1
        said: list[Said] = []
        calls: list[Call] = []
        while self._due and self._due[0][0] <= now:
            item = heapq.heappop(self._due)[2]
            said.append(item) if isinstance(item, Said) else calls.append(item)
        return said, calls

    def _resume(self, begin: int, end: int) -> None:
        for k in range(-(-(begin - self._world.anchor) // EVERY_S), (end - self._world.anchor) // EVERY_S + 1):
            self._add(express(self._world, k), self._cursor)

    def _tell_on(self, until: int) -> None:
        """The slow lane: everything that begins before `until`, as far as it is said between the last time and then."""
        for story in self._world.stories(self._world.since, until):
            self._add(story, self._told_until, until)
        self._told_until = until

    def _add(self, story: Story, since: int, until: int | None = None) -> None:
        for at, item in due(story, self._world.anchor):
            if at > since and (until is None or at <= until):
                self._n += 1
                heapq.heappush(self._due, (at, self._n, item))


def due(story: Story, anchor: int) -> Iterator[tuple[int, Said | Call]]:
    """When each statement and call of a story that history did not hold is to be made."""
    for said in story.said:
        if received_at(said.teller.source, said.said_at) > anchor:
            yield max(said.said_at, anchor + 1), said
    for call in story.calls:
        if call.at > anchor:
            yield call.at, call


def express(world: World, k: int) -> Story:
    """The k-th order of the fast lane, where nothing is broken."""
    rng = Random(f"{world.seed}/lane/{k}")  # noqa: S311
    region = rng.choices(list(REGIONS), [r.share for r in REGIONS.values()])[0]
    carriers = [
        (scac, share)
        for scac, share in zip(CARRIERS, SHARES[region], strict=True)
        if (region, scac) not in BROKEN
    ]  # fmt: skip
    house = rng.choice([h.name for h in HOUSES_BY_REGION[region] if h.name not in BROKEN_HOUSES])
    currency = CAST_BY_REGION[region][0].currency
    wish = Wish(region, house, rng.choices([c for c, _ in carriers], [s for _, s in carriers])[0], currency)
    order = plan(world.seed, f"SX{k:08d}", world.anchor + k * EVERY_S, wish, PACE)
    return world.tell(world.faults.edit(order))


class Live:
    """Says through the doors what is due, second by second, until it is told to stop."""

    def __init__(self, world: World, doors: Doors, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._doors, self._folder, self._clock = doors, folder, clock
        now = int(clock())
        self._position = Position.load(folder, world.anchor)
        self._agenda = Agenda(world, self._position, now)
        self._position.sessions.append([now, now])
        self._spoke_at: dict[str, int] = {}
        self._saved_at = 0
        self._stop = Signal()

    def run(self, stop: Signal) -> None:
        """Go on until `stop` is set; what no door took until then is said in the next session."""
        self._stop = stop
        with contextlib.suppress(SourceUnavailable):
            while not stop.is_set():
                self.step()
                stop.wait(PAUSE_S)
        self._position.save(self._folder)

    def step(self) -> tuple[int, int]:
        """Say what has become due; (statements, calls) said."""
        now = int(self._clock())
        said, calls = self._agenda.until(now)
        self._until_taken(lambda: self._doors.trace(calls))
        by_source: dict[str, list[Said]] = defaultdict(list)
        for one in said:
            by_source[one.teller.source].append(one)
        for source in self._silent(now):
            by_source.setdefault(source, [])
        for source, mine in by_source.items():
            self._until_taken(lambda source=source, mine=mine: self._doors.say(source, mine, now))  # type: ignore[misc]
            self._spoke_at[source] = now
        self._note(now)
        return len(said), len(calls)

    def _silent(self, now: int) -> list[str]:
        """Feeds with nothing to say that must be heard all the same; those of files speak when there is a file."""
        return [s for s in SYSTEM_SOURCES if s not in BY_FILE and now - self._spoke_at.get(s, 0) >= HEARTBEAT_S]

    def _until_taken(self, act: Callable[[], None]) -> None:
        """A door that is closed is knocked on again and again, until this must end."""
        pause_s = 0.5
        while True:
            try:
                return act()
            except SourceUnavailable as err:
                log.warning("demo_not_taken", error=str(err), again_in_s=pause_s)
                if self._stop.wait(pause_s):
                    raise
                pause_s = min(8.0, 2 * pause_s)

    def _note(self, now: int) -> None:
        self._position.cursor = self._position.sessions[-1][1] = now
        if now - self._saved_at >= SAVE_EVERY_S:
            self._position.save(self._folder)
            self._saved_at = now
