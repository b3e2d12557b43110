"""The parts that other tests stand on: were one of them not what it says, those tests would prove nothing."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser

from schema.events import COLUMNS, Event
from schema.governance import Catalogue
from schema.store import Store, connect
from tests.conftest import Engine
from tests.parts.node import Node
from tests.parts.rows import event_rows
from tests.parts.stock import Stock, drop

AT = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)


def test_an_engine_is_the_one_that_the_test_names(engine: Engine, bare_store: Store) -> None:
    """A suite that ran twice on the same engine would look the same."""
    assert (engine.name == "embedded") == bare_store.is_embedded
    assert bare_store.value("SELECT timezone()") in ("UTC", "Etc/UTC")


def test_a_test_has_a_database_of_its_own(engine: Engine, bare_store: Store) -> None:
    """Rows of one test must not be another's."""
    bare_store.command("CREATE TABLE mine (x UInt8) ENGINE = MergeTree ORDER BY x")
    other = connect(engine.dsn(f"{bare_store.database}_other"))
    assert other.query("SELECT name FROM system.tables WHERE database = currentDatabase()") == []
    other.command(f"DROP DATABASE {other.database}")
    other.close()


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_used_database_is_like_a_new_one(store: Store, catalogue: Catalogue, turn: int) -> None:
    """Databases are emptied and used again: neither rows, nor tokens, nor a changed policy may outlive their test."""
    assert store.value("SELECT count() FROM events") == 0
    assert store.value("SELECT count() FROM gov_stages") == len(catalogue.stages)
    event = Event(event_id="1", event_type="t", occurred_at=AT, object_type="order", object_id="O1")
    store.insert("events", COLUMNS, event_rows([event], source="s", message="m", received_at=AT), token="same in every turn")
    assert store.value("SELECT count() FROM events") == 1
    if turn == 2:
        store.command("TRUNCATE TABLE gov_stages")


SMALL = (
    "CREATE TABLE t (x UInt8) ENGINE = MergeTree ORDER BY x",
    "CREATE TABLE policy (x UInt8, y UInt8) ENGINE = MergeTree ORDER BY x",
    "INSERT INTO policy VALUES (1, 1)",
    "CREATE VIEW v AS SELECT x FROM t",
)


@pytest.mark.parametrize(
    ("change", "is_kept"),
    [
        ("INSERT INTO t VALUES (1)", True),
        ("OPTIMIZE TABLE policy FINAL", True),
        ("INSERT INTO policy VALUES (2, 2)", False),
        ("ALTER TABLE policy UPDATE y = 2 WHERE 1 SETTINGS mutations_sync = 1", False),
        ("ALTER TABLE t ADD COLUMN y UInt8", False),
        ("CREATE OR REPLACE VIEW v AS SELECT x + 1 AS x FROM t", False),
    ],
)
def test_a_database_is_used_again_only_if_it_is_as_it_was(
    engine: Engine, bare_store: Store, change: str, is_kept: bool
) -> None:
    """What one test did to a table, a view or the policy must not be what the next one stands on."""
    name = f"{bare_store.database}_small"
    small = Stock(engine.dsn, lambda: name, lambda store: [store.command(sql) for sql in SMALL])
    taken = small.take()
    taken.command(change)
    small.give(taken)
    assert bare_store.value("SELECT count() FROM system.databases WHERE name = {name:String}", {"name": name}) == int(is_kept)
    if is_kept:
        again = small.take()
        assert again.query("SELECT x FROM v UNION ALL SELECT x + 10 FROM policy") == [{"x": 11}]
        drop(again)
        again.close()


def test_policy_that_a_test_added_to_is_loaded_again_for_the_next(stock: Stock) -> None:
    """A case with a rule of its own would cost a migration, or its rule would count in the next one."""
    taken = stock.take()
    before = taken.query("SELECT * FROM gov_feeds ORDER BY ALL")
    taken.command("INSERT INTO gov_feeds SELECT * REPLACE ('of this test' AS source) FROM gov_feeds LIMIT 1")
    stock.give(taken)
    again = stock.take()
    assert again.database == taken.database
    assert again.query("SELECT * FROM gov_feeds ORDER BY ALL") == before
    stock.give(again)


def test_the_server_batches_small_inserts_as_real_ones_do(server_dsn: str) -> None:
    """Servers have async_insert on by default; what we acknowledge must be stored all the same."""
    store = connect(server_dsn)
    store.command("CREATE TABLE t (x UInt8) ENGINE = MergeTree ORDER BY x")
    store.insert("t", ("x",), [(1,)])
    assert store.value("SELECT count() FROM t") == 1
    assert store.value("SELECT value FROM system.settings WHERE name = 'async_insert'") == "1"
    store.close()


def test_the_browser_runs_a_page(browser: Browser) -> None:
    """Page tests need scripts that run, not only a program that starts."""
    page = browser.new_page()
    page.set_content("<p id=p></p><script>document.getElementById('p').textContent = 6 * 7</script>")
    assert page.inner_text("#p") == "42"
    page.close()


def test_node_speaks_otlp(node: Node) -> None:
    """The exporter of the SDK, not our idea of it, is what receivers must understand."""
    script = """
        const { OTLPTraceExporter: Proto } = require("@opentelemetry/exporter-trace-otlp-proto");
        const { OTLPTraceExporter: Json } = require("@opentelemetry/exporter-trace-otlp-http");
        const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");
        const { resourceFromAttributes } = require("@opentelemetry/resources");
        const provider = new NodeTracerProvider({ resource: resourceFromAttributes({ "service.name": "erp" }) });
        const span = provider.getTracer("t").startSpan("post invoice");
        span.end();
        console.log(JSON.stringify([span.resource.attributes["service.name"], span.name, typeof Proto, typeof Json]));
    """
    done = subprocess.run([node.path, "-e", script], env=node.env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["erp", "post invoice", "function", "function"]
