"""
What the frame itself reads: options of the filters, the pulse of the store, what a key names. Pages have `queries_*`.

Why every read is cached for all sessions and refreshed in the background: any number of viewers costs one query per ttl, and
a viewer waits only for the first one. A function takes plain arguments (`scope`, `as_of` None for now) and asks for the moment
inside, so that the arguments stay equal from one refresh to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.caching.cache_utils import CachedFunc

from dashboard import session
from schema.events import OBJECT_TYPES

P = ParamSpec("P")
R = TypeVar("R")
Rows = list[dict[str, Any]]
LIVE_S, CALM_S = 5, 60
ANY = {"types": list(OBJECT_TYPES)}


def cached(ttl_s: float, *, max_entries: int = 200) -> Callable[[Callable[P, R]], CachedFunc[P, R]]:
    """Keep a read for `ttl_s`, for all sessions; then one background thread refreshes it while all see the last answer."""
    return st.cache_data(ttl=ttl_s, max_entries=max_entries, refresh_mode="background", show_spinner=False)


def at(as_of: datetime | None) -> datetime:
    """The moment to ask for: `as_of`, or now in whole seconds."""
    return as_of or datetime.now(UTC).replace(microsecond=0)


def ask(sql: str, as_of: datetime | None, scope: tuple[str, ...] = (), **params: Any) -> Rows:
    """Rows of a statement; AS_OF in it is the moment, SCOPED the two parameters that every view of facts takes."""
    text = sql.replace("SCOPED", "as_of = AS_OF, scope = {scope:Array(String)}")
    return session.store().query(
        text.replace("AS_OF", "{as_of:DateTime64(3, 'UTC')}"), {"as_of": at(as_of), "scope": list(scope)} | params
    )


@cached(CALM_S)
def cuts(as_of: datetime | None) -> dict[str, list[str]]:
    """The values of each cut that the data holds, the most frequent two hundred, by name."""
    rows = session.store().query(
        """
        SELECT cut, arraySort(groupArray(name)) AS names FROM
        (
            SELECT item.1 AS cut, item.2 AS name, sum(sign) AS n FROM object_state
            ARRAY JOIN [('region', region), ('warehouse', warehouse), ('carrier', carrier), ('customer', customer),
                        ('order_class', order_class)] AS item
            WHERE name != '' GROUP BY cut, name HAVING n > 0 ORDER BY n DESC LIMIT 200 BY cut
        )
        GROUP BY cut
        """
    )
    return {r["cut"]: r["names"] for r in rows} | {"workflow": sorted(session.catalogue().workflows)}


@cached(LIVE_S)
def pulse() -> dict[str, Any]:
    """How fresh the store is: newest event, how far the state got, rejects of the last hour, last round of the detectors."""
    moment = at(None)
    row = session.store().query(
        """
        SELECT
            (SELECT max(ingested_at) FROM events WHERE ingested_at >= {day:DateTime64(3, 'UTC')}) AS newest_at,
            (SELECT max(mark) FROM job_runs WHERE job = 'state' AND ok) AS state_at,
            (SELECT max(started_at) FROM job_runs WHERE job = 'detect' AND ok) AS detected_at,
            (SELECT count() FROM rejects FINAL
             WHERE received_at >= {hour:DateTime64(3, 'UTC')} AND status = 'open') AS n_rejects
        """,
        {"day": moment - timedelta(days=1), "hour": moment - timedelta(hours=1)},
    )[0]
    if row["newest_at"].year <= 1970:
        row["newest_at"] = session.store().value("SELECT max(ingested_at) FROM events")
    return row


# --- search: not cached, a key is asked for once -----------------------------------------------------------------------------
def objects_by_id(key: str) -> Rows:
    """Objects of any type with this id."""
    return session.store().query(
        """
        SELECT DISTINCT object_type, object_id FROM object_state FINAL
        PREWHERE object_type IN {types:Array(String)} AND object_id = {key:String}
        ORDER BY object_type
        """,
        ANY | {"key": key},
    )


def objects_by_key(key: str) -> Rows:
    """Objects that carry this key: a tracking number, a customer's reference, a document number."""
    return session.store().query(
        """
        SELECT DISTINCT object_type, object_id FROM object_state FINAL WHERE has(keys, {key:String})
        ORDER BY object_type, object_id LIMIT 12
        """,
        {"key": key},
    )


def objects_by_prefix(key: str) -> Rows:
    """Objects whose id begins like this."""
    return session.store().query(
        """
        SELECT DISTINCT object_type, object_id FROM object_state FINAL
        PREWHERE object_type IN {types:Array(String)} AND startsWith(object_id, {key:String})
        ORDER BY object_id, object_type LIMIT 12
        """,
        ANY | {"key": key},
    )


def is_trace(trace_id: str) -> bool:
    """Whether any call or event carries this trace."""
    found = session.store().value(
        """
        SELECT (SELECT count() FROM (SELECT 1 FROM interface_calls WHERE trace_id = {id:String} LIMIT 1))
             + (SELECT count() FROM (SELECT 1 FROM otel_traces WHERE TraceId = {id:String} LIMIT 1))
             + (SELECT count() FROM (SELECT 1 FROM events WHERE trace_id = {id:String} LIMIT 1))
        """,
        {"id": trace_id},
    )
    return bool(found)


def is_exception(id_: str) -> bool:
    """Whether an exception has this id."""
    sql = "SELECT count() FROM exceptions WHERE lower(hex(cityHash64(code, fingerprint, detected_at))) = {id:String}"
    return bool(session.store().value(sql, {"id": id_}))
