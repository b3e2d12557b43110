"""Backup and restore, from either engine into either: what people see afterwards is what they saw before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schema import backup, exceptions, kpi, state
from schema.errors import BadConfig
from schema.governance import Catalogue
from schema.migrate import migrate
from schema.store import Store, connect
from tests.parts.stock import Stock
from tests.unbreakable.enterprise import ANCHOR, deliveries
from tests.unbreakable.test_thrice import EVERY, deliver


@pytest.fixture(scope="module")
def filled(shared_store: Store, catalogue: Catalogue) -> Store:
    """Some of the demo's enterprise with its telemetry, its inbox, snapshots, and a reject of raw bytes."""
    deliver(shared_store, catalogue, [deliveries(EVERY)])
    state.rebuild(shared_store)
    exceptions.detect(shared_store, ANCHOR)
    kpi.snapshot(shared_store, ANCHOR)
    raw = ("acme", "r1", "x12_214", ANCHOR, "no ISA", bytes(range(256)), "open", ANCHOR)
    columns = ("source", "reject_id", "format", "received_at", "reason", "body", "status", "written_at")
    shared_store.insert("rejects", columns, [raw])
    return shared_store


@pytest.fixture
def empty(stock: Stock) -> Iterator[Store]:
    """A migrated store beside the one that is backed up."""
    taken = stock.take()
    yield taken
    stock.give(taken)


def kept(store: Store) -> dict[str, Any]:
    """What lies in the tables, what derives from it, and the inbox."""
    found: dict[str, Any] = {"rejects": store.query("SELECT * EXCEPT body, hex(body) AS body FROM rejects FINAL")}
    found["state"] = store.query("SELECT * EXCEPT (ver, sign) FROM object_state FINAL ORDER BY object_type, object_id")
    found["inbox"] = exceptions.find(store, ANCHOR)
    for table in ("events", "messages", "kpi_snapshots", "otel_traces", "otel_traces_trace_id_ts", "interface_calls"):
        final = "FINAL" if table == "otel_traces_trace_id_ts" else ""
        found[table] = store.query(f"SELECT count() AS n, sum(cityHash64(*)) AS hash FROM {table} {final}")
    return found


def test_a_store_from_a_backup_answers_as_the_one_that_was_backed_up(filled: Store, empty: Store, tmp_path: Path) -> None:
    """Every event, span, state row, exception and raw byte; what is derived is made anew and comes out the same."""
    told: dict[str, int] = {}
    n = backup.backup(filled, tmp_path / "copy", told.__setitem__)
    assert told["events"] > 500
    assert backup.restore(empty, tmp_path / "copy") == n == sum(told.values())
    once, again = kept(filled), kept(empty)
    for name, found in once.items():
        assert found, name
        assert found == again[name], name
    assert state.drift(empty) == []


def test_a_backup_of_the_embedded_store_is_restored_into_a_server(
    request: pytest.FixtureRequest, filled: Store, server_dsn: str, catalogue: Catalogue, tmp_path: Path
) -> None:
    """The way from one machine to a service: the same folder, the other engine."""
    if not filled.is_embedded or request.config.getoption("--engine") != "both":
        pytest.skip("goes from the embedded engine to the server")
    backup.backup(filled, tmp_path / "copy")
    server = connect(server_dsn)
    migrate(server, catalogue)
    backup.restore(server, tmp_path / "copy")
    assert kept(filled) == kept(server)
    server.close()


def test_what_a_check_that_was_killed_has_left_is_in_no_backup(filled: Store, empty: Store, tmp_path: Path) -> None:
    """A new store has no such tables, and would refuse the whole copy for them."""
    for name, of in zip(state.CHECKED, ("object_own", "links"), strict=True):
        filled.command(f"CREATE TABLE {name} AS {of}")
        filled.command(f"INSERT INTO {name} SELECT * FROM {of}")
    backup.backup(filled, tmp_path / "copy")
    assert state.drift(filled) == []
    assert backup.restore(empty, tmp_path / "copy") > 500


def test_a_store_with_rows_is_not_restored_into(filled: Store, empty: Store, tmp_path: Path) -> None:
    """Two histories in one store could never be taken apart again."""
    backup.backup(empty, tmp_path / "copy")
    with pytest.raises(BadConfig, match=r"is not empty \(events, "):
        backup.restore(filled, tmp_path / "copy")


def test_a_backup_overwrites_nothing_and_half_a_one_is_none(empty: Store, tmp_path: Path) -> None:
    """Yesterday's copy must survive today's mistake, and a copy that was cut short must not be taken for one."""
    backup.backup(empty, tmp_path / "copy")
    with pytest.raises(BadConfig, match="is there already"):
        backup.backup(empty, tmp_path / "copy")
    (tmp_path / "half").mkdir()
    with pytest.raises(BadConfig, match="is no backup of Milepost"):
        backup.restore(empty, tmp_path / "half")


def test_a_backup_of_a_newer_milepost_is_refused_with_what_it_has_more(empty: Store, tmp_path: Path) -> None:
    """To leave out a table in silence would be a loss that nobody notices for a year."""
    backup.backup(empty, tmp_path / "copy")
    manifest = tmp_path / "copy" / backup.MANIFEST
    said = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(said | {"tables": said["tables"] | {"forecasts": 3}}))
    with pytest.raises(BadConfig, match="does not know: forecasts"):
        backup.restore(empty, tmp_path / "copy")
