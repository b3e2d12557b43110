"""Migrations: in order, once, frozen; what is derived is replaced, and dropped where no file defines it."""

from __future__ import annotations

import pytest

from schema import definitions, migrate, state, waits
from schema.errors import BadDefinition
from schema.governance import Catalogue
from schema.store import Store


def names(store: Store, engine: str) -> set[str]:
    sql = "SELECT name FROM system.tables WHERE database = currentDatabase() AND (engine = 'View') = {is_view:Bool}"
    return {r["name"] for r in store.query(sql, {"is_view": engine == "View"})}


def test_a_new_store_gets_every_table_view_kpi_and_detector(bare_store: Store, catalogue: Catalogue) -> None:
    """The first start and the hundredth are the same call; the state is owed until it is folded by what is in force."""
    assert len(migrate.pending(bare_store)) == len(definitions.migrations())
    assert migrate.migrate(bare_store, catalogue)
    assert migrate.pending(bare_store) == []
    assert names(bare_store, "View") == set(definitions.views())
    assert migrate.migrate(bare_store, catalogue)
    state.rebuild(bare_store)
    assert not migrate.migrate(bare_store, catalogue)


def test_a_new_store_whose_migration_died_on_the_way_is_made_whole_by_the_next_start(
    bare_store: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was applied and not noted is applied again: a first start that was cut off must not be the last one."""
    with monkeypatch.context() as until:
        until.setattr(migrate, "_note", dies)
        with pytest.raises(Died):
            migrate.migrate(bare_store, catalogue)
    made = names(bare_store, "Table")
    assert len(migrate.pending(bare_store)) == len(definitions.migrations())
    assert migrate.migrate(bare_store, catalogue)
    assert migrate.pending(bare_store) == []
    assert names(bare_store, "Table") == made | {"object_waits_mv"}


@pytest.mark.parametrize(
    ("sql", "is_folded_anew", "are_waits_made_anew"),
    [
        ("CREATE OR REPLACE FUNCTION milepost_x AS x -> x -- of events", False, False),
        ("ALTER TABLE object_waits MODIFY COMMENT 'of events'", False, True),
        ("ALTER TABLE events MODIFY COMMENT 'x'", True, False),
        ("-- Merged later.\nALTER TABLE events MODIFY SETTING merge_with_ttl_timeout = 90000", False, False),
        ("ALTER TABLE object_waits MODIFY SETTING merge_with_ttl_timeout = 90000", False, False),
    ],
)
def test_a_migration_makes_anew_what_is_kept_of_the_tables_that_it_names(
    store: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, sql: str, is_folded_anew: bool, are_waits_made_anew: bool
) -> None:
    """A store of millions of events is minutes in a fold: a view's function must not cost them."""
    state.rebuild(store)
    refilled: list[Store] = []
    monkeypatch.setattr(waits, "refill", refilled.append)
    released = definitions.migrations()
    monkeypatch.setattr(definitions, "migrations", lambda: [*released, ("9999_new.sql", sql)])
    assert migrate.migrate(store, catalogue) == is_folded_anew
    assert bool(refilled) == are_waits_made_anew
    assert "9999_new.sql" not in migrate.pending(store)


class Died(Exception):
    """What stands for the end of the process."""


def dies(*_: object) -> None:
    raise Died


def test_a_released_migration_that_was_edited_is_refused(store: Store, catalogue: Catalogue) -> None:
    """Two stores of the same version must have the same tables."""
    name = definitions.migrations()[0][0]
    store.command(
        "INSERT INTO schema_ledger SELECT kind, name, 'another', applied_at + 1 FROM schema_ledger WHERE name = {name:String}",
        {"name": name},
    )
    with pytest.raises(BadDefinition, match=f"{name} was edited after it was applied"):
        migrate.migrate(store, catalogue)
    store.command("DELETE FROM schema_ledger WHERE digest = 'another'")


def test_a_view_that_no_file_defines_any_more_is_dropped(store: Store, catalogue: Catalogue) -> None:
    """A KPI that was removed must not go on answering."""
    store.command("CREATE VIEW kpi_gone AS SELECT 1 AS one")
    store.command("INSERT INTO schema_ledger VALUES ('view', 'kpi_gone', 'x', now64(3))")
    migrate.migrate(store, catalogue)
    assert "kpi_gone" not in names(store, "View")


def test_on_a_replicated_database_the_engine_is_prefixed() -> None:
    """The files are plain single-node SQL; replication is the database's."""
    assert "ENGINE = ReplicatedMergeTree\n" in migrate._engine("ENGINE = MergeTree\nORDER BY x", True)
    assert "ENGINE = ReplicatedReplacingMergeTree(ver)" in migrate._engine("ENGINE = ReplacingMergeTree(ver)", True)
    assert migrate._engine("ENGINE = Memory", True) == "ENGINE = ReplicatedMergeTree ORDER BY tuple()"
    assert migrate._engine("ENGINE = Null", True) == "ENGINE = Null"


@pytest.mark.parametrize("name", [name for name, _ in definitions.migrations()])
def test_a_migration_says_who_writes_it_and_is_one_statement(name: str) -> None:
    """`a; b` runs both embedded and neither on a server; a table without a comment has no owner."""
    sql = dict(definitions.migrations())[name]
    assert sql.lstrip().startswith("--")
    assert definitions.one_statement(name, sql) == sql


def test_a_second_statement_is_refused() -> None:
    """A semicolon inside text or a comment is none."""
    assert definitions.one_statement("x.sql", "SELECT ';' -- a; b\n;") == "SELECT ';' -- a; b"
    with pytest.raises(BadDefinition, match=r"x\.sql: one statement a file"):
        definitions.one_statement("x.sql", "SELECT 1; SELECT 2")
