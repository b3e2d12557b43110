"""
The demo's history into a store: events in large blocks, telemetry as OTLP bodies, the batches that brought them, and the truth.

Why past the collectors: a month in ten seconds is no test of a door, and the doors are what the live part is for. Why tokens
from seed, anchor and position: a load that died half-way is begun again, and the blocks that are there already are folded. Why
two inserts at a time: while one waits for the disk the other computes, and in which order they end does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from collectors import arrow
from collectors.demo.blocks import EVENTS, MESSAGES, SPANS, TRUTH, Block, blocks
from collectors.demo.truth import write
from collectors.demo.world import World
from collectors.formats import otlp
from schema import governance
from schema.governance import Catalogue
from schema.store import Store

INSERTS, WAITING = 2, 4
EVENTS_A_DAY = 10_300
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
    told: Iterable[Block] = (),
    progress: Progress = lambda share, what: None,
) -> Loaded:
    """
    Fill an empty store with the enterprise's last `days` days. Afterwards the state must be rebuilt (schema.state.rebuild).

    `told` is the history as another process tells it (apart.py); without it, it is told here. `progress` is told the share done
    (0 to 1) and what is being done. The truth goes to `faults.json` in the folder `data`.
    """
    catalogue = catalogue or governance.load()
    told = told or blocks(World(seed, anchor, days, catalogue=catalogue, is_healthy=is_healthy), catalogue)
    n: Counter[str] = Counter()
    with ThreadPoolExecutor(INSERTS) as pool:
        under_way: set[Future[None]] = set()
        for block in told:
            if block.kind == TRUTH:
                truth = orjson.loads(block.body)
                continue
            token = f"demo-{seed}-{int(anchor.timestamp())}-{days}-{block.kind}{n[block.kind]}"
            n[block.kind] += block.n
            under_way.add(pool.submit(_insert, store, block, token))
            _settle(under_way, WAITING)
            progress(min(0.9, n[EVENTS] / (EVENTS_A_DAY * days)), f"{n[EVENTS]:,} events")
        _settle(under_way, 0)
    if not is_healthy:
        write(truth, data, seed, anchor)
    progress(1.0, "history loaded")
    return Loaded(n[EVENTS], n[SPANS], n[MESSAGES])


def _insert(store: Store, block: Block, token: str) -> None:
    if block.kind == SPANS:
        store.insert_body(otlp.TRACES_IN, block.body, otlp.FORMAT, otlp.settings_for(otlp.TRACES_IN), token=token)
    else:
        store.insert_body(block.kind, block.body, arrow.FORMAT, token=token)


def _settle(under_way: set[Future[None]], limit: int) -> None:
    """Wait until at most so many inserts are under way. Raises what an insert raised."""
    while len(under_way) > limit:
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
        under_way -= done
