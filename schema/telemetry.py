"""
The technical half in business words, kept whole: `interface_calls` is what it says of `otel_traces`, or it is healed.

Why healing at all: an INSERT is not one transaction with the views that it feeds, so a crash between the two leaves spans
without their calls. Why the SELECT is taken from the store and not written here again: the view and its repair must say the
same, and the view is where it stands.
"""

from __future__ import annotations

from datetime import datetime

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
