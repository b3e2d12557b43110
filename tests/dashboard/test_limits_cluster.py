"""
A viewer of one region, on two shards: every read answers as on one server.

Why beside the tests that nothing leaks: there a read may show too little and pass. The same enterprise lies in a database of
the first server alone, which is asked for the same. Why one cut: what is narrowed is the same text for each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from dashboard import access, limits, session
from schema import migrate
from schema.governance import Catalogue
from schema.store import Store, connect
from tests.dashboard import enterprise
from tests.dashboard.telling import minutes
from tests.dashboard.test_limits import SEEN, asked, rounds, tell_traces, trace
from tests.dashboard.visitors import PARTS, reads
from tests.parts.clickhouse_server import ClickHouseCluster
from tests.parts.stock import drop

RUNS_ON = ["cluster"]
NOW = datetime.now(UTC).replace(microsecond=0)
SEEN_PART = PARTS["region"]
MOST = 2  # of whatever else a read is asked for
MINE = """
SELECT toString(object_type) AS object_type, max(object_id) AS id FROM object_state FINAL
WHERE region = {region:String} GROUP BY object_type ORDER BY object_type
"""


@pytest.fixture(scope="module")
def two_and_one(shared_store: Store, cluster: ClickHouseCluster, catalogue: Catalogue) -> Iterator[tuple[Store, Store]]:
    """The same enterprise on both shards, and whole on the first server alone."""
    alone = connect(cluster.shards[0].dsn(f"{shared_store.database}_alone"))
    migrate.migrate(alone, catalogue)
    for store in (shared_store, alone):
        enterprise.fill(store, NOW)
        tell_traces(store, NOW - minutes(9))
    yield shared_store, alone
    drop(alone)
    alone.close()


def given(store: Store) -> dict[str, list[Any]]:
    """What the reads are asked for: the viewer's own, and then what is somebody else's."""
    found = {name: values[:MOST] for name, values in asked(store, SEEN_PART).items()}
    mine = store.query(MINE, {"region": SEEN_PART[0].partition("=")[2]})
    ids = [row["id"] for row in mine]
    return found | {
        "as_of": [NOW], "object_type": [*(row["object_type"] for row in mine), found["object_type"][0]],
        "object_id": [*ids, found["object_id"][0]], "key": [ids[0], *found["key"]],
        "trace": [trace("region", SEEN), *found["trace"]], "trace_id": [trace("region", SEEN), *found["trace_id"]],
    }  # fmt: skip


def answers(store: Store, catalogue: Catalogue, said: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """What each read answers, past what is kept."""
    for _, read in reads():
        read.clear()
    session.open(store, catalogue)
    found: dict[str, list[Any]] = {}
    for name, read in reads():
        if not read.pages <= access.NOT_CUT:
            with limits.reading(SEEN_PART):
                found[name] = [in_any_order(read.read(*read._joined(SEEN_PART, tuple(args)))) for args in rounds(read, said)]
    session.close()
    return found


def in_any_order(answer: Any) -> Any:
    """Rows without the order of those that are equal in what they are sorted by, and sums without their last digit."""
    if isinstance(answer, pa.Table):
        return in_any_order(answer.to_pylist())
    if isinstance(answer, dict):
        return {key: in_any_order(value) for key, value in answer.items()}
    if isinstance(answer, list | tuple | set):
        return sorted((in_any_order(one) for one in answer), key=repr)
    return float(f"{answer:.9g}") if isinstance(answer, float) and math.isfinite(answer) else answer


def test_a_viewer_of_a_region_is_shown_on_two_shards_what_he_is_on_one(
    two_and_one: tuple[Store, Store], catalogue: Catalogue
) -> None:
    """His part is cut on each shard and where answers meet: forgotten there he sees too much, and lost on the way too little."""
    two, one = two_and_one
    said = given(one)
    expected, actual = answers(one, catalogue, said), answers(two, catalogue, said)
    for name, rows in expected.items():
        assert rows == actual[name], name
    assert sum(any(rows) for rows in expected.values()) > 30, "the reads found something to be equal in"
