"""
Telemetry under way and lately stored, so that a body which is sent again because its answer never came counts once.

Why at all: events carry their identity and fold, spans, log records and points carry none. The engine folds an INSERT that
is repeated under its token, but a sender that tries again shares its next group with other senders, and that group is
another INSERT. So an INSERT whose outcome nobody knows (the answer got lost, the process was killed) is first repeated as it
was, under its own token: then it is stored, behind every view too, and what is sent again of it is recognised by its bytes.

Why files: after kill -9 the next process must know what the last one had sent. They are not forced to the disk: when power
fails, a body may count twice, and none is lost. What is acknowledged stands in `messages`, and is read from there.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from collectors.config import format_module
from schema import events
from schema.errors import BadConfig, StoreUnavailable
from schema.store import Store

MAX_KNOWN = 100_000
KEPT = timedelta(hours=1)  # an exporter tries again for minutes
OPEN, STORED, PART = ".open", ".stored", ".part"
LATELY = """
SELECT format, message_id
FROM messages
WHERE received_at >= {since:DateTime64(3, 'UTC')} AND status = 'stored' AND startsWith(format, 'otlp_')
ORDER BY received_at DESC
LIMIT {limit:UInt32}
"""

Key = tuple[str, str]  # a table and the identity of a message
Redo = Callable[["Entry"], bool]


@dataclass(frozen=True, slots=True)
class Entry:
    """One INSERT of bodies end to end: where to, of which messages, and what."""

    table: str
    ids: tuple[str, ...]
    body: bytes = b""

    @property
    def token(self) -> str:
        return events.event_id(self.table, *self.ids)

    @property
    def keys(self) -> list[Key]:
        return [(self.table, id_) for id_ in self.ids]

    def insert(self, store: Store) -> None:
        """Send it; the same entry again adds nothing."""
        settings = format_module("otlp").settings_for(self.table)
        store.insert_body(self.table, self.body, "ProtobufSingle", settings, token=self.token)


class Journal:
    """What one process has under way and has lately stored; with a folder, the next process goes on from it."""

    def __init__(self, folder: Path | None = None) -> None:
        self._lock: IO[str] | None = None
        self._folder = self._own(folder) if folder else None
        self._known: dict[Key, None] = {}
        self._open: list[Entry] = []
        self._taken: set[Key] = set()
        self._released = threading.Condition()
        self._settling = threading.Lock()

    def recall(self, store: Store, now: datetime | None = None) -> None:
        """Learn what the last process stored, and what it left open. Raises: StoreUnavailable."""
        since = (now or datetime.now(UTC)) - KEPT
        rows = store.query(LATELY, {"since": since, "limit": MAX_KNOWN})
        self._learn([(f"{row['format']}_in", row["message_id"]) for row in reversed(rows)])
        for path in sorted(self._folder.iterdir()) if self._folder else ():
            if path.suffix == PART or (path.suffix == STORED and path.stat().st_mtime < since.timestamp()):
                path.unlink()
            elif path.suffix == STORED:
                self._learn(_read(path).keys)
            elif path.suffix == OPEN:
                self._open.append(_read(path))

    def close(self) -> None:
        """Let the folder go."""
        if self._lock:
            self._lock.close()

    def settle(self, redo: Redo) -> None:
        """Repeat what is open, so that its outcome is known: `redo` tells whether it is stored now, or never can be."""
        with self._settling:
            while self._open:
                entry = self._open[0]
                if redo(entry):
                    self._learn(entry.keys)
                    self._write(entry, STORED)
                self._remove(entry)
                del self._open[0]

    @contextlib.contextmanager
    def claim(self, keys: Collection[Key]) -> Iterator[Claim]:
        """Nobody else stores these messages while the block runs; what it sent is open if the store then is away."""
        with self._released:
            self._released.wait_for(lambda: self._taken.isdisjoint(keys))
            self._taken.update(keys)
        claim = Claim(self)
        try:
            yield claim
        except StoreUnavailable:
            with self._settling:
                self._open += claim.entries
            raise
        except BaseException:
            self._drop(claim.entries)
            raise
        else:
            self._drop(claim.entries)
        finally:
            with self._released:
                self._taken.difference_update(keys)
                self._released.notify_all()

    def knows(self, key: Key) -> bool:
        """Whether this message is stored."""
        return key in self._known

    def begin(self, entry: Entry) -> None:
        """Note an INSERT before it is sent."""
        self._write(entry, OPEN)

    def _learn(self, keys: Sequence[Key]) -> None:
        with self._released:
            self._known.update(dict.fromkeys(keys))
            while len(self._known) > MAX_KNOWN:
                del self._known[next(iter(self._known))]

    def _drop(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._remove(entry)

    # --- files ---------------------------------------------------------------------------------------------------------
    def _own(self, folder: Path) -> Path:
        """The first place below the folder that no living process holds: two collectors may share a data folder."""
        for n in range(1000):
            place = folder / str(n)
            try:
                place.mkdir(parents=True, exist_ok=True)
                lock = place.with_name(f"{n}.lock").open("a")
            except OSError as err:
                raise BadConfig(f"the journal {folder} (below `data`) cannot be made: {err.strerror or err}") from err
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            self._lock = lock
            return place
        raise StoreUnavailable(f"the journal {folder} has no free place of 1,000: too many collectors share it")

    def _write(self, entry: Entry, suffix: str) -> None:
        if not self._folder:
            return
        head = json.dumps({"table": entry.table, "ids": entry.ids}).encode()
        part = self._folder / f"{entry.token}{PART}"
        try:
            with part.open("wb") as file:
                file.write(head + b"\n")
                file.write(entry.body if suffix == OPEN else b"")
            part.rename(part.with_suffix(suffix))
        except OSError as err:
            raise StoreUnavailable(f"the journal {self._folder} cannot be written: {err.strerror or err}") from err

    def _remove(self, entry: Entry) -> None:
        if self._folder:
            (self._folder / f"{entry.token}{OPEN}").unlink(missing_ok=True)


class Claim:
    """The messages of one group, while they are being stored."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.entries: list[Entry] = []

    def store(self, table: str, bodies: Sequence[tuple[str, bytes]], insert: Callable[[Entry], None]) -> None:
        """
        Store those of the bodies (each with its message's identity) that are not stored yet, in one INSERT.

        Raises what `insert` raises; of data that the store refuses nothing is left open.
        """
        fresh = {id_: body for id_, body in bodies if not self._journal.knows((table, id_))}
        if not fresh:
            return
        entry = Entry(table, tuple(fresh), b"".join(fresh.values()))
        self._journal.begin(entry)
        self.entries.append(entry)
        try:
            insert(entry)
        except StoreUnavailable:
            raise
        except BaseException:
            self.entries.remove(entry)
            self._journal._remove(entry)
            raise
        self._journal._learn(entry.keys)


def _read(path: Path) -> Entry:
    head, _, body = path.read_bytes().partition(b"\n")
    said = json.loads(head)
    return Entry(said["table"], tuple(said["ids"]), body)
