"""
The demo's history into a store: events in large blocks, telemetry as OTLP bodies, the batches that brought them, and the truth.

Why past the collectors: a month in half a minute is no test of a door, and the doors are what the live part is for. Why tokens
from seed, anchor and position: a load that died half-way is begun again, and the blocks that are there already are folded.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from collectors.commit import MESSAGES
from collectors.demo import telemetry
from collectors.demo.cast import TRACES
from collectors.demo.rows import Row, Rows, message_row
from collectors.demo.telling import Call
from collectors.demo.truth import truth, write
from collectors.demo.world import CHUNK_ROWS, World
from collectors.formats import otlp, otlp_traces
from schema import events
from schema.governance import Catalogue
from schema.store import Store

SPAN_DAYS = 21  # telemetry is kept for a shorter time than business events
DAY_S = 86_400
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load put into the store."""

    n_events: int
    n_spans: int
    n_messages: int


def load_history(
    store: Store,
    seed: int,
    anchor: datetime,
    *,
    data: Path,
    days: int = 30,
    catalogue: Catalogue | None = None,
    is_healthy: bool = False,
    progress: Progress = lambda share, what: None,
) -> Loaded:
    """
    Fill an empty store with the enterprise's last `days` days. Afterwards the state must be rebuilt (schema.state.rebuild).

    `progress` is told the share done (0 to 1) and what is being done. The truth goes to `faults.json` in the folder `data`.
    """
    world = World(seed, anchor, days, catalogue=catalogue, is_healthy=is_healthy)
    with _calm_collector():
        loaded = _Load(store, world, progress).run()
    if not is_healthy:
        write(truth(seed, anchor, days, catalogue=catalogue), data, seed, anchor)
    progress(1.0, "history loaded")
    return loaded


class _Load:
    def __init__(self, store: Store, world: World, progress: Progress) -> None:
        self._store, self._world, self._progress = store, world, progress
        self._rows = Rows(world.anchor)
        self._token = f"demo-{world.seed}-{world.anchor}-{world.days}"
        self._chunk: list[Row] = []
        self._calls: list[Call] = []
        self._bodies: list[tuple[str, int, int]] = []
        self._n_events = self._n_spans = 0

    def run(self) -> Loaded:
        world = self._world
        spans_since = world.anchor - SPAN_DAYS * DAY_S
        for story in world.stories():
            self._chunk += self._rows.rows(story.said)
            self._calls += [call for call in world.happened(story) if call.at >= spans_since]
            if len(self._chunk) >= CHUNK_ROWS:
                self._flush_events()
            if len(self._calls) >= 10 * telemetry.SPANS_A_BODY:
                self._flush_calls()
        self._flush_events()
        self._flush_calls()
        return Loaded(self._n_events, self._n_spans, self._flush_messages())

    def _flush_events(self) -> None:
        self._store.insert("events", events.COLUMNS, self._chunk, token=f"{self._token}-e{self._n_events}")
        self._n_events += len(self._chunk)
        self._chunk = []
        self._progress(min(0.9, self._n_events / (10_000 * self._world.days)), f"{self._n_events:,} events")

    def _flush_calls(self) -> None:
        """One INSERT for several requests: end to end they are one valid request."""
        if not self._calls:
            return
        made = list(telemetry.bodies(self._calls, self._world.deploys))
        settings, token = otlp.settings_for(otlp.TRACES_IN), f"{self._token}-s{self._n_spans}"
        self._store.insert_body(otlp.TRACES_IN, b"".join(body for body, _ in made), otlp.FORMAT, settings, token=token)
        for body, n in made:
            self._n_spans += n
            self._bodies.append((events.message_id(body), n, len(body)))
        self._calls = []

    def _exported(self) -> Iterator[Row]:
        """The bodies as messages, a minute apart, the last of them just before the anchor."""
        format_ = otlp_traces.__name__.rpartition(".")[2]
        for back, (id_, n, size) in enumerate(reversed(self._bodies), 1):
            yield message_row(TRACES, datetime.fromtimestamp(self._world.anchor - 60 * back, UTC), format_, id_, n, size)

    def _flush_messages(self) -> int:
        rows = [*self._rows.messages(self._world.since, self._world.faults.eta_until), *self._exported()]
        for start in range(0, len(rows), CHUNK_ROWS):
            self._store.insert("messages", MESSAGES, rows[start : start + CHUNK_ROWS], token=f"{self._token}-m{start}")
        return len(rows)


@contextlib.contextmanager
def _calm_collector() -> Iterator[None]:
    """A million small tuples and no cycles: the collector would only walk over them again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
