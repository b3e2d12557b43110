"""
The store: ClickHouse, in this process (chDB) or a server, by DSN. The only module that knows which.

    chdb:///var/lib/milepost                               embedded, the default; one process holds the folder
    clickhouse[s]://user:password@host:port/database       a server, over HTTP; ?cluster=NAME: its shards, by that node

Why one class over clickhouse-connect and not an interface with two implementations: the driver already speaks to both
with one client, and what differs (one process, handles, limits) is a few lines here. Why pools: a chDB handle runs one
statement at a time behind a lock, so readers must not wait for writers; readers are read-only with limits, set once.
"""

from __future__ import annotations

import contextlib
import copy
import fcntl
import os
import re
import shutil
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, InterfaceError, OperationalError, ProgrammingError

from schema import cluster, observe
from schema.errors import BadConfig, StoreUnavailable
from schema.flat import asked
from schema.pool import Pool

Params = Mapping[str, Any]

READER_LIMITS = {
    "max_execution_time": 30,
    "max_memory_usage": 4 * 2**30,
    "max_result_rows": 1_000_000,
    "result_overflow_mode": "throw",
    "readonly": 2,
}
# What a statement marks as MATERIALIZED is read once; a pass of the analyser that finds nothing in what we ask, and takes a
# sixth of the analysis of a fold and a twelfth of an INSERT of telemetry with its views, is off.
SETTINGS = {"enable_materialized_cte": 1, "optimize_and_compare_chain": 0}
# The engine compiles what it is asked for the third time: 50 to 200 ms for whoever asks then, and a page is no faster after it.
INTERPRETED = {"compile_expressions": 0, "compile_aggregate_expressions": 0, "compile_sort_description": 0}
WORKERS = 5  # one a job of the clock
# Senders go first, then pages, then jobs and merges: where this process may set nice values (CAP_SYS_NICE), else the engine
# leaves them.
READERS_NICE, WORKERS_NICE = 5, 10
MERGES_NICE = {"os_threads_nice_value_merge_mutate": WORKERS_NICE}
NOBODY = (OperationalError, OSError)  # what a client raises if nobody answers
StatementError = DatabaseError  # what a wrong statement raises, for the few who must name it

# What the store says when it is the store's trouble and a retry can help: disk full, memory, read-only, files, too many
# parts, timeouts, network, locks, shutting down. Everything else is a wrong statement or wrong data.
AWAY_CODES = frozenset({
    74, 75, 76, 77, 95, 96, 159, 160, 164, 172, 173, 198, 202, 203, 204, 209, 210, 218, 225, 236, 241, 242, 243, 252, 279,
    285, 286, 319, 373, 384, 392, 394, 425, 439, 473, 499, 574, 586, 717, 735, 738, 774, 777, 778, 999,
})  # fmt: skip


def default_dsn() -> str:
    """The embedded store under the user's data folder (XDG_DATA_HOME, else ~/.local/share)."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return f"chdb://{Path(base) / 'milepost' / 'store'}"


class Store:
    """
    A connected store. Safe to share between threads. Statements are asked flat (schema/flat.py): views in their places.

    Raises: StoreUnavailable where the store is away and a retry may help; the driver's DatabaseError where the
            statement is wrong, which is a bug and not caught.
    """

    def __init__(self, dsn: str, *, readers: int = 4, writers: int = 3) -> None:
        self._make, self.database, self.is_embedded, self.label, first = _target(dsn)
        with contextlib.closing(first):  # not before another handle is open: the engine closes with its last one
            self._pools = {
                "read": Pool(self._reader, readers), "write": Pool(self._make, writers), "work": Pool(self._worker, WORKERS)
            }  # fmt: skip
            self._reading, self._writing, self._closed = "read", "write", threading.Event()
            self._cluster = cluster.of_dsn(dsn, self.database, self._make, NOBODY)
            with self._client("write") as client:
                self.version = str(client.server_version)
                self._cluster.know(client)

    # --- reading ---------------------------------------------------------------------------------------------------
    def query(self, sql: str, params: Params | None = None) -> list[dict[str, Any]]:
        """Rows as dictionaries; times are aware UTC. `params` are bound by the engine, as {name:Type} in the SQL."""
        with self._client(self._reading) as client:
            result = client.query(asked(sql, params or {}), parameters=dict(params or {}), tz_mode="aware")
            return list(result.named_results())

    def arrow(self, sql: str, params: Params | None = None) -> pa.Table:
        """Rows as an Arrow table, for pages. Select times as DateTime64(…, 'UTC') and enums by toString()."""
        with self._client(self._reading) as client:
            return client.query_arrow(asked(sql, params or {}), parameters=dict(params or {}), use_strings=True)

    def value(self, sql: str, params: Params | None = None) -> Any:
        """The first column of the first row, or None if there is no row."""
        with self._client(self._reading) as client:
            rows = client.query(asked(sql, params or {}), parameters=dict(params or {}), tz_mode="aware").result_rows
            return rows[0][0] if rows else None

    def copy(self, sql: str, fmt: str, to: BinaryIO) -> None:
        """All rows in a format of the engine into a file, block by block and without a reader's limits: for backups."""
        with self._client(self._writing) as client, client.raw_stream(sql, fmt=fmt) as stream:
            shutil.copyfileobj(stream, to, 2**20)

    # --- writing ---------------------------------------------------------------------------------------------------
    def command(self, sql: str, params: Params | None = None, settings: Params | None = None) -> None:
        """One statement that returns nothing: DDL, INSERT SELECT."""
        with self._client(self._writing) as client:
            self._cluster.command(client, asked(sql, params or {}), dict(params) if params else None, dict(settings or {}))

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, token: str = "") -> None:
        """
        Insert rows in one INSERT. With a token, the same token again is folded into the first (where the table keeps
        a deduplication window), so that a retry after a lost answer adds nothing.
        """
        if not rows:
            return
        with self._client(self._writing) as client:
            self._cluster.insert(client, table, rows, column_names=list(columns), settings=_insert_settings(token))

    def insert_body(self, table: str, body: Any, fmt: str, settings: Params | None = None, *, token: str = "") -> None:
        """Insert bytes, or a file of them, in a format that the engine itself decodes (ProtobufSingle, Native …)."""
        wanted = self._schema_file(dict(settings or {})) if self.is_embedded else dict(settings or {})
        with self._client(self._writing) as client:
            client.raw_insert(table, insert_block=body, fmt=fmt, settings=_insert_settings(token) | wanted)

    def for_jobs(self) -> Store:
        """
        The same store for long work that nobody waits for. Its handles are none of those that a sender's acknowledgement or a
        page waits for, they have no reader's limits, and in this process they take half of the cores.
        """
        other = copy.copy(self)
        other._reading = other._writing = "work"
        return other

    def ping(self) -> bool:
        """Whether the store answers now."""
        try:
            return bool(self.value("SELECT 1") == 1)
        except StoreUnavailable:
            return False

    def close(self) -> None:
        """Refuse late work politely, then let the handles go."""
        self._closed.set()
        for pool in self._pools.values():
            pool.close()
        self._cluster.close()

    def _schema_file(self, settings: dict[str, Any]) -> dict[str, Any]:
        """A format schema sent as text becomes a file beside the store: chDB would cache it in the working directory."""
        if settings.get("format_schema_source") != "string":
            return settings
        text = str(settings.pop("format_schema"))
        name = settings.pop("format_schema_message_name")
        del settings["format_schema_source"]
        file = Path(self.label.removeprefix("chdb://"), "format_schemas", f"{zlib.crc32(text.encode()):08x}.proto")
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, "utf-8")
        return settings | {"format_schema": f"{file}:{name}"}

    # --- handles ---------------------------------------------------------------------------------------------------
    def _reader(self) -> Client:
        client = self._make()
        for name, limit in (READER_LIMITS | INTERPRETED).items():
            client.set_client_setting(name, limit)
        if self.is_embedded:
            client.set_client_setting("os_threads_nice_value_query", READERS_NICE)
            # What a page joins is small: threads that fill a table together cost more to start than they save.
            client.set_client_setting("join_algorithm", "direct,hash")
        return client

    def _worker(self) -> Client:
        client = self._make()
        if self.is_embedded:
            client.set_client_setting("max_threads", max(1, (os.cpu_count() or 2) // 2))
            client.set_client_setting("os_threads_nice_value_query", WORKERS_NICE)
        return client

    @contextlib.contextmanager
    def _client(self, use: str) -> Iterator[Client]:
        if self._closed.is_set():
            raise StoreUnavailable(f"the store {self.label} is shutting down; ask again when Milepost is up")
        pool = self._pools[use]
        client = pool.take()
        try:
            with observe.span(f"store.{use}"):
                yield client
        except (DatabaseError, InterfaceError, OSError) as err:
            if _is_away(err):
                part = self._cluster.missing(str(err))
                raise StoreUnavailable(part or f"the store {self.label} is away: {_trouble(err)}") from err
            raise
        finally:
            pool.give(client)


def connect(dsn: str) -> Store:
    """
    Connect to the store and make its database if it is missing.

    Raises: BadConfig for a DSN that is none; StoreUnavailable if nobody answers, or another process holds the folder.
    """
    return Store(dsn)


Target = tuple[Callable[..., Client], str, bool, str, Client]


def _target(dsn: str) -> Target:
    """(make a client, database, is embedded, a label without the password, the client that made the database) of a DSN."""
    url = urlsplit(dsn)
    if url.scheme == "chdb":
        return _embedded(url.netloc + unquote(url.path), cluster.options(dsn).get("database", "milepost"))
    if url.scheme in ("clickhouse", "clickhouses") and url.hostname:
        return _server(dsn)
    raise BadConfig(
        f"store DSN {_label(dsn)!r} is none: known are chdb:///PATH and clickhouse[s]://user:password@host:port/database"
    )


def _embedded(path: str, database: str) -> Target:
    if not path.startswith("/"):
        raise BadConfig(f"store DSN 'chdb://{path}' needs an absolute path: chdb:///PATH")
    Path(path).mkdir(parents=True, exist_ok=True)

    def make(db: str = database) -> Client:
        try:
            return clickhouse_connect.get_client(
                interface="chdb", path=path, database=db, settings=dict(SETTINGS), chdb_options=dict(MERGES_NICE)
            )
        except (DatabaseError, OSError) as err:
            raise StoreUnavailable(_held(path, err)) from err

    first = make("default")
    first.command(f"CREATE DATABASE IF NOT EXISTS {quote(database)} ENGINE = Atomic")
    return make, database, True, f"chdb://{path}", first


def _held(path: str, err: Exception) -> str:
    if "already initialized" in str(err):
        return f"the embedded store {path} cannot be opened: this process already holds another embedded store"
    if holder := _holder(path):
        return (
            f"the embedded store {path} is held by another process ({holder}), probably a running `milepost up` or "
            "`milepost demo`: stop it, ask it over HTTP, or use a ClickHouse server for many processes "
            "(MILEPOST_STORE=clickhouse://…)"
        )
    return f"the embedded store {path} cannot be opened: {first_line(err)}"


def _holder(path: str) -> str:
    """Who holds the engine's lock on its folder, as the engine wrote it down; empty if nobody does."""
    try:
        with Path(path, "status").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return Path(path, "status").read_text("utf-8", "replace").splitlines()[0].replace(":", "")
    except OSError:
        pass
    return ""


def _server(dsn: str) -> Target:
    url = urlsplit(dsn)
    database = url.path.strip("/") or "milepost"
    is_tls = url.scheme == "clickhouses"
    timeout = float(cluster.options(dsn).get("timeout_s", 30))
    settings = SETTINGS | (cluster.SETTINGS if "cluster" in cluster.options(dsn) else {})

    def make(db: str = database, host: str | None = url.hostname, port: int | None = url.port) -> Client:
        try:
            return clickhouse_connect.get_client(
                host=host,
                port=port or (8443 if is_tls else 8123),
                username=unquote(url.username or "default"),
                password=unquote(url.password or ""),
                database=db,
                secure=is_tls,
                autogenerate_session_id=False,
                connect_timeout=5,
                send_receive_timeout=timeout,
                query_retries=0,
                settings=dict(settings),
            )
        except (DatabaseError, InterfaceError, OSError) as err:
            raise StoreUnavailable(f"the store {_label(dsn)} does not answer: {_trouble(err)}") from err

    first = make("default")
    first.command(f"CREATE DATABASE IF NOT EXISTS {quote(database)}")
    return make, database, False, _label(dsn), first


def _label(dsn: str) -> str:
    """The DSN without user and password: what may be shown and logged."""
    url = urlsplit(dsn)
    host = f"{url.hostname or ''}{f':{url.port}' if url.port else ''}"
    return f"{url.scheme}://{host}{url.path}"


def quote(identifier: str) -> str:
    """An identifier for a statement; identifiers cannot be bound, so anything but a word is refused."""
    if not identifier.replace("_", "").isalnum() or not identifier.isascii():
        raise BadConfig(f"{identifier!r} is no name for a database or table: letters, digits and _ only")
    return f"`{identifier}`"


def _insert_settings(token: str) -> dict[str, Any]:
    settings: dict[str, Any] = {"async_insert": 0, "materialize_skip_indexes_on_insert": 0}
    return settings | {"insert_deduplication_token": token} if token else settings


def _is_away(err: Exception) -> bool:
    if isinstance(err, ProgrammingError) and "closed" in str(err):
        return True
    code = getattr(err, "code", None)
    if code is None:
        return isinstance(err, (OperationalError, InterfaceError, OSError))
    return code in AWAY_CODES


NETWORK = re.compile(r"connection (refused|reset)|timed out|no route to host|name or service not known", re.IGNORECASE)


def _trouble(err: Exception) -> str:
    """What a person needs of the driver's error: of a failed connection only how it failed."""
    text = first_line(err)
    if "ConnectionPool" not in text and "Connection" not in type(err).__name__:
        return text
    found = NETWORK.search(str(err))
    return found[0].lower() if found else "no connection"


def first_line(err: BaseException) -> str:
    """The first line of an error, short enough for a sentence."""
    return (str(err).strip().splitlines() or [type(err).__name__])[0][:300]
