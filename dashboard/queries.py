"""
What the frame itself reads: options of the filters, the pulse of the store, what a key names. Pages have `queries_*`.

Why every read is kept for all sessions: any number of viewers costs one query. What is `cached` is refreshed in the background
and may be as old as twice its ttl; what is `live` is asked again when something has changed (a round of the state that found
something, a round of the detectors), so that an event is seen within seconds and a quiet store costs little. A function
takes plain arguments (`scope`, `as_of` None for now) and asks for the moment inside, so that the arguments stay equal from one
refresh to the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.caching.cache_utils import CachedFunc

from dashboard import session
from schema.events import OBJECT_TYPES

P = ParamSpec("P")
R = TypeVar("R")
Rows = list[dict[str, Any]]
LIVE_S, CALM_S = 5, 60
TICK_S = 15  # nothing has changed, but what waits has grown older
ANY = {"types": list(OBJECT_TYPES)}


def cached(ttl_s: float, *, max_entries: int = 200) -> Callable[[Callable[P, R]], CachedFunc[P, R]]:
    """Keep a read for `ttl_s`, for all sessions; then one background thread refreshes it while all see the last answer."""
    return st.cache_data(ttl=ttl_s, max_entries=max_entries, refresh_mode="background", show_spinner=False)


class live(Generic[P, R]):
    """
    Keep a read until something has changed, for all sessions; the first argument is `as_of`. `clear()` forgets it.

    Viewers of one answer wait for one query; a moment of the past is asked once a minute at most.
    """

    def __init__(self, read: Callable[P, R]) -> None:
        def kept(version: str, *args: P.args, **kwargs: P.kwargs) -> R:
            return read(*args, **kwargs)

        # What a kept answer goes by is the name of its function: each read needs its own.
        kept.__module__, kept.__qualname__ = read.__module__, read.__qualname__
        self.__doc__ = read.__doc__
        self._kept = st.cache_data(ttl=CALM_S, max_entries=200, show_spinner=False)(kept)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._kept("" if args and args[0] else version(), *args, **kwargs)

    def clear(self) -> None:
        self._kept.clear()


def version() -> str:
    """What changes when an answer of now may have changed."""
    return f"{_changed_at()} {int(time.time() / TICK_S)}"


@st.cache_data(ttl=0.5, show_spinner=False)
def _changed_at() -> str:
    found = session.store().value(
        """
        SELECT max(started_at) FROM job_runs
        WHERE job IN ('state', 'detect') AND started_at >= {hour:DateTime64(3, 'UTC')} AND ok AND (job = 'detect' OR n > 0)
        """,
        {"hour": datetime.now(UTC) - timedelta(hours=1)},
    )
    return str(found)


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
