"""
Migrated databases of one engine, emptied and used again.

Why: to migrate a database takes seconds, to empty one takes milliseconds, and hundreds of tests ask for one. A database
goes back only when it is provably as it was: the same tables and views by their identity and the time of their last
change, the same policy rows by the parts that hold them. After a test that changed policy rows the policy is loaded again, a
tenth of what a migration costs; one that changed more has its database dropped, and the next test gets a new one.

Why not by the text of their definitions: the engine writes that text anew for each of a hundred views, at a quarter of a
second a test. A view is only ever replaced, which gives it another uuid; a table that is altered is written again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from schema.store import Store, connect, quote

TABLES = """
SELECT name, toString(arraySort(groupArray((uuid, metadata_modification_time)))) AS definition, sum(ifNull(total_rows, 0)) AS n
FROM {tables}
WHERE database = {{database:String}}
GROUP BY name
"""
PARTS = """
SELECT table, toString(arraySort(groupArray((name, hash_of_all_files)))) AS parts
FROM system.parts
WHERE database = currentDatabase() AND active
GROUP BY table
"""


@dataclass(frozen=True, slots=True)
class Blank:
    """What a database looks like before a test: its definitions, and the tables that have rows from the start by parts and hash."""

    definitions: dict[str, str]
    parts: dict[str, str]
    policy: dict[str, str]


class Stock:
    """`take` a store over an empty migrated database; `give` it back after the test."""

    def __init__(
        self, dsn: Callable[[str], str], name: Callable[[], str], migrate: Callable[[Store], object], *, cluster: str = ""
    ) -> None:
        self._dsn, self._name, self._migrate = dsn, name, migrate
        self._sql = TABLES.format(tables=f"cluster({cluster}, system.tables)" if cluster else "system.tables")
        self._free: list[Store] = []
        self._blanks: dict[str, Blank] = {}

    def take(self) -> Store:
        """A store over a database that no test uses."""
        if self._free:
            return self._free.pop()
        store = connect(self._dsn(self._name()))
        self._migrate(store)
        # Times of change are whole seconds: what a test alters must not look as old as the migration.
        time.sleep(1.0 - time.time() % 1.0)
        rows = self._tables(store)
        filled = [str(row["name"]) for row in rows if row["n"]]
        self._blanks[store.database] = Blank(_definitions(rows), _parts(store), _hashes(store, filled))
        return store

    def give(self, store: Store) -> None:
        """Empty the database for the next test, with the policy that it had; or drop it if it is not as it was."""
        blank = self._blanks[store.database]
        rows = self._tables(store)
        changed = _changed(store, blank)
        if _definitions(rows) != blank.definitions or any(not table.startswith("gov_") for table in changed):
            self._drop(store)
            return
        for row in rows:
            if row["n"] and row["name"] not in blank.policy:
                store.command(f"TRUNCATE TABLE {quote(row['name'].removesuffix('_local'))}")
        if changed:
            store.command("TRUNCATE TABLE gov_catalogue")  # then all of it is loaded again, whatever is there
            self._migrate(store)
            # Only `gov_catalogue` is another: it says when that was.
            if any(table.removesuffix("_local") != "gov_catalogue" for table in _changed(store, blank)):
                self._drop(store)
                return
            self._blanks[store.database] = replace(blank, parts=_parts(store), policy=_hashes(store, list(blank.policy)))
        self._free.append(store)

    def _drop(self, store: Store) -> None:
        drop(store)
        store.close()

    def _tables(self, store: Store) -> list[dict[str, str]]:
        return store.query(self._sql, {"database": store.database})

    def close(self) -> None:
        """Let the handles go."""
        while self._free:
            self._free.pop().close()


def drop(store: Store) -> None:
    """Drop the database of a store."""
    store.command(f"DROP DATABASE IF EXISTS {quote(store.database)}")


def _definitions(rows: list[dict[str, str]]) -> dict[str, str]:
    return {row["name"]: row["definition"] for row in rows}


def _changed(store: Store, blank: Blank) -> list[str]:
    """The tables that have other rows than from the start; parts that a merge made anew are held against the rows themselves."""
    parts = _parts(store)
    other = [table for table in blank.policy if parts.get(table) != blank.parts.get(table)]
    hashes = _hashes(store, other)
    return [table for table in other if hashes.get(table) != blank.policy[table]]


def _parts(store: Store) -> dict[str, str]:
    return {row["table"]: row["parts"] for row in store.query(PARTS)}


def _hashes(store: Store, tables: list[str]) -> dict[str, str]:
    if not tables:
        return {}
    one = "SELECT '{0}' AS name, toString(sum(cityHash64(*))) AS hash FROM {1}"
    return {row["name"]: row["hash"] for row in store.query(" UNION ALL ".join(one.format(t, quote(t)) for t in tables))}
