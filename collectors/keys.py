"""
API keys of the intake: who made them, for which source and format, until when. The secrets themselves are kept nowhere.

Why a file and not a table: an embedded store is held by one process, so that `milepost keys add` beside a running
`milepost up` could not write to it; and in a cluster a file is mounted as a secret, read by every collector, and there
before the store is. A running process looks at the file with each request and reads it again when it has changed: a key is
added, rotated and revoked without a restart. A file that cannot be read leaves the last good one in force, and is logged.

Why a plain SHA-256: a secret is 256 random bits, which no dictionary and no slow hash makes safer.

    [keys.9f86d081884c]
    source = "acme"
    format = "x12_214"          # or a family: "otlp" is good for otlp_traces, otlp_logs and otlp_metrics
    sha256 = "…"                # of the secret, which was shown once as mp_9f86d081884c_SECRET
    created_at = 2026-11-27T09:00:00Z
    expires_at = 2027-02-25T09:00:00Z
    note = "the hub of ACME"
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import structlog
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from collectors.refused import Refused
from schema.errors import BadConfig, explain

log = structlog.get_logger(__name__)
TOKEN = re.compile(r"mp_([0-9a-f]{12})_([0-9a-f]{64})")
NOBODYS = hashlib.sha256(secrets.token_bytes(32)).hexdigest()  # what an unknown id is compared with, as a known one is
BEARER = {"WWW-Authenticate": "Bearer"}
HEAD = "# API keys of Milepost, written by `milepost keys`. Hashes only: a lost secret is replaced (`rotate`).\n"

Seen = tuple[int, int, int]


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError(f"{value!r} must be one line of printable text")
    return value


Line = Annotated[str, AfterValidator(_printable)]


class Key(BaseModel):
    """One key as it stands in the file. An empty format is any that its source speaks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[0-9a-f]{12}$")
    source: Line
    format: Line = ""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    note: Line = ""

    def ended(self, now: datetime) -> str:
        """Why the key is no longer good, as the end of a sentence; empty while it is."""
        if self.revoked_at:
            return f"was revoked at {_iso(self.revoked_at)}"
        if self.expires_at and self.expires_at <= now:
            return f"expired at {_iso(self.expires_at)}"
        return ""

    def is_for(self, source: str, format_: str) -> bool:
        return self.source == source and (self.format in ("", format_) or format_.startswith(f"{self.format}_"))


Keys = Mapping[str, Key]


class Keyring:
    """The keys in force, as a running process asks for them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = _look(path)
        self._keys = read(path)

    def has(self, source: str) -> bool:
        """Whether the source has a key, be it one that has ended: a source does not become open by losing its last."""
        return any(key.source == source for key in self._in_force().values())

    def admit(self, token: str, source: str, format_: str) -> Key:
        """
        The key of a token that may speak for a source.

        Raises: Refused, 401 for one that is unknown, expired or revoked, 403 for one that was made for something else.
        """
        said = TOKEN.fullmatch(token)
        key = self._in_force().get(said[1]) if said else None
        digest = hashlib.sha256((said[2] if said else token).encode()).hexdigest()
        if not hmac.compare_digest(digest, key.sha256 if key else NOBODYS) or key is None:
            raise Refused(401, "this API key is not known here", BEARER)
        if why := key.ended(datetime.now(UTC)):
            raise Refused(401, f"API key {key.id} {why}: `milepost keys` makes a new one", BEARER)
        if not key.is_for(source, format_):
            raise Refused(403, f"API key {key.id} is not for source {source!r} and format {format_!r}")
        return key

    def _in_force(self) -> Keys:
        seen = _look(self._path)
        if seen != self._seen:
            self._seen = seen
            try:
                self._keys = read(self._path)
            except BadConfig as err:
                log.error("keys not read; the last good ones stay in force", reason=str(err))
        return self._keys


# --- what `milepost keys` does ---------------------------------------------------------------------------------------------
def add(path: Path, source: str, format_: str = "", life: timedelta | None = None, note: str = "") -> tuple[Key, str]:
    """A new key and its token, which is not kept and cannot be shown again."""
    with changed(path) as keys:
        return _add(keys, source, format_, life, note)


def rotate(path: Path, id_: str, overlap: timedelta) -> tuple[Key, Key, str]:
    """The old key, now ending after `overlap`, and a new one like it with its token."""
    with changed(path) as keys:
        old = _known(keys, id_)
        now = datetime.now(UTC)
        if why := old.ended(now):
            raise BadConfig(f"key {id_} {why}: add a new one with `milepost keys add {old.source}`")
        life = old.expires_at - old.created_at if old.expires_at else None
        ends_at = min(filter(None, (old.expires_at, _seconds(now + overlap))))
        keys[id_] = old.model_copy(update={"expires_at": ends_at})
        return keys[id_], *_add(keys, old.source, old.format, life, old.note)


def revoke(path: Path, id_: str) -> Key:
    """The key, from now on good for nothing. It stays in the file, so that its holder is told why."""
    with changed(path) as keys:
        old = _known(keys, id_)
        keys[id_] = old if old.revoked_at else old.model_copy(update={"revoked_at": _seconds(datetime.now(UTC))})
        return keys[id_]


def read(path: Path) -> dict[str, Key]:
    """The keys of a file by id; none, if there is no file. Raises: BadConfig."""
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as err:
        raise BadConfig(f"keys {path}: {err.strerror or err}") from err
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise BadConfig(f"keys {path} is not TOML: {err}") from err
    try:
        return _File.model_validate(told).keys
    except ValidationError as err:
        raise BadConfig(f"keys {path}:\n{explain(err)}") from err


class _File(BaseModel):
    """keys.toml as it is written: the id is the name of the table."""

    model_config = ConfigDict(extra="forbid")

    keys: dict[str, Key] = {}

    @field_validator("keys", mode="before")
    @classmethod
    def _with_ids(cls, told: Any) -> Any:
        tables = told.items() if isinstance(told, dict) else ()
        return {id_: {**table, "id": id_} if isinstance(table, dict) else table for id_, table in tables}


@contextlib.contextmanager
def changed(path: Path) -> Iterator[dict[str, Key]]:
    """The keys to change, written as one whole file when the block ends; two commands at once wait for each other."""
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _held(target.parent):
            keys = read(target)
            yield keys
            _write(target, keys)
    except OSError as err:
        raise BadConfig(f"keys {path} cannot be written: {err.strerror or err}") from err


def _add(keys: dict[str, Key], source: str, format_: str, life: timedelta | None, note: str) -> tuple[Key, str]:
    now, secret = _seconds(datetime.now(UTC)), secrets.token_hex(32)
    told = {
        "id": secrets.token_hex(6), "source": source, "format": format_, "sha256": hashlib.sha256(secret.encode()).hexdigest(),
        "created_at": now, "expires_at": None if life is None else now + life, "note": note,
    }  # fmt: skip
    try:
        key = Key.model_validate(told)
    except ValidationError as err:
        raise BadConfig(f"this key cannot be made:\n{explain(err)}") from err
    keys[key.id] = key
    return key, f"mp_{key.id}_{secret}"


def _known(keys: Keys, id_: str) -> Key:
    if id_ not in keys:
        raise BadConfig(f"there is no key {id_!r}; known: {', '.join(keys) or 'none'}")
    return keys[id_]


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _write(path: Path, keys: Keys) -> None:
    """Beside the old file and then in its place, so that nobody ever reads half of it."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(HEAD + "".join(_table(key) for key in keys.values()))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _table(key: Key) -> str:
    fields = key.model_dump(exclude={"id"}, exclude_none=True).items()
    return f"\n[keys.{key.id}]\n" + "".join(f"{name} = {_toml(value)}\n" for name, value in fields)


def _toml(value: datetime | str) -> str:
    """A string of JSON is one of TOML, as long as it is printable and not escaped to ASCII."""
    return _iso(value) if isinstance(value, datetime) else json.dumps(value, ensure_ascii=False)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _seconds(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _look(path: Path) -> Seen | None:
    """What changes when the file does; None, if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


