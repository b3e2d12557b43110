"""
The technical half, kept whole: `interface_calls` and `otel_traces_trace_id_ts` are what they say of `otel_traces`, or healed.

Why healing at all: an INSERT is not one transaction with the views that it feeds, so a crash between the two leaves spans
without their calls. The sink repeats its own INSERTs (collectors/journal.py); a Collector that writes here may not. Why the
SELECT is taken from the store and not written here again: the view and its repair must say the same, and the view is where
it stands. Why hour by hour, newest first: what a page shows is whole soon, and one look costs no more than it is given.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from schema.errors import BadDefinition
from schema.store import Store

VIEW = "interface_calls_mv"
DEFINITION = "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = {view:String}"
COLUMNS = (
    "SELECT arrayStringConcat(groupArray(name), ', ') FROM "
    "(SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'interface_calls' ORDER BY position)"
)
# Filtered by the table's own column, for by `at`, which is computed, the engine would read every day.
WINDOW = """(
    SELECT * FROM otel_traces WHERE Timestamp >= {since:DateTime64(3, 'UTC')} AND Timestamp < {until:DateTime64(3, 'UTC')}
) AS otel_traces"""
MISSING = """
FROM (%s) AS derived
WHERE (trace_id, span_id) NOT IN (
    SELECT trace_id, span_id
    FROM interface_calls
    WHERE at >= {since:DateTime64(3, 'UTC')} AND at < {until:DateTime64(3, 'UTC')}
)
"""


SLICE = timedelta(hours=1)
# A row too many does no harm here: the table keeps the earliest start and the latest end of a trace.
LOOKUP = """
INSERT INTO otel_traces_trace_id_ts (TraceId, Start, End)
SELECT t.TraceId, t.began_at, t.ended_at
FROM
(
    SELECT TraceId, toDateTime(min(Timestamp), 'UTC') AS began_at, toDateTime(max(Timestamp), 'UTC') AS ended_at
    FROM otel_traces
    WHERE Timestamp >= {since:DateTime64(3, 'UTC')} AND Timestamp < {until:DateTime64(3, 'UTC')} AND TraceId != ''
    GROUP BY TraceId
) AS t
LEFT JOIN
(
    SELECT TraceId, min(Start) AS known_from, max(End) AS known_to
    FROM otel_traces_trace_id_ts
    WHERE Start < {until:DateTime64(3, 'UTC')} AND End >= {since:DateTime64(3, 'UTC')} - 1
    GROUP BY TraceId
) AS k ON k.TraceId = t.TraceId
WHERE k.TraceId = '' OR t.began_at < k.known_from OR t.ended_at > k.known_to
"""


def heal_lately(store: Store, until: datetime, back: timedelta, budget_s: float) -> tuple[int, datetime]:
    """
    Heal the time before `until`, the last hour first, as far back as `back` or until the budget is spent: how many calls were
    missing, and since when all is whole now.
    """
    end, n, healed_since = time.monotonic() + budget_s, 0, until
    while healed_since > until - back and (healed_since == until or time.monotonic() < end):
        since = max(until - back, healed_since - SLICE)
        n += heal(store, since, healed_since)
        store.command(LOOKUP, {"since": since, "until": healed_since})
        healed_since = since
    return n, healed_since


def heal(store: Store, since: datetime, until: datetime) -> int:
    """
    Derive the calls of a window whose spans are in `otel_traces` and which are not in `interface_calls`; how many there were.

    Two healings at once, or one beside an insert, may write a row twice: readers fold by (trace_id, span_id).
    Raises: BadDefinition, if the view is missing; StoreUnavailable.
    """
    window = {"since": since, "until": until}
    missing = MISSING % derived(store)
    n = int(store.value(f"SELECT count() {missing}", window))
    if n:
        columns = store.value(COLUMNS)
        store.command(f"INSERT INTO interface_calls ({columns}) SELECT {columns} {missing}", window)
    return n


def derived(store: Store) -> str:
    """The SELECT of the view, over the spans of a window only."""
    sql = str(store.value(DEFINITION, {"view": VIEW}) or "")
    before, source, after = sql.partition(f"FROM {store.database}.otel_traces")
    if not source:
        raise BadDefinition(f"the store {store.label} has no view {VIEW} over otel_traces: run `milepost migrate`")
    return f"{before}FROM {WINDOW}{after}"
