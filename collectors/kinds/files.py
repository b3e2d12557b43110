"""
A drop folder: whatever is put there is taken once, and moved where its outcome can be seen.

    inbox/NAME  ->  inbox/.claimed/NAME  ->  inbox/done/NAME
                                         or  inbox/rejected/NAME and NAME.reason.txt

Why claim by rename: it is atomic, so that the sender cannot write on under our hands, and a file that a crash left claimed
is simply delivered again (its events carry the same identity; so a second collector on the folder does no harm either).
Why a file must hold still for two looks: most senders write in place, and half a file is a wrong file. Why polling: network
shares give no notice of change.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import structlog
from pydantic import BaseModel, Field, field_validator

from collectors.config import options
from collectors.message import Message, Source
from collectors.running import DeliverNow, Means, Receipt, Running
from schema.errors import BadConfig, SourceUnavailable

log = structlog.get_logger(__name__)
POLL_S = 5.0  # of a thousand files the rest is taken by the next poll, so that a stop need not wait for all of them
Seen = tuple[int, int]


class Options(BaseModel):
    """Where the folder is (relative: under the data folder), which names are taken, and how long a file must hold still."""

    path: str = ""
    pattern: str = "*"
    min_age_s: float = Field(default=1.0, ge=0)
    every_s: float = Field(default=1.0, gt=0)
    content_type: str = ""

    @field_validator("pattern")
    @classmethod
    def _names_only(cls, value: str) -> str:
        if not value or "/" in value or value.startswith("."):
            raise ValueError(f"{value!r} must match file names of this folder, such as '*.edi': no / and no leading dot")
        return value


def start(source: Source, means: Means) -> Running:
    """A poll of the folder, which is made if it is missing."""
    mine = options(source, Options)
    path = Path(mine.path or Path("drop") / source.name)
    if ".." in path.parts:
        raise BadConfig(f"sources.{source.name}.path {mine.path!r} must not climb out of the data folder with '..'")
    folder = Folder(means.settings.data / path, source, mine, means.settings.limits.max_decompressed_bytes)
    return Running(poll=lambda: folder.poll(means.deliver_now), every_s=mine.every_s)


class Folder:
    """One drop folder and what was seen in it at the last look."""

    def __init__(self, inbox: Path, source: Source, mine: Options, max_bytes: int) -> None:
        self._inbox, self._source, self._options, self._max_bytes = inbox, source, mine, max_bytes
        self._claimed, self._done, self._rejected = (inbox / name for name in (".claimed", "done", "rejected"))
        self._seen: dict[str, Seen] = {}
        self._attempts: dict[str, int] = {}
        try:
            for folder in (self._claimed, self._done, self._rejected):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise BadConfig(f"sources.{source.name}: drop folder {inbox}: {err.strerror or err}") from err

    def poll(self, deliver: DeliverNow) -> None:
        """
        Claim what holds still, then deliver what is claimed, for some seconds; a file that failed before comes last, so that
        it holds up no other.

        Raises: SourceUnavailable, if the folder cannot be read or written; StoreUnavailable, with the file still claimed.
        """
        end = time.monotonic() + POLL_S
        try:
            for name in self._still():
                self._claim(name)
            for name in self._waiting():
                if time.monotonic() >= end:
                    break
                with contextlib.suppress(FileNotFoundError):  # another collector on the folder was first
                    self._take(name, deliver)
        except OSError as err:
            raise SourceUnavailable(f"drop folder {self._inbox}: {err.strerror or err}") from err

    def _still(self) -> Iterator[str]:
        """Names whose size and time are what they were at the last look, and old enough."""
        seen: dict[str, Seen] = {}
        for path in sorted(self._inbox.glob(self._options.pattern)):
            found = path.lstat()
            if path.name.startswith(".") or stat.S_ISDIR(found.st_mode):
                continue
            seen[path.name] = now = (found.st_size, found.st_mtime_ns)
            is_old = time.time() - found.st_mtime >= self._options.min_age_s
            if stat.S_ISLNK(found.st_mode) or (is_old and self._seen.get(path.name) == now):
                yield path.name
        self._seen = seen

    def _claim(self, name: str) -> None:
        """Move it out of everybody's reach; one of the same name that is still claimed goes first."""
        target = self._claimed / name
        if os.path.lexists(target):
            return
        with contextlib.suppress(FileNotFoundError):
            (self._inbox / name).rename(target)

    def _waiting(self) -> list[str]:
        names = [path.name for path in self._claimed.iterdir()]
        return sorted(names, key=lambda name: (self._attempts.get(name, 0), name))

    def _take(self, name: str, deliver: DeliverNow) -> None:
        path = self._claimed / name
        if reason := self._refusal(path):
            return self._settle(path, Receipt(rejected=reason))
        self._attempts[name] = self._attempts.get(name, 0) + 1
        message = Message(_read(path), datetime.now(UTC), self._options.content_type, name=name)
        self._settle(path, deliver(self._source, message))
        return None

    def _refusal(self, path: Path) -> str:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return "not a plain file (a link, a folder or a device): only plain files are read"
        if found.st_size > self._max_bytes:
            return f"{found.st_size:,} bytes; a file may have {self._max_bytes:,} (limits.max_decompressed_bytes)"
        return ""

    def _settle(self, path: Path, receipt: Receipt) -> None:
        target = _free(self._rejected if receipt.rejected else self._done, path.name)
        if receipt.rejected:
            target.with_name(f"{target.name}.reason.txt").write_text(f"{receipt.rejected}\n", "utf-8")
        elif receipt.n_rejects:
            log.warning("part of a file was rejected", source=self._source.name, file=path.name, n_rejects=receipt.n_rejects)
        path.rename(target)
        self._attempts.pop(path.name, None)


def _read(path: Path) -> bytes:
    """The bytes of a plain file; a link put in its place meanwhile is not followed."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        return file.read()


def _free(folder: Path, name: str) -> Path:
    """A name not yet taken: a partner may send a file of the same name every day."""
    target, n = folder / name, 1
    while os.path.lexists(target):
        n += 1
        target = folder / f"{name}.{n}"
    return target
