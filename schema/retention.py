"""
How long rows are kept: what is older than the catalogue's `retention` goes, partition by partition, and what derives from it.

Why partitions: to drop one takes milliseconds whatever it holds, to delete its rows writes the rest of the table anew. A
partition goes when its last day is past the limit, so that rows may stay up to a month longer than asked, and never shorter.
Why the state is made anew after events went: it is a function of the events in the store, and must not remember others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from schema import state
from schema.chunks import Params, chunks
from schema.governance import Catalogue
from schema.store import Store, quote

METRICS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
MONTH, WEEK, DAY = 31, 7, 1
# Tables by the name under which the catalogue keeps them, and how many days at most a partition of each holds.
PARTITIONED: Mapping[str, Mapping[str, int]] = {
    "events": {"events": MONTH},
    "messages": {"messages": MONTH},
    "findings": {"findings": MONTH},
    "rejects": {"rejects": MONTH},
    "otel_traces": {"otel_traces": DAY, "interface_calls": DAY, "otel_traces_trace_id_ts": WEEK},
    "otel_logs": {"otel_logs": DAY},
    "otel_metrics": {f"otel_metrics_{kind}": DAY for kind in METRICS},
}
# All versions of an episode go together: of one that is left, an earlier version would come back as open.
OLD_EPISODES = """
SELECT code, fingerprint, detected_at
FROM exceptions FINAL
WHERE closed_at != toDateTime64(0, 3, 'UTC') AND closed_at < {before:DateTime64(3, 'UTC')}
"""
# Objects of which something is kept and nothing was said, of one chunk of all.
ORPHAN = """
{chunk} AND (object_type, object_id) NOT IN (SELECT object_type, object_id FROM events WHERE {chunk})
"""
OWN = "SELECT object_type AS type, object_id AS id FROM object_own"
CHUNK_OBJECTS = 1_000_000
LONE_LINKS = """
DELETE FROM links
WHERE (a_type, a_id) NOT IN (SELECT object_type, object_id FROM object_own)
    AND (b_type, b_id) NOT IN (SELECT object_type, object_id FROM object_own)
"""
NOW_GONE = {"lightweight_deletes_sync": 2, "mutations_sync": 2}


@dataclass(frozen=True, slots=True)
class Gone:
    """What one run dropped: partitions by table, and whether events were among them, so that the state was made anew."""

    partitions: dict[str, int]
    has_events: bool


def retain(store: Store, catalogue: Catalogue, today: date) -> Gone:
    """Drop what is older than the catalogue keeps it. A run that a crash cut short is finished by the next."""
    gone: dict[str, int] = {}
    for name, days in catalogue.retention.items():
        before = today - timedelta(days=days)
        for table, span in PARTITIONED.get(name, {}).items():
            if old := _before(store, table, before, span):
                if table == "events":
                    state.owe(store)  # whatever becomes of this run: an object may lose a part of its events
                for id_ in old:
                    store.command(f"ALTER TABLE {quote(table)} DROP PARTITION ID '{int(id_)}'")
                gone[table] = len(old)
    _forget_rows(store, catalogue, today)
    has_events = "events" in gone or _has_orphans(store)
    if has_events:
        _forget_objects(store)
    return Gone(gone, has_events)


def _before(store: Store, table: str, before: date, span: int) -> list[str]:
    """The partitions whose last day lies before."""
    found = store.query(f"SELECT DISTINCT _partition_id AS id FROM {quote(table)}")  # noqa: S608 (a name of this module)
    return [str(row["id"]) for row in found if _last_day(str(row["id"]), span) < before]


def _last_day(partition_id: str, span: int) -> date:
    """The last day of a partition by month (202611) or by a day on which it begins (20261102)."""
    if span == MONTH:
        first = date(int(partition_id[:4]), int(partition_id[4:6]), 1)
        return (first + timedelta(days=MONTH)).replace(day=1) - timedelta(days=1)
    first = date(int(partition_id[:4]), int(partition_id[4:6]), int(partition_id[6:8]))
    return first + timedelta(days=span - 1)


def _forget_rows(store: Store, catalogue: Catalogue, today: date) -> None:
    """What lies in no partitions: little, and deleted by row."""
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    if days := catalogue.retention.get("exceptions"):
        before = {"before": midnight - timedelta(days=days)}
        if store.value(f"SELECT count() FROM ({OLD_EPISODES})", before):  # noqa: S608 (SQL of this module)
            for table in ("exception_verbs", "exceptions"):
                # From a list and not from the table itself, which changes while it is read.
                sql = f"DELETE FROM {table} WHERE (code, fingerprint, detected_at) IN ({OLD_EPISODES})"  # noqa: S608
                store.command(sql, before, NOW_GONE)
    if days := catalogue.retention.get("kpi_snapshots"):
        before = {"before": midnight - timedelta(days=days)}
        if store.value("SELECT count() FROM kpi_snapshots WHERE at < {before:DateTime64(3, 'UTC')}", before):
            store.command("DELETE FROM kpi_snapshots WHERE at < {before:DateTime64(3, 'UTC')}", before, NOW_GONE)


def _orphans(store: Store) -> list[tuple[str, Params]]:
    """The condition on rows of object_own, and its parameters, for each chunk of all objects."""
    return [(ORPHAN.format(chunk=chunk.where()), chunk.params) for chunk in chunks(store, OWN, CHUNK_OBJECTS)]


def _has_orphans(store: Store) -> bool:
    """Whether events went and their objects did not: just now, or in a run that died in between."""
    sql = "SELECT count() FROM object_own WHERE"
    return any(store.value(f"{sql} {orphan}", params) for orphan, params in _orphans(store))


def _forget_objects(store: Store) -> None:
    """Objects that nobody speaks of any more go, and all others are computed from what is left."""
    state.owe(store)
    for orphan, params in _orphans(store):
        store.command(f"DELETE FROM object_own WHERE {orphan}", params, NOW_GONE)  # noqa: S608 (SQL of this module)
    store.command(LONE_LINKS, None, NOW_GONE)
    state.rebuild(store)
