"""
Bring a store to this version: migrations in order, then the catalogue, then views, KPIs and detectors.

Why plain files and not a library: a migration is one statement of plain single-node ClickHouse SQL, frozen once released,
and what is derived (views, KPIs, detectors) is replaced whole and dropped where no file defines it any more. On a
`Replicated` database the engine of a table is prefixed, and the database carries the statement to every replica; a table
in memory becomes one on disk there, for a round that another replica answers to must find what it had set down.
What a statement becomes on each shard of a cluster is schema/cluster.py's to say.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

from schema import definitions, policy, state, waits
from schema.errors import BadDefinition
from schema.governance import Catalogue
from schema.store import StatementError, Store, quote

LEDGER = """
CREATE TABLE IF NOT EXISTS schema_ledger
(
    kind       LowCardinality(String) COMMENT 'migration or view',
    name       String,
    digest     String,
    applied_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY (kind, name)
"""
MADE = re.compile(r"^CREATE TABLE (?!IF NOT EXISTS )(\w+)", re.MULTILINE)
NOTE = """
INSERT INTO schema_ledger
SELECT {kind:String}, noted.1, noted.2, {at:DateTime64(3, 'UTC')}
FROM (SELECT arrayJoin(arrayZip({names:Array(String)}, {digests:Array(String)})) AS noted)
"""


def migrate(store: Store, catalogue: Catalogue) -> bool:
    """
    Migrate, load the catalogue and define the views. True if the state must be rebuilt: the catalogue or the version is another
    than it was folded by, or a fold of everything did not come to its end.

    Raises: BadDefinition, if a released migration was edited or a file is wrong; StoreUnavailable.
    """
    definitions.check(catalogue)
    is_replicated = store.value("SELECT engine FROM system.databases WHERE name = currentDatabase()") == "Replicated"
    store.command(_engine(LEDGER, is_replicated))
    _apply(store, is_replicated)
    policy.load(store, catalogue)
    _define_waits(store)
    _define_views(store)
    return state.is_owed(store)


def pending(store: Store) -> list[str]:
    """Migrations that this store has not seen."""
    if not store.value("SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'schema_ledger'"):
        return [name for name, _ in definitions.migrations()]
    applied = _applied(store, "migration")
    return [name for name, _ in definitions.migrations() if name not in applied]


def _apply(store: Store, is_replicated: bool) -> None:
    """
    The migrations that this store has not seen. Each is noted when it is applied, but those of a new store all together, which
    saves a fourth of the time: one that died on the way begins again, and what it had made stays (IF NOT EXISTS).
    """
    applied = _applied(store, "migration")
    done = []
    for name, sql in definitions.migrations():
        digest = _digest(sql)
        if applied.get(name, digest) != digest:
            raise BadDefinition(f"migrations/{name} was edited after it was applied to {store.label}; add a new file instead")
        if name not in applied:
            store.command(_engine(MADE.sub(r"CREATE TABLE IF NOT EXISTS \1", sql), is_replicated))
            done.append((name, digest))
            if applied:
                _note(store, "migration", [done.pop()])
    _note(store, "migration", done)


def _define_waits(store: Store) -> None:
    """The view that keeps the waits, and its rows where the rules, the view or its table are others than they were made by."""
    digest = _digest(waits.digest() + policy.in_force(store))
    if _applied(store, "waits").get(waits.VIEW) != digest:
        waits.define(store)
        waits.refill(store)
        _note(store, "waits", [(waits.VIEW, digest)])


def _define_views(store: Store) -> None:
    applied = _applied(store, "view")
    wanted = definitions.views()
    is_behind, made = False, []
    for name, sql in wanted.items():
        digest = _digest(sql)
        is_behind = is_behind or applied.get(name) != digest
        if is_behind:
            _create(store, name, sql)
            made.append((name, digest))
    _note(store, "view", made)
    for name in applied.keys() - wanted.keys():
        store.command(f"DROP VIEW IF EXISTS {quote(name)}")
        store.command("DELETE FROM schema_ledger WHERE kind = 'view' AND name = {name:String}", {"name": name})


def _create(store: Store, name: str, sql: str) -> None:
    try:
        store.command(f"CREATE OR REPLACE VIEW {quote(name)} AS\n{sql}")
    except StatementError as err:
        raise BadDefinition(f"view {name}: {err}") from err


def _applied(store: Store, kind: str) -> dict[str, str]:
    rows = store.query("SELECT name, digest FROM schema_ledger FINAL WHERE kind = {kind:String}", {"kind": kind})
    return {r["name"]: r["digest"] for r in rows}


def _note(store: Store, kind: str, done: list[tuple[str, str]]) -> None:
    """In SQL, which costs a third of the driver's insert."""
    names, digests = [name for name, _ in done], [digest for _, digest in done]
    if names:
        store.command(NOTE, {"kind": kind, "names": names, "digests": digests, "at": datetime.now(UTC)})


def _engine(sql: str, is_replicated: bool) -> str:
    if not is_replicated:
        return sql
    on_disk = re.sub(r"ENGINE = Memory\b", "ENGINE = MergeTree ORDER BY tuple()", sql)
    return re.sub(r"ENGINE = (\w*MergeTree)", r"ENGINE = Replicated\1", on_disk)


def _digest(sql: str) -> str:
    return hashlib.blake2b(sql.encode(), digest_size=16).hexdigest()
