"""
A cluster behind the DSN (`?cluster=NAME`): where each table's rows lie, and what a statement becomes on each shard.

    events         what every statement reads and writes: a Distributed table without rows
    events_local   the rows of one shard; its materialised views hang here, so that they work where the rows are

Why the plain name is the distributed one: views, KPIs, detectors and folds are then the same text on one machine and on
many, and what makes that text right is settings of the client (SETTINGS). Why no ON CLUSTER: it needs Keeper and an
inter-server port, and one statement a shard over HTTP needs neither. Replicas are Keeper's: a shard that has them needs a
database with the Replicated engine, which carries what one replica is told to the others.

    sharded     by the head of the sort key, so that rows which FINAL folds meet: an object's events, own row and state on
                one shard, an exception and its verbs on one; spans by trace
    everywhere  gov_*: every shard has them whole, for a materialised view reads them at each insert, where it runs
    local       otlp_*, the doors without rows: taken apart where they arrive, the rows then go to their shards
    here        messages, job_runs: added at the node that was asked, so that a shard that is away stops only its objects
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from schema.errors import BadConfig, StoreUnavailable

SETTINGS: dict[str, Any] = {
    "distributed_foreground_insert": 1,  # acknowledged means stored on the shard, not queued on the way to it
    "parallel_distributed_insert_select": 0,  # a fold joins rows of several shards: it is not run on each for itself
    # A subquery is answered once, by all shards, and its answer sent to each. (Not in PREWHERE: an IN there over a UNION or a
    # view has the word GLOBAL in its text, which means nothing to a single server.)
    "prefer_global_in_and_join": 1,
    "distributed_product_mode": "global",
    # Pushed from a view into the text for the shards, a 1970 becomes '0', which they cannot read, and parameters get lost.
    "allow_push_predicate_ast_for_distributed_subqueries": 0,
    "skip_unavailable_shards": 0,  # a number without a shard's rows is a wrong number: rather none
    "optimize_skip_unused_shards": 1,  # one object is asked of its own shard
    "load_balancing": "in_order",  # all read the replica that was written
    "prefer_localhost_replica": 0,
    "connections_with_failover_max_tries": 2,
    "handshake_timeout_ms": 2000,
    "distributed_ddl_output_mode": "null_status_on_timeout",  # a replica that is away learns of it from Keeper, later
    "distributed_ddl_task_timeout": 10,
}
# Where the head of the sort key is not what belongs together. Lines without a trace are spread by their time.
KEYS = {
    "otel_traces": "cityHash64(TraceId)",
    "otel_logs": "cityHash64(TraceId, if(TraceId = '', toUnixTimestamp64Nano(Timestamp), 0))",
    "interface_calls": "cityHash64(trace_id)",
    "object_waits": "cityHash64(object_type, object_id)",  # where the row of the state lies that they are made of
    "leases": "cityHash64(name)",
}
HERE = frozenset({"messages", "job_runs"})

COMMENTS = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
CREATE_TABLE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?`?(\w+)`?(?: AS `?(\w+)`?)?")
CREATE_FEED = re.compile(r"CREATE MATERIALIZED VIEW (?:IF NOT EXISTS )?`?(\w+)`? TO `?(\w+)`?")
CHANGE = re.compile(r"(TRUNCATE TABLE|OPTIMIZE TABLE|DELETE FROM|ALTER TABLE|DROP TABLE)( IF EXISTS)? `?(\w+)`?")
DEFINITION = re.compile(r"(?:CREATE|DROP|ALTER|RENAME|EXCHANGE)\b")
SOURCE = re.compile(r"\bFROM `?(\w+)`?")
SORT_KEY = re.compile(r"\bENGINE = .*?\bORDER BY \(?`?(\w+)`?(?![\w(])(?:, `?(\w+)`?(?=[,)]))?", re.DOTALL)

NODES = "SELECT shard_num, host_name, host_address, port FROM system.clusters WHERE cluster = {name:String} ORDER BY ALL"
Node = tuple[int, str, str, int]


class Client(Protocol):
    """What is used of the driver's client; schema/store.py makes them."""

    def query(self, query: str, *, parameters: dict[str, Any] | None = None) -> Any: ...
    def command(self, cmd: str, *, parameters: dict[str, Any] | None = None, settings: dict[str, Any] | None = None) -> Any: ...
    def insert(self, table: str, data: Any, *, column_names: list[str], settings: dict[str, Any]) -> Any: ...
    def close(self) -> None: ...


Make = Callable[..., Client]
Errors = tuple[type[Exception], ...]


def is_everywhere(table: str) -> bool:
    """Whether each shard has this table whole. `gov_catalogue` says what is in force, and there is one truth of that."""
    return table.startswith("gov_") and table != "gov_catalogue"


def is_sharded(table: str) -> bool:
    """Whether this table's rows lie in <table>_local, each on one shard."""
    return not (is_everywhere(table) or table.startswith("otlp_") or table.endswith("_mv"))


def statements(sql: str, cluster: str, engine_of: Callable[[str], str]) -> list[str]:
    """
    What to run on every shard instead of this statement; nothing if it is to be run once and as it is.

    `engine_of` tells the engine of a table that exists, as system.tables writes it in engine_full.
    """
    comment = COMMENTS.match(sql)
    head, code = (comment[0], sql[comment.end() :]) if comment else ("", sql)
    if found := CREATE_TABLE.match(code):
        return [head + made for made in _table(code, found, cluster, engine_of)]
    if found := CREATE_FEED.match(code):
        return [head + _feed(code, found)]
    if found := CHANGE.match(code):
        return [head + made for made in _change(code, found, engine_of)]
    return [sql] if DEFINITION.match(code) else []


def _table(code: str, found: re.Match[str], cluster: str, engine_of: Callable[[str], str]) -> Iterator[str]:
    name, like = found[1], found[2]
    rest = code[found.end() :]
    if not is_sharded(name):
        yield f"CREATE TABLE IF NOT EXISTS {name}{f' AS {like}' if like else ''}{rest}"
        return
    yield f"CREATE TABLE IF NOT EXISTS {name}_local{f' AS {like}_local' if like else ''}{rest}"
    engine = engine_of(like).replace(f"'{like}_local'", f"'{name}_local'") if like else _distributed(name, code, cluster)
    yield f"CREATE TABLE IF NOT EXISTS {name} AS {name}_local ENGINE = {engine}"


def _distributed(name: str, code: str, cluster: str) -> str:
    found = SORT_KEY.search(code)
    key = f"cityHash64({', '.join(filter(None, found.groups()))})" if found else "rand()"
    return f"Distributed('{cluster}', currentDatabase(), '{name}_local', {KEYS.get(name, key)})"


def _feed(code: str, found: re.Match[str]) -> str:
    """A materialised view of sharded rows works where they lie; one behind a door sends them to their shards."""
    source = SOURCE.search(code, found.end())
    name, to, rest = found[1], found[2], code[found.end() :]
    if source and is_sharded(source[1]):
        to, rest = f"{to}_local", re.sub(rf"\bFROM `?{source[1]}`?(?!\w)", f"FROM {source[1]}_local", rest)
    return f"CREATE MATERIALIZED VIEW IF NOT EXISTS {name} TO {to}{rest}"


def _change(code: str, found: re.Match[str], engine_of: Callable[[str], str]) -> Iterator[str]:
    verb, if_exists, name = found[1], found[2] or "", found[3]
    if not is_sharded(name):
        yield code
        return
    rest = code[found.end() :]
    yield f"{verb}{if_exists} {name}_local{rest}"
    if verb == "DROP TABLE":
        yield code
    if verb == "ALTER TABLE" and re.search(r"\bCOLUMN\b", rest):  # the distributed one has the columns of the local one
        yield f"CREATE OR REPLACE TABLE {name} AS {name}_local ENGINE = {engine_of(name)}"


def options(dsn: str) -> dict[str, str]:
    """What stands after the '?' of a DSN."""
    return dict(parse_qsl(urlsplit(dsn).query))


def of_dsn(dsn: str, database: str, make: Make, unreachable: Errors) -> One:
    """The cluster that a DSN names, else one store; `unreachable` is what a client raises if its node does not answer."""
    name = options(dsn).get("cluster", "")
    return Cluster(name, database, make, unreachable, is_tls=dsn.startswith("clickhouses:")) if name else One()


class One:
    """A single server, or the embedded store: everything is done once and as it is said."""

    def know(self, entry: Client) -> None:
        """Learn of the entry node what has to be known."""

    def command(self, entry: Client, sql: str, params: dict[str, Any] | None, settings: dict[str, Any]) -> None:
        """Run a statement that returns nothing."""
        entry.command(sql, parameters=params, settings=settings)

    def insert(self, entry: Client, table: str, rows: Any, *, column_names: list[str], settings: dict[str, Any]) -> None:
        """Insert rows where this table's rows are written."""
        entry.insert(table, rows, column_names=column_names, settings=settings)

    def missing(self, said: str) -> str:
        """Which parts of the store are away by what an error says, as a sentence; empty if it names none."""
        return ""

    def close(self) -> None:
        """Let the clients go."""


class Cluster(One):
    """The shards of a named cluster, each reached over HTTP by one client when first needed."""

    def __init__(self, name: str, database: str, make: Make, unreachable: Errors, *, is_tls: bool) -> None:
        self.name, self._database, self._make, self._unreachable = name, database, make, unreachable
        self._port_kind = "https_port" if is_tls else "http_port"
        self._nodes: list[Node] = []
        self._clients: dict[int, Client] = {}
        self._lock = threading.Lock()

    def know(self, entry: Client) -> None:
        """
        Learn of the entry node who belongs to the cluster.

        Raises: BadConfig, if it has no such cluster, or a shard has replicas that nothing keeps equal.
        """
        self._nodes = [tuple(row) for row in entry.query(NODES, parameters={"name": self.name}).result_rows]
        if not self._nodes:
            known = entry.query("SELECT DISTINCT cluster FROM system.clusters ORDER BY cluster").result_columns
            names = ", ".join(known[0]) if known else "none"
            raise BadConfig(f"the store knows no cluster {self.name!r}; known (system.clusters): {names}")
        asked = "SELECT engine FROM system.databases WHERE name = currentDatabase()"
        engine = entry.query(asked).result_rows[0][0]
        if len(self._nodes) > len(self._shards()) and engine != "Replicated":
            raise BadConfig(
                f"cluster {self.name!r} has shards with replicas, and the database {self._database} is {engine}: only a "
                "database with the Replicated engine keeps replicas equal (docs/scaling.md)"
            )

    def command(self, entry: Client, sql: str, params: dict[str, Any] | None, settings: dict[str, Any]) -> None:
        run = super().command
        spread = statements(sql, self.name, lambda table: self._engine_of(entry, table))
        for statement in spread:
            self._on_each(entry, partial(run, sql=statement, params=params, settings=settings))
        if not spread:
            run(entry, sql, params, settings)

    def insert(self, entry: Client, table: str, rows: Any, *, column_names: list[str], settings: dict[str, Any]) -> None:
        put = partial(super().insert, rows=rows, column_names=column_names, settings=settings)
        if is_everywhere(table):
            self._on_each(entry, partial(put, table=table))
        else:
            put(entry, table=f"{table}_local" if table in HERE else table)

    def missing(self, said: str) -> str:
        said = said.partition("Insertion status:")[0]  # which counts up the shards that are well, too
        named = {
            shard
            for shard, host, address, port in self._nodes
            if re.search(rf"(?:{re.escape(host)}|{re.escape(address or host)}):{port}(?!\d)", said)
        }
        return self._away(sorted(named)) if named else ""

    def close(self) -> None:
        while self._clients:
            self._clients.popitem()[1].close()

    def _shards(self) -> dict[int, list[Node]]:
        shards: dict[int, list[Node]] = {}
        for node in self._nodes:
            shards.setdefault(node[0], []).append(node)
        return shards

    def _engine_of(self, entry: Client, table: str) -> str:
        sql = "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {table:String}"
        rows = entry.query(sql, parameters={"table": table}).result_rows
        return str(rows[0][0]) if rows else ""

    def _on_each(self, entry: Client, act: Callable[[Client], object]) -> None:
        """Do something on one node of each shard. Raises: StoreUnavailable, which names the shard that has none."""
        with self._lock:
            nodes = {shard: self._clients.get(shard) or self._open(entry, shard) for shard in self._shards()}
            for shard, node in nodes.items():
                try:
                    act(node)
                except self._unreachable as err:
                    self._clients.pop(shard, None)
                    raise StoreUnavailable(self._away([shard])) from err

    def _open(self, entry: Client, shard: int) -> Client:
        """A client of the first replica that answers, with our database on it; one shard's nodes share the HTTP port."""
        sql = "SELECT shardNum(), getServerPort({kind:String}) FROM cluster({name:String}, system.one)"
        ports = dict(map(tuple, entry.query(sql, parameters={"name": self.name, "kind": self._port_kind}).result_rows))
        for _, host, _, _ in self._shards()[shard]:
            with contextlib.suppress(StoreUnavailable):
                first = self._make("default", host, ports[shard])
                first.command(f"CREATE DATABASE IF NOT EXISTS `{self._database}`")
                first.close()
                self._clients[shard] = self._make(self._database, host, ports[shard])
                return self._clients[shard]
        raise StoreUnavailable(self._away([shard]))

    def _away(self, shards: Iterable[int]) -> str:
        of = self._shards()
        named = (f"shard {shard} of {len(of)} ({', '.join(f'{n[1]}:{n[3]}' for n in of[shard])})" for shard in shards)
        return f"the store is in part away: {' and '.join(named)} of cluster {self.name}"
