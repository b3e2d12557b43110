"""The store on both engines: what is acknowledged, folded, refused, and what the caller is told when it is away."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from schema.errors import BadConfig, StoreUnavailable
from schema.store import READER_LIMITS, READERS_NICE, WORKERS_NICE, Store, connect, quote
from tests.conftest import Engine
from tests.parts.clickhouse_server import ClickHouseServer

AT = datetime(2026, 11, 23, 8, 15, 0, 250_000, UTC)
COLUMNS = ("id", "at", "amount")
ROWS = [("S1", AT, 1.5), ("S2", AT, 2.5)]
PASSWORD = "s3cret-p4ss"


@pytest.fixture
def table(bare_store: Store) -> Store:
    bare_store.command(
        "CREATE TABLE t (id String, at DateTime64(3, 'UTC'), amount Float64) ENGINE = MergeTree ORDER BY id "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    return bare_store


# --- reading -----------------------------------------------------------------------------------------------------------
def test_rows_come_back_whole_and_their_times_are_aware_utc(table: Store) -> None:
    """A naive time would be read as local time by the first caller who formats it."""
    table.insert("t", COLUMNS, ROWS)
    expected = [{"id": "S1", "at": AT, "amount": 1.5}, {"id": "S2", "at": AT, "amount": 2.5}]
    actual = table.query("SELECT id, at, amount FROM t ORDER BY id")
    assert expected == actual
    assert actual[0]["at"].utcoffset() is not None


def test_values_are_bound_and_never_read_as_sql(table: Store) -> None:
    """A customer's name with a quote in it is data."""
    hostile = "S'); DROP TABLE t; --"
    table.insert("t", COLUMNS, [(hostile, AT, 1.0)])
    assert [{"id": hostile}] == table.query("SELECT id FROM t WHERE id = {id:String}", {"id": hostile})


def test_a_time_is_bound_with_its_milliseconds(table: Store) -> None:
    """Windows are half-open: a bound cut to seconds would lose or double what happened within the second."""
    table.insert("t", COLUMNS, ROWS)
    assert table.value("SELECT count() FROM t WHERE at >= {from:DateTime64(3, 'UTC')}", {"from": AT}) == 2
    assert table.value("SELECT count() FROM t WHERE at < {to:DateTime64(3, 'UTC')}", {"to": AT}) == 0


def test_arrow_gives_pages_times_and_text(table: Store) -> None:
    """Pages get columns; a time that arrives as a number would be shown as one."""
    table.insert("t", COLUMNS, ROWS)
    got = table.arrow("SELECT id, at, amount FROM t ORDER BY id")
    assert [pa.string(), pa.timestamp("ms", "UTC"), pa.float64()] == got.schema.types
    assert got.to_pylist() == [{"id": "S1", "at": AT, "amount": 1.5}, {"id": "S2", "at": AT, "amount": 2.5}]


def test_a_value_without_a_row_is_none(table: Store) -> None:
    """No data is no data, never a zero."""
    assert table.value("SELECT amount FROM t") is None


def test_a_reader_cannot_write(table: Store) -> None:
    """Pages and reports read through these handles: nothing that reaches them may change a row."""
    for statement in ("INSERT INTO t VALUES ('S9', now64(3), 1)", "DROP TABLE t", "CREATE TABLE u (x Int8) ENGINE = Memory"):
        with pytest.raises((DatabaseError, StoreUnavailable), match=r"(?i)readonly"):
            table.query(statement)
    assert table.value("SELECT count() FROM t") == 0


@pytest.mark.parametrize("limit", READER_LIMITS)
def test_a_reader_has_its_limits(bare_store: Store, limit: str) -> None:
    """One bad filter on a page must not take the memory of the whole store."""
    got = bare_store.value("SELECT value FROM system.settings WHERE name = {name:String}", {"name": limit})
    assert str(READER_LIMITS[limit]) == got


# --- writing -----------------------------------------------------------------------------------------------------------
def test_the_same_token_again_is_folded_into_the_first(table: Store) -> None:
    """A retry after a lost answer adds nothing, so that acknowledged means stored once."""
    for _ in range(3):
        table.insert("t", COLUMNS, ROWS, token="batch-1")
    assert table.value("SELECT count() FROM t") == 2
    table.insert("t", COLUMNS, [("S3", AT, 1.0)], token="batch-2")
    assert table.value("SELECT count() FROM t") == 3


def test_the_token_decides_and_not_the_rows(table: Store) -> None:
    """Two batches with equal rows are two batches: only the sender's retry is a retry."""
    table.insert("t", COLUMNS, ROWS, token="batch-1")
    table.insert("t", COLUMNS, ROWS, token="batch-2")
    assert table.value("SELECT count() FROM t") == 4


def test_a_body_is_decoded_by_the_engine_and_folded_by_its_token(table: Store) -> None:
    """OTLP goes this way: bytes in, and the same promise about retries."""
    body = b'{"id": "S1", "at": "2026-11-23 08:15:00.250", "amount": 1.5}\n'
    for _ in range(2):
        table.insert_body("t", body, "JSONEachRow", token="body-1")
    assert table.query("SELECT id, at, amount FROM t") == [{"id": "S1", "at": AT, "amount": 1.5}]


def test_no_rows_are_no_insert(bare_store: Store) -> None:
    """An empty batch is no error, even before its table exists."""
    bare_store.insert("missing", COLUMNS, [])
    assert bare_store.query("SELECT name FROM system.tables WHERE database = currentDatabase()") == []


def test_threads_write_and_read_at_once(table: Store) -> None:
    """Receivers, jobs and pages share one store: a handle must not serve two at a time."""

    def write(part: int) -> None:
        for i in range(10):
            table.insert("t", COLUMNS, [(f"S{part}-{i}", AT, 1.0)], token=f"{part}-{i}")
            table.query("SELECT count() FROM t")

    threads = [threading.Thread(target=write, args=(part,)) for part in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert table.value("SELECT uniqExact(id) FROM t") == 60


# --- errors ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "sql", ["SELEC 1", "SELECT x FROM nowhere", "SELECT toUInt8('x')", "SELECT {missing:String}"], ids=lambda sql: sql[:24]
)
def test_wrong_sql_is_a_bug_and_not_an_absent_store(bare_store: Store, sql: str) -> None:
    """Told "away", a sender would retry a statement that can never pass."""
    with pytest.raises(DatabaseError):
        bare_store.query(sql)
    assert bare_store.ping()


def test_rows_that_do_not_fit_are_a_bug_and_not_an_absent_store(table: Store) -> None:
    """A retry cannot make a wrong column right."""
    with pytest.raises(DatabaseError):
        table.insert("t", ("id", "nope"), [("S1", 1)])
    assert table.value("SELECT count() FROM t") == 0


def test_a_closed_store_refuses_late_work_politely(engine: Engine, bare_store: Store) -> None:
    """Page scripts outlive the shutdown by a moment; they get a sentence, not a crash."""
    closed = connect(engine.dsn(bare_store.database))
    closed.close()
    with pytest.raises(StoreUnavailable, match="shutting down"):
        closed.query("SELECT 1")
    assert not closed.ping()
    assert bare_store.ping()


@pytest.mark.usefixtures("clickhouse")
def test_a_killed_server_is_an_absent_store(tmp_path: Path) -> None:
    """The sender must get its 503 and keep the data. The rows acknowledged before are there when the server is back."""
    with ClickHouseServer(tmp_path / "killed") as server:
        store = connect(server.dsn("ops"))
        store.command("CREATE TABLE t (id String) ENGINE = MergeTree ORDER BY id")
        store.insert("t", ("id",), [("S1",)])
        server.kill()
        with pytest.raises(StoreUnavailable, match="is away"):
            store.insert("t", ("id",), [("S2",)])
        with pytest.raises(StoreUnavailable, match=r"does not answer|is away"):
            store.query("SELECT id FROM t")
        assert not store.ping()
        with server:
            assert store.query("SELECT id FROM t") == [{"id": "S1"}]
        store.close()


def test_a_second_process_on_the_folder_gets_one_sentence(tmp_path: Path) -> None:
    """One process holds an embedded folder. Whoever comes second learns who has it and what to do, without a traceback."""
    holder, second = _embedded(tmp_path, "input()"), _embedded(tmp_path, "")
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdin
        assert first.stdout
        assert first.stdout.readline() == "open\n"
        refused = subprocess.run(second, capture_output=True, text=True, check=False)
        first.stdin.write("\n")
        first.stdin.flush()
        first.wait()
    assert f"the embedded store {tmp_path} is held by another process (PID {first.pid})" in refused.stdout
    assert refused.stdout.count("\n") == 1
    again = subprocess.run(second, capture_output=True, text=True, check=False)
    assert again.stdout == "open\n"


def _embedded(folder: Path, then: str) -> list[str]:
    code = f"""
from schema.errors import StoreUnavailable
from schema.store import connect
try:
    connect("chdb://{folder}")
    print("open", flush=True)
    {then}
except StoreUnavailable as err:
    print(err)
"""
    return [sys.executable, "-c", code]


def test_the_engine_is_opened_once(tmp_path: Path) -> None:
    """It closes with its last handle, and to open it again reads every part of the store once more: half of a start."""
    code = f"""
import clickhouse_connect
opened, left = [], []
plain = clickhouse_connect.get_client
def counted(**how):
    client = plain(**how)
    opened.append(client)
    close = client.close
    client.close = lambda: (opened.remove(client), left.append(len(opened)), close())
    return client
clickhouse_connect.get_client = counted
from schema.store import connect
connect("chdb://{tmp_path}")
print(min(left))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "1", done.stderr


@pytest.mark.usefixtures("embedded_engine")
def test_two_folders_in_one_process_get_one_sentence(tmp_path: Path) -> None:
    """The engine takes one folder a process; its own words for that say nothing to an operator."""
    with pytest.raises(StoreUnavailable, match="already holds another embedded store"):
        connect(f"chdb://{tmp_path}/other")


def test_an_acknowledgement_does_not_wait_for_jobs(table: Store) -> None:
    """Detectors and snapshots work for seconds, many at a time; a sender's rows must not wait for one of them to end."""
    jobs = [threading.Thread(target=table.for_jobs().command, args=("SELECT sleep(3) FORMAT Null",)) for _ in range(4)]
    for job in jobs:
        job.start()
    table.insert("t", COLUMNS, ROWS)
    assert all(job.is_alive() for job in jobs)
    for job in jobs:
        job.join()


def test_what_a_job_reads_has_no_reader_s_limits(table: Store) -> None:
    """A check of every row of twenty million events takes longer than a page may, and neither waits for the other's handles."""
    asked = "SELECT toUInt64(getSetting('max_execution_time')) AS s, toUInt64(getSetting('readonly')) AS is_bound"
    assert (table.query(asked), table.for_jobs().query(asked)) == ([{"s": 30, "is_bound": 2}], [{"s": 0, "is_bound": 0}])
    assert table.for_jobs().value("SELECT toUInt64(getSetting('max_execution_time'))") == 0
    assert table.for_jobs().arrow("SELECT toUInt64(getSetting('max_execution_time')) AS s").to_pylist() == [{"s": 0}]


def test_jobs_leave_cores_to_others_in_this_process(table: Store) -> None:
    """Embedded, the engine would take every core for a detector; a server's cores are its own business."""
    asked = "SELECT getSetting('max_threads'), getSetting('os_threads_nice_value_query')"
    cores, nice = table.for_jobs()._pools["work"].take().query(asked).result_rows[0]
    assert (cores, nice) == (max(1, (os.cpu_count() or 2) // 2), WORKERS_NICE) or not table.is_embedded


def test_senders_go_before_pages_and_pages_before_jobs(table: Store) -> None:
    """On few cores a sender would wait for the statements of ten open pages, which nobody waits for: an older answer is drawn."""
    asked = "SELECT toInt32(getSetting('os_threads_nice_value_query'))"
    nice = [table._pools[use].take().query(asked).result_rows[0][0] for use in ("write", "read", "work")]
    assert nice == ([0, READERS_NICE, WORKERS_NICE] if table.is_embedded else [0, 0, 0])
    merges = "SELECT toInt32(value) FROM system.server_settings WHERE name = 'os_threads_nice_value_merge_mutate'"
    assert table.value(merges) == (WORKERS_NICE if table.is_embedded else 0)


def test_a_page_does_not_wait_for_the_engine_s_compiler(table: Store) -> None:
    """Who asks a thing for the third time would wait four times as long for it; what jobs ask runs long enough to be compiled."""
    asked = "SELECT sum(getSetting('compile_expressions') + getSetting('compile_aggregate_expressions'))"
    compiled = [table._pools[use].take().query(asked).result_rows[0][0] for use in ("read", "work")]
    assert compiled == [0, 2]


# --- DSN ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "dsn",
    ["", "nonsense", "postgres://h/d", "clickhouse:///ops", "chdb://relative/../path", "chdb://"],
)
def test_a_dsn_that_is_none_is_a_configuration_error(dsn: str) -> None:
    """A person must edit the configuration, so the sentence lists what is allowed."""
    with pytest.raises(BadConfig, match=r"chdb:///PATH"):
        connect(dsn)


@pytest.mark.parametrize("dsn", ["ftp://ops:{password}@h/d", "clickhouse://ops:{password}@127.0.0.1:1/ops"])
def test_the_password_is_in_no_error(dsn: str) -> None:
    """Errors are logged, shown and sent to people who may not know it."""
    with pytest.raises((BadConfig, StoreUnavailable)) as caught:
        connect(dsn.format(password=PASSWORD))
    assert PASSWORD not in str(caught.value)


def test_a_wrong_password_is_not_repeated(server_dsn: str) -> None:
    """The server's own refusal is passed on without what was tried."""
    with pytest.raises(StoreUnavailable) as caught:
        connect(server_dsn.replace("default@", f"default:{PASSWORD}@"))
    assert PASSWORD not in str(caught.value)


def test_the_label_shows_where_and_not_who(server_dsn: str) -> None:
    """The label stands on pages and in logs."""
    store = connect(server_dsn)
    assert server_dsn.replace("default@", "") == store.label
    store.close()


@pytest.mark.parametrize("name", ["", "a b", "a`; DROP TABLE t", "größe", "a.b", "a-b"])
def test_a_name_that_is_no_word_is_refused(name: str) -> None:
    """Identifiers cannot be bound, so the only safe ones are words."""
    with pytest.raises(BadConfig, match="letters, digits"):
        quote(name)
