"""
The demo as the front door starts it: its settings, its history if the store is empty, and its life in a thread.

Why a thread and not a process: it speaks over HTTP and files like a stranger, but must end with the house it lives in.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from collectors import config
from collectors.config import Settings
from collectors.demo import live as going_on
from collectors.demo import truth
from collectors.demo.doors import Doors
from collectors.demo.load import load_history
from collectors.demo.world import World
from collectors.runner import Runner
from collectors.sink import Sink
from schema import governance, state
from schema.governance import Catalogue
from schema.store import Store


def settings(base: Settings, data: Path | None) -> tuple[Settings, Catalogue]:
    """The demo's sources and catalogue, over the listen and limits of `base`; its store lies apart from yours."""
    folder = (data or base.data / "demo").absolute()
    with as_file(files("collectors.demo")) as here:
        mine = config.load(here / "milepost.toml")
        catalogue = governance.load(here / "governance.toml")
    dsn = os.environ.get("MILEPOST_STORE") or f"chdb://{folder / 'store'}"
    return mine.model_copy(update={"data": folder, "store": dsn, "listen": base.listen, "limits": base.limits}), catalogue


def history(store: Store, sink: Sink, settings: Settings, *, seed: int, days: int, console: Console) -> None:
    """Fill an empty store with the enterprise's history up to now; one that has a history keeps it."""
    if _kept(settings.data) and store.value("SELECT count() FROM (SELECT 1 FROM events LIMIT 1)"):
        return
    anchor = datetime.now(UTC).replace(microsecond=0)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("history", total=1.0)
        load_history(
            store, seed, anchor, data=settings.data, days=days, catalogue=sink.catalogue,
            progress=lambda share, what: bar.update(task, completed=share, description=what),
        )  # fmt: skip
        bar.update(task, description="state")
        state.rebuild(store)


@contextlib.contextmanager
def live(store: Store, settings: Settings, runner: Runner, *, seed: int) -> Iterator[None]:
    """The enterprise goes on while the block runs, from where it was."""
    kept = _kept(settings.data)
    if kept is None or runner.server is None:
        yield
        return
    stop = threading.Event()
    url = f"http://{runner.server.host}:{runner.server.port}"
    world = World(kept[0], kept[1], catalogue=governance.load(_governance()))
    thread = threading.Thread(target=_go_on, args=(world, url, settings.data, stop), name="demo", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=10)


def _go_on(world: World, url: str, data: Path, stop: threading.Event) -> None:
    with Doors(url, data, world.deploys) as doors:
        going_on.Live(world, doors, data).run(stop)


def _governance() -> Path:
    with as_file(files("collectors.demo")) as here:
        return here / "governance.toml"


def _kept(folder: Path) -> tuple[int, datetime] | None:
    """Seed and anchor of the history that a folder's store holds."""
    path = folder / truth.FILE
    if not path.is_file():
        return None
    told = json.loads(path.read_text("utf-8"))
    return int(told["seed"]), datetime.fromisoformat(told["anchor"])
