"""
The history told in a process of its own, while this one opens its store and its pages.

Why a plain child and a pipe, and neither fork nor multiprocessing: an embedded store does not survive a fork, and spawning
would load all of Milepost in the child once more, for two seconds, only to tell stories. What crosses the pipe is a line of
JSON and as many bytes as it says; a thread reads it from the first moment, or the child would wait for a store that is still
being made. The child ends when its reader does: it writes into a pipe that nobody reads.

    python -m collectors.demo.apart SEED ANCHOR DAYS GOVERNANCE
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import IO

import orjson

from collectors.demo.blocks import Block
from schema.errors import MilepostError


@contextlib.contextmanager
def told_apart(seed: int, anchor: datetime, days: int, governance: Path) -> Iterator[Iterator[Block]]:
    """
    Start telling at once; the blocks come as they are read.

    Raises: MilepostError, while they are read, if the child died.
    """
    command = [sys.executable, "-P", "-m", __name__, str(seed), anchor.isoformat(), str(days), str(governance)]
    paths = os.pathsep.join(path for path in sys.path if path)
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": paths})  # noqa: S603 (ourselves)
    read: queue.SimpleQueue[Block | MilepostError | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_gather, args=(child, read), name="told apart", daemon=True)
    reader.start()
    try:
        yield _taken(read)
    finally:
        child.kill()
        reader.join()
        child.communicate()


def _gather(child: subprocess.Popen[bytes], into: queue.SimpleQueue[Block | MilepostError | None]) -> None:
    """All blocks, then how it ended; the whole history is some hundred megabytes at the most."""
    try:
        for block in _read(child):
            into.put(block)
        into.put(None)
    except MilepostError as err:
        into.put(err)


def _taken(read: queue.SimpleQueue[Block | MilepostError | None]) -> Iterator[Block]:
    while (block := read.get()) is not None:
        if isinstance(block, MilepostError):
            raise block
        yield block


def _read(child: subprocess.Popen[bytes]) -> Iterator[Block]:
    pipe = child.stdout
    while pipe and (head := pipe.readline()):
        said = orjson.loads(head)
        body = pipe.read(said["size"])
        if len(body) < said["size"]:
            break
        yield Block(said["kind"], body, said["n"])
    if child.wait():
        raise MilepostError(f"the process that tells the demo's history ended with {child.returncode}; start the demo again")


def write(block: Block, pipe: IO[bytes]) -> None:
    """One block into a pipe."""
    head = {"kind": block.kind, "n": block.n, "size": len(block.body)}
    pipe.write(orjson.dumps(head) + b"\n" + block.body)
    pipe.flush()


def _tell(seed: str, anchor: str, days: str, governance_file: str) -> None:
    from collectors.demo.blocks import blocks
    from collectors.demo.world import World
    from schema import governance

    catalogue = governance.load(Path(governance_file))
    world = World(int(seed), datetime.fromisoformat(anchor), int(days), catalogue=catalogue)
    for block in blocks(world, catalogue):
        write(block, sys.stdout.buffer)


class _WithoutPandas(MetaPathFinder):
    """Arrow asks of each list whether it is a Series, and would load all of pandas for the answer: a second and a half."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches both; only one of the two is to speak
    sys.meta_path.insert(0, _WithoutPandas())
    _tell(*sys.argv[1:])
