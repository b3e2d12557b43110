"""
Two real servers as two shards: the same text gives the same numbers there, and a shard that is away is named, never hidden.

Why chosen tests are imported and not the whole suite run a third time: what can be wrong on a cluster is where rows lie and
how a statement is split, and one rich case of each KPI and detector asks for that. `--engine cluster` runs any test there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.jobs.refresh import Refresh
from collectors.sink import Sink
from schema import cluster as clusters
from schema import definitions, state
from schema.errors import BadConfig, StoreUnavailable
from schema.events import Event, Related
from schema.governance import Catalogue
from schema.store import StatementError, Store, connect, first_line
from tests.collectors.conftest import cloud_event, message, sink, source, tables  # noqa: F401 (fixtures)
from tests.collectors.test_sink import (  # noqa: F401 (run here as well)
    Make,
    test_an_answer_that_got_lost_stores_the_group_once,
    test_the_same_wrong_bytes_sent_three_times_are_one_reject,
    test_what_is_acknowledged_is_in_the_store,
)
from tests.dashboard.conftest import Open, pages, words  # noqa: F401 (fixtures)
from tests.parts.clickhouse_server import ClickHouseCluster
from tests.parts.stock import Stock
from tests.schema import cases, test_state
from tests.schema.cases import Case
from tests.schema.folded import Folded
from tests.schema.folded import folded as folded_of
from tests.schema.test_exceptions import (  # noqa: F401 (run here as well)
    test_an_incident_names_the_interface_whose_failed_spans_carry_its_objects,
)
from tests.schema.test_state import (  # noqa: F401 (run here as well)
    at,
    shipment,
    some_event,
    store_events,
    test_drift_names_the_object_whose_row_is_wrong,
)
from tests.schema.test_telemetry import (  # noqa: F401 (run here as well)
    calls,
    insert,
    span,
    test_spans_that_a_crash_left_without_calls_are_healed,
)

RUNS_ON = ["cluster"]
N = 40


def richest(kind: str) -> list[Any]:
    """Of each KPI or detector the case with the most rows."""
    found: dict[str, Any] = {}
    for parameter in cases.find(kind):
        case = parameter.values[0]
        rows = sum(map(len, case.given.values()))
        if not any(t.startswith("gov_") for t in case.given) and rows >= found.get(case.name, (0, None))[0]:
            found[case.name] = rows, parameter
    return [parameter for _, parameter in found.values()]


CHOSEN = {kind: richest(kind) for kind in ("kpi", "detector")}


@pytest.fixture(scope="module")
def folded(stock: Stock, catalogue: Catalogue) -> Iterator[Folded]:
    """The state of all cases here, from one round."""
    yield from folded_of(stock, catalogue, [p.values[0] for found in CHOSEN.values() for p in found])


@pytest.mark.parametrize("case", CHOSEN["kpi"])
def test_a_kpi_answers_on_two_shards_as_on_one(store: Store, catalogue: Catalogue, folded: Folded, case: Case) -> None:
    """One definition for every size of house: nobody will write the number a second time for the cluster."""
    cases.check(store, catalogue, case, folded, kind="kpi")


@pytest.mark.parametrize("case", CHOSEN["detector"])
def test_a_detector_finds_on_two_shards_what_it_finds_on_one(
    store: Store, catalogue: Catalogue, folded: Folded, case: Case
) -> None:
    """An exception that is missed because its neighbour lies on another machine is the worst kind: nobody will look."""
    cases.check(store, catalogue, case, folded, kind="detector")


@settings(max_examples=2, suppress_health_check=list(HealthCheck))
@given(found=st.lists(some_event(), min_size=20, max_size=40), order=st.randoms(use_true_random=False))
def test_order_copies_and_rounds_cannot_change_a_row_on_two_shards(store: Store, found: list[Event], order: Any) -> None:
    """The heart of the product, where an object's neighbours lie on another machine."""
    test_state.test_order_copies_and_rounds_cannot_change_a_row.hypothesis.inner_test(store, found, order, 3)  # type: ignore[attr-defined]


# --- what a statement becomes --------------------------------------------------------------------------------------------
ENGINES = {"t": "Distributed('two', 'db', 't_local', cityHash64(a, b))"}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", []),
        ("-- why\nINSERT INTO events SELECT * FROM events", []),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", ["CREATE OR REPLACE VIEW v AS SELECT 1"]),
        ("CREATE OR REPLACE FUNCTION f AS x -> x", ["CREATE OR REPLACE FUNCTION f AS x -> x"]),
        ("DROP DATABASE IF EXISTS `db`", ["DROP DATABASE IF EXISTS `db`"]),
        (
            "-- why\nCREATE TABLE t (a Int8, PROJECTION p (SELECT a ORDER BY a))\nENGINE = MergeTree\nORDER BY (a, `b`, c)",
            [
                "-- why\nCREATE TABLE IF NOT EXISTS t_local (a Int8, PROJECTION p (SELECT a ORDER BY a))\nENGINE = MergeTree\n"
                "ORDER BY (a, `b`, c)",
                "-- why\nCREATE TABLE IF NOT EXISTS t AS t_local "
                "ENGINE = Distributed('two', currentDatabase(), 't_local', cityHash64(a, b))",
            ],
        ),
        (
            "CREATE TABLE m (a Int8) ENGINE = ReplicatedMergeTree ORDER BY tuple()",
            [
                "CREATE TABLE IF NOT EXISTS m_local (a Int8) ENGINE = ReplicatedMergeTree ORDER BY tuple()",
                "CREATE TABLE IF NOT EXISTS m AS m_local ENGINE = Distributed('two', currentDatabase(), 'm_local', rand())",
            ],
        ),
        (
            "CREATE TABLE u AS t ENGINE = Memory",
            [
                "CREATE TABLE IF NOT EXISTS u_local AS t_local ENGINE = Memory",
                "CREATE TABLE IF NOT EXISTS u AS u_local ENGINE = Distributed('two', 'db', 'u_local', cityHash64(a, b))",
            ],
        ),
        (
            "CREATE TABLE gov_x (a Int8) ENGINE = MergeTree ORDER BY a",
            ["CREATE TABLE IF NOT EXISTS gov_x (a Int8) ENGINE = MergeTree ORDER BY a"],
        ),
        (
            "CREATE MATERIALIZED VIEW x_mv TO t AS SELECT a FROM otlp_x_in",
            ["CREATE MATERIALIZED VIEW IF NOT EXISTS x_mv TO t AS SELECT a FROM otlp_x_in"],
        ),
        (
            "CREATE MATERIALIZED VIEW IF NOT EXISTS x_mv TO u AS SELECT a FROM t WHERE a IN (SELECT a FROM gov_t)",
            ["CREATE MATERIALIZED VIEW IF NOT EXISTS x_mv TO u_local AS SELECT a FROM t_local WHERE a IN (SELECT a FROM gov_t)"],
        ),
        ("TRUNCATE TABLE `t`", ["TRUNCATE TABLE t_local"]),
        ("TRUNCATE TABLE gov_x", ["TRUNCATE TABLE gov_x"]),
        ("DELETE FROM t WHERE a = 1", ["DELETE FROM t_local WHERE a = 1"]),
        ("DROP TABLE IF EXISTS t", ["DROP TABLE IF EXISTS t_local", "DROP TABLE IF EXISTS t"]),
        (
            "ALTER TABLE t ADD COLUMN z Int8",
            ["ALTER TABLE t_local ADD COLUMN z Int8", f"CREATE OR REPLACE TABLE t AS t_local ENGINE = {ENGINES['t']}"],
        ),
        ("ALTER TABLE t DROP PARTITION 202601", ["ALTER TABLE t_local DROP PARTITION 202601"]),
    ],
)
def test_a_statement_of_one_server_becomes_these_on_each_shard(sql: str, expected: list[str]) -> None:
    """Migrations are written once, for one server; what they are on a shard is decided here and nowhere else."""
    assert clusters.statements(sql, "two", ENGINES.__getitem__) == expected


# --- where rows lie ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def halves(store: Store, cluster: ClickHouseCluster) -> Iterator[list[Store]]:
    """Each shard for itself, over the database of this test."""
    found = [connect(server.dsn(store.database)) for server in cluster.shards]
    yield found
    for half in found:
        half.close()


def ids(half: Store, table: str) -> set[str]:
    return {row["object_id"] for row in half.query(f"SELECT DISTINCT object_id FROM {table}_local")}


def orders_and_shipments(n: int = N) -> list[Event]:
    orders = [
        Event(event_id=f"o{i}", event_type="order.released", occurred_at=at(0), object_type="order", object_id=f"O{i}",
              state="released", system_role="erp", region="EU", amount="10", currency="EUR")
        for i in range(n)
    ]  # fmt: skip
    return orders + [
        shipment(f"s{i}", 1, "departed", object_id=f"S{i}", related=(Related(object_type="order", object_id=f"O{i}"),))
        for i in range(n)
    ]


def test_rows_lie_on_both_shards_and_all_of_an_object_on_one(store: Store, halves: list[Store]) -> None:
    """FINAL folds only what meets on one shard: an object that is split would be counted twice, and no error would say so."""
    store_events(store, orders_and_shipments())
    state.refresh(store)
    store_events(store, [shipment(f"t{i}", 2, "delivered", object_id=f"S{i}") for i in range(N)])
    state.refresh(store)
    for half in halves:
        assert ids(half, "events") == ids(half, "object_own") == ids(half, "object_state")
    found = [ids(half, "object_state") for half in halves]
    assert all(found)
    assert not found[0] & found[1]
    assert len(found[0] | found[1]) == store.value("SELECT count() FROM object_state FINAL") == 2 * N
    assert state.drift(store) == []


def test_what_is_inherited_comes_over_from_the_other_shard(store: Store, halves: list[Store]) -> None:
    """A shipment and its order lie where their own ids say; the link between them must not care."""
    store_events(store, orders_and_shipments())
    state.refresh(store)
    places = [ids(half, "events") for half in halves]
    apart = [i for i in range(N) if any(f"S{i}" in place and f"O{i}" not in place for place in places)]
    assert apart
    rows = store.query("SELECT object_id, region, value FROM object_state FINAL WHERE object_type = 'shipment'")
    assert {row["object_id"]: (row["region"], int(row["value"])) for row in rows} == {f"S{i}": ("EU", 10) for i in range(N)}


def test_a_batch_that_is_sent_again_is_folded_on_each_shard(store: Store, halves: list[Store]) -> None:
    """The token of a batch goes with its halves: a lost answer must not double either of them."""
    for _ in range(3):
        insert(store, *[span(n) for n in range(1, N + 1)], token="batch")
    assert store.value("SELECT count() FROM otel_traces") == N
    assert len(calls(store, "span_id")) == N
    found = [half.value("SELECT count() FROM interface_calls_local") for half in halves]
    assert all(found)
    assert sum(found) == N
    assert sum(half.value("SELECT count() FROM otel_traces_trace_id_ts_local") for half in halves) == N


def test_every_shard_has_the_whole_policy(halves: list[Store], catalogue: Catalogue) -> None:
    """A view that takes spans apart asks it where the span lies, and must not wait for another machine to answer."""
    for half in halves:
        assert half.value("SELECT count() FROM gov_exceptions") == len(catalogue.exceptions)
    assert sum(half.value("SELECT count() FROM gov_catalogue_local") for half in halves) == 1


def test_a_column_that_is_added_is_there_on_both_shards(bare_store: Store) -> None:
    """The next version's migration runs on a cluster that is full."""
    bare_store.command("CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a")
    bare_store.insert("t", ("a",), [(i,) for i in range(N)])
    bare_store.command("ALTER TABLE t ADD COLUMN b UInt32 DEFAULT a + 1")
    bare_store.insert("t", ("a", "b"), [(0, 0)])
    assert bare_store.value("SELECT sum(b) FROM t") == N * (N + 1) / 2


# --- configuration ---------------------------------------------------------------------------------------------------------
def test_a_cluster_that_the_store_does_not_know_is_told_with_those_it_knows(cluster: ClickHouseCluster) -> None:
    """A wrong name must not end as one server that quietly takes everything."""
    with pytest.raises(BadConfig, match=r"no cluster 'tow'; known \(system.clusters\): .*two"):
        connect(cluster.dsn("nobody", "tow"))


def test_replicas_that_nothing_keeps_equal_are_refused(cluster: ClickHouseCluster) -> None:
    """Two replicas of an Atomic database are two stores: each read would answer from another one."""
    with pytest.raises(BadConfig, match="Replicated engine"):
        connect(cluster.dsn("nobody", "mirrored"))


# --- a shard that is away --------------------------------------------------------------------------------------------------
SECOND = r"in part away: shard 2 of 2 \(127\.0\.0\.1:\d+\) of cluster two"


@pytest.fixture
def away(store: Store, cluster: ClickHouseCluster) -> Iterator[tuple[list[str], list[str]]]:
    """The second server killed over a store with events; ids of shipments that lie on the first, and on the second."""
    store_events(store, orders_and_shipments())
    state.refresh(store)
    lies = store.query("SELECT object_id AS id, cityHash64(object_type, object_id) % 2 AS shard FROM object_state FINAL "
                       "WHERE object_type = 'shipment' ORDER BY id")  # fmt: skip
    cluster.shards[1].kill()
    yield tuple([row["id"] for row in lies if row["shard"] == n] for n in (0, 1))  # type: ignore[misc]
    if cluster.shards[1].is_down:
        cluster.shards[1].__enter__()


def test_a_shard_that_is_away_refuses_its_objects_and_takes_the_others(
    store: Store, catalogue: Catalogue, away: tuple[list[str], list[str]], source: Make, message: Make, cloud_event: Make  # noqa: F811
) -> None:
    """The sender of the one keeps its message and gets a 503; the sender of the other must not suffer for it."""
    taken = Sink(store, catalogue)
    here, there = away
    receipt = taken.deliver_now(source(), message(cloud_event(1, {"object_id": here[0]})))
    assert (receipt.n_rows, receipt.rejected) == (1, None)
    with pytest.raises(StoreUnavailable, match=SECOND):
        taken.deliver_now(source(), message(cloud_event(2, {"object_id": there[0]})))
    taken.close()


def test_a_page_says_which_part_is_missing_and_comes_back_whole(
    store: Store, cluster: ClickHouseCluster, pages: Open, away: tuple[list[str], list[str]]  # noqa: F811
) -> None:
    """Half of the orders shown as all of them would be believed; a sentence that names the machine is acted on."""
    here, _ = away
    said = re.sub("[\\\\\u2060]", "", words(pages("operations")))
    assert re.search(SECOND, said), said
    one = "SELECT count() FROM events WHERE object_type = 'shipment' AND object_id = {id:String}"
    assert store.value(one, {"id": here[0]}) == 1
    refresh = Refresh(store)
    with pytest.raises(StoreUnavailable, match="shard 2 of 2"):
        refresh()
    cluster.shards[1].__enter__()
    store_events(store, [shipment("z", 5, "delivered", object_id=id_) for id_ in here[:1]])
    refresh()
    assert store.value("SELECT count() FROM object_state FINAL") == 2 * N
    assert state.drift(store) == []
    assert "shard 2" not in words(pages("operations"))


def test_the_door_for_telemetry_sends_spans_to_their_shards(store: Store, halves: list[Store]) -> None:
    """A request arrives whole on one node and belongs in parts to all: acknowledged means that each part is stored."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    from collectors.formats import otlp

    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for n in range(1, N + 1):
        scope.spans.add(
            trace_id=n.to_bytes(16, "big"), span_id=n.to_bytes(8, "big"), name="call", kind=3,
            start_time_unix_nano=int((at(0) + timedelta(seconds=n)).timestamp()) * 10**9,
        )  # fmt: skip
    settings = otlp.settings_for("otlp_traces_in")
    for _ in range(2):
        store.insert_body("otlp_traces_in", request.SerializeToString(), "ProtobufSingle", settings, token="one")
    found = [half.value("SELECT count() FROM otel_traces_local") for half in halves]
    assert all(found)
    assert (sum(found), len(calls(store, "span_id"))) == (N, N)


PARAMETER = re.compile(r"\{(\w+):(Array\(String\)|DateTime64\(3, 'UTC'\)|\w+)\}")
VALUES = {"Array(String)": "['region=EU', 'carrier=A']", "String": "'x'", "Bool": "true"}


def test_every_view_can_be_asked_on_two_shards(store: Store) -> None:
    """The engine splits a statement by its form: one that it cannot split fails only there, on a page that nobody has tested."""
    refused = {}
    for name, sql in definitions.views().items():
        known = dict(PARAMETER.findall(sql))
        times = {p: f"toDateTime64('{'2026-11-01' if p == 'from' else '2026-11-02'} 00:00:00', 3, 'UTC')" for p in known}
        bound = ", ".join(f"`{p}` = {times[p] if 'Date' in kind else VALUES.get(kind, '3600')}" for p, kind in known.items())
        try:
            store.query(f"SELECT * FROM {name}{f'({bound})' if bound else ''} LIMIT 1")
        except StatementError as err:
            refused[name] = first_line(err)
    assert refused == {}
