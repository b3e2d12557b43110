"""
Migrated databases of one engine, emptied and used again.

Why: to migrate a database takes seconds, to empty one takes milliseconds, and hundreds of tests ask for one. A database
goes back only when it is provably as it was: the same tables and views by their definitions, the same policy rows by
their hash. A test that changed those has its database dropped, and the next test gets a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schema.store import Store, connect, quote

TABLES = """
SELECT name, toString(cityHash64(create_table_query)) AS definition, ifNull(total_rows, 0) AS n
FROM system.tables
WHERE database = currentDatabase()
"""


@dataclass(frozen=True, slots=True)
class Blank:
    """What a database looks like before a test: its definitions, and the hash of the tables that have rows from the start."""

    definitions: dict[str, str]
    policy: dict[str, str]


class Stock:
    """`take` a store over an empty migrated database; `give` it back after the test."""

    def __init__(self, dsn: Callable[[str], str], name: Callable[[], str], migrate: Callable[[Store], object]) -> None:
        self._dsn, self._name, self._migrate = dsn, name, migrate
        self._free: list[str] = []
        self._blanks: dict[str, Blank] = {}

    def take(self) -> Store:
        """A store over a database that no test uses."""
        if self._free:
            return connect(self._dsn(self._free.pop()))
        store = connect(self._dsn(self._name()))
        self._migrate(store)
        rows = store.query(TABLES)
        filled = [str(row["name"]) for row in rows if row["n"]]
        self._blanks[store.database] = Blank(_definitions(rows), _hashes(store, filled))
        return store

    def give(self, store: Store) -> None:
        """Empty the database for the next test, or drop it if it is not as it was."""
        blank = self._blanks[store.database]
        rows = store.query(TABLES)
        if _definitions(rows) == blank.definitions and _hashes(store, list(blank.policy)) == blank.policy:
            for row in rows:
                if row["n"] and row["name"] not in blank.policy:
                    store.command(f"TRUNCATE TABLE {quote(row['name'])}")
            self._free.append(store.database)
        else:
            drop(store)
        store.close()


def drop(store: Store) -> None:
    """Drop the database of a store."""
    store.command(f"DROP DATABASE IF EXISTS {quote(store.database)}")


def _definitions(rows: list[dict[str, str]]) -> dict[str, str]:
    return {row["name"]: row["definition"] for row in rows}


def _hashes(store: Store, tables: list[str]) -> dict[str, str]:
    if not tables:
        return {}
    one = "SELECT '{0}' AS name, toString(sum(cityHash64(*))) AS hash FROM {1}"
    return {row["name"]: row["hash"] for row in store.query(" UNION ALL ".join(one.format(t, quote(t)) for t in tables))}
