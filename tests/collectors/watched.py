"""A store that tests of the sink look on at, hold up and take away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from schema.errors import StoreUnavailable
from schema.store import Store


class Watched:
    """The real store behind a list of its INSERTs, and a switch that takes it away."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.inserts: list[str] = []
        self.is_away = False
        self.away_once = False
        self.gate: threading.Event | None = None
        self.n_come = 0  # to the gate, whether or not they were let through

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Any], *, token: str = "") -> None:
        if rows:
            self._watch(table, lambda: self._store.insert(table, columns, rows, token=token))

    def insert_body(self, table: str, body: bytes, fmt: str, settings: Any = None, *, token: str = "") -> None:
        self._watch(table, lambda: self._store.insert_body(table, body, fmt, settings, token=token))

    def _watch(self, table: str, insert: Callable[[], None]) -> None:
        self.n_come += 1
        if self.gate:
            self.gate.wait(120)
        if self.is_away:
            raise StoreUnavailable("the store is away")
        self.inserts.append(table)
        insert()
        if self.away_once:
            self.away_once = False
            raise StoreUnavailable("the answer got lost")
