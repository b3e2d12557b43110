"""
The state of many cases, folded in one round and copied from there, because a round takes half a second however little it folds.

Why that is the state that the case would have alone: a row is made of the events of one object and of what it is linked to, and
in here the objects of every case have ids of their own (`017.S1`; the copy takes the mark off). A case with policy of its own is
folded alone, by that policy; so is one that cannot be read, for its own test to say so.

Why the rows of object_state come as parts: an INSERT would also plan the view that keeps the waits, which costs as much as all else
of a case together. The waits are copied as well, as the view made them here. On shards there are no parts to hand over, and the
rows are inserted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from schema import events, state
from schema.governance import Catalogue
from schema.store import Store, quote
from tests.parts.stock import Stock
from tests.schema import cases
from tests.schema.cases import Case

# The tables that a round of the state fills: their columns of one object's id, and those of many.
IDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "object_own": (("object_id",), ("link_id",)),
    "object_state": (("object_id",), ("link_id",)),
    "links": (("a_id", "b_id"), ()),
    "object_waits": (("object_id",), ()),
}
STAGE = "case_state"  # the rows of one case, on their way from object_state of this store to that of the case
VERSIONS = {"object_own": "ver", "object_state": "ver, digest", "object_waits": "ver", "links": ""}


class Folded:
    """The state of these cases, in a store of theirs. `close` before the store goes back."""

    def __init__(self, store: Store, catalogue: Catalogue, given: Sequence[Case]) -> None:
        self._store, self._marks = store, dict[tuple[str, str], str]()
        self._is_on_shards = store.value(
            "SELECT engine = 'Distributed' FROM system.tables WHERE database = currentDatabase() AND name = 'object_state'"
        )
        cases.keep_calendar(store, catalogue)
        rows = []
        for i, case in enumerate(given):
            mark = f"{i:03d}."
            if not any(table.startswith("gov_") for table in case.given):
                with contextlib.suppress(ValueError):
                    rows += cases.event_rows(catalogue, case, mark)
                    self._marks[case.name, case.title] = mark
        store.insert("events", events.COLUMNS, rows)
        state.refresh(store, since=state.EPOCH)
        if not self._is_on_shards:
            store.command(f"CREATE TABLE {STAGE} AS object_state")

    def copy(self, case: Case, store: Store) -> bool:
        """Put the state of a case into its own store. False if the case is none of those that were folded."""
        mark = self._marks.get((case.name, case.title))
        if mark and "events" in case.given:
            for table in ("object_own", "links"):
                self._copy(table, mark, store, table)
            if self._is_on_shards:
                self._copy("object_state", mark, store, "object_state")
            else:
                self._copy("object_state", mark, self._store, STAGE)
                store.command(f"ALTER TABLE object_state ATTACH PARTITION ALL FROM {quote(self._store.database)}.{STAGE}")
                self._store.command(f"TRUNCATE TABLE {STAGE}")
                self._copy("object_waits", mark, store, "object_waits")
        return bool(mark)

    def _copy(self, table: str, mark: str, store: Store, to: str) -> None:
        """The rows of a case, without its mark."""
        ids, lists = IDS[table]
        cut = [f"substring({c}, {len(mark) + 1}) AS {c}" for c in ids]
        cut += [f"arrayMap(x -> substring(x, {len(mark) + 1}), {c}) AS {c}" for c in lists]
        made = f"SELECT * REPLACE ({', '.join(cut)}) FROM {quote(self._store.database)}.{table} AS f"
        store.command(f"INSERT INTO {to} {made} WHERE startsWith(f.{ids[0]}, {{mark:String}})", {"mark": mark})

    def close(self) -> None:
        """Leave the store as it was made."""
        if not self._is_on_shards:
            self._store.command(f"DROP TABLE {STAGE}")


def folded(stock: Stock, catalogue: Catalogue, given: Sequence[Case]) -> Iterator[Folded]:
    """The state of these cases; for a module fixture to yield from."""
    store = stock.take()
    made = Folded(store, catalogue, given)
    yield made
    made.close()
    stock.give(store)


def check_folded(alone: Store, among: Store, catalogue: Catalogue, folded: Folded, case: Case) -> None:
    """Hold the state that a case got from the common round against the one that it has alone."""
    cases.load(alone, catalogue, case)
    cases.load(among, catalogue, case, folded)
    for table, but in VERSIONS.items():
        sql = f"SELECT * {f'EXCEPT ({but})' if but else ''} FROM {table} FINAL ORDER BY ALL"
        expected = alone.query(sql)
        assert expected == among.query(sql), table
        assert expected, f"{case.title}: nothing in {table}"
