"""
The demo as the front door starts it: its settings, its history if the store is empty, and its life in a thread.

Why a thread and not a process: it speaks over HTTP and files like a stranger, but must end with the house it lives in.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from collectors import config
from collectors.config import Settings
from collectors.demo import live as going_on
from collectors.demo.apart import told_apart
from collectors.demo.blocks import Block
from collectors.demo.doors import Doors
from collectors.demo.load import load_history
from collectors.demo.lookback import LookBack
from collectors.demo.world import World
from collectors.runner import JOB_RUNS, Runner
from schema import governance, state
from schema.errors import StoreUnavailable
from schema.governance import Catalogue
from schema.store import Store

FILE = "history.json"
LIVE_AFTER_S, LOOK_BACK_AFTER_S = 8.0, 30.0  # whoever starts the demo opens a page first


def settings(base: Settings, data: Path | None) -> tuple[Settings, Catalogue]:
    """The demo's sources and catalogue, over the listen and limits of `base`; its store lies apart from yours."""
    folder = (data or base.data / "demo").absolute()
    with as_file(files("collectors.demo")) as here:
        mine = config.load(here / "milepost.toml")
        catalogue = governance.load(here / "governance.toml")
    dsn = os.environ.get("MILEPOST_STORE") or f"chdb://{folder / 'store'}"
    return mine.model_copy(update={"data": folder, "store": dsn, "listen": base.listen, "limits": base.limits}), catalogue


@dataclass(frozen=True, slots=True)
class Beginning:
    """The history of a folder's store: whose, until when, and whether all of it is there."""

    seed: int
    anchor: datetime
    days: int
    is_done: bool = False
    n_looked_back: int = 0  # how many of the past troubles stand in the inbox

    @classmethod
    def of(cls, folder: Path, seed: int, days: int) -> Beginning:
        """What the folder keeps; else one that ends now, written down first, so that one that dies is begun again as it was."""
        if (kept := folder / FILE).is_file():
            told = json.loads(kept.read_text("utf-8"))
            return cls(**told | {"anchor": datetime.fromisoformat(told["anchor"])})
        begun = cls(seed, datetime.now(UTC).replace(microsecond=0), days)
        begun.write(folder)
        return begun

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{FILE}.part"
        part.write_text(json.dumps(asdict(self) | {"anchor": self.anchor.isoformat()}), "utf-8")
        part.rename(folder / FILE)


@contextlib.contextmanager
def telling(begun: Beginning) -> Iterator[Iterable[Block]]:
    """The history is told by a process of its own while the block runs; nothing, if it is there already."""
    if begun.is_done:
        yield ()
        return
    with told_apart(begun.seed, begun.anchor, begun.days, _governance()) as told:
        yield told


def history(
    store: Store, settings: Settings, catalogue: Catalogue, begun: Beginning, told: Iterable[Block], console: Console
) -> None:
    """Fill an empty store with the enterprise's history; one that has a history keeps it."""
    if begun.is_done and store.value("SELECT count() FROM (SELECT 1 FROM events LIMIT 1)"):
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("history", total=1.0)
        load_history(
            store, begun.seed, begun.anchor, data=settings.data, days=begun.days, catalogue=catalogue, told=told,
            progress=lambda share, what: bar.update(task, completed=share, description=what),
        )  # fmt: skip
        bar.update(task, description="state")
        _rebuild(store)
    replace(begun, is_done=True, n_looked_back=0).write(settings.data)


def _rebuild(store: Store) -> None:
    """The state of all objects, noted as a run of its job, which then begins where this one ended."""
    began = datetime.now(UTC)
    done = state.rebuild(store)
    took_ms = int((datetime.now(UTC) - began).total_seconds() * 1000)
    store.insert("job_runs", JOB_RUNS, [(state.JOB, began, took_ms, True, done.recomputed, done.mark, "history")])


@contextlib.contextmanager
def live(store: Store, settings: Settings, catalogue: Catalogue, begun: Beginning, runner: Runner) -> Iterator[None]:
    """The enterprise goes on while the block runs, from where it was, and what it went through fills the inbox of the past."""
    if runner.server is None:
        yield
        return
    stop = threading.Event()
    url = f"http://{runner.server.host}:{runner.server.port}"
    world = World(begun.seed, begun.anchor, begun.days, catalogue=catalogue)
    threads = [
        threading.Thread(target=_go_on, args=(world, url, settings.data, stop), name="demo", daemon=True),
        threading.Thread(target=_look_back, args=(store, world, catalogue, settings.data, stop), name="look back", daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=10)


def _go_on(world: World, url: str, data: Path, stop: threading.Event) -> None:
    if stop.wait(LIVE_AFTER_S):
        return
    with Doors(url, data, world.deploys) as doors:
        going_on.Live(world, doors, data).run(stop)


def _look_back(store: Store, world: World, catalogue: Catalogue, data: Path, stop: threading.Event) -> None:
    """Once, and after the first pages and rounds of the detectors."""
    begun = Beginning.of(data, world.seed, world.days)
    troubles = world.faults.past
    if begun.n_looked_back >= len(troubles) or stop.wait(LOOK_BACK_AFTER_S):
        return
    with contextlib.suppress(StoreUnavailable):  # the next session goes on with it
        LookBack(store, catalogue, stop).run(
            troubles, lambda n: replace(begun, is_done=True, n_looked_back=n).write(data), begun.n_looked_back
        )


def _governance() -> Path:
    with as_file(files("collectors.demo")) as here:
        return here / "governance.toml"
