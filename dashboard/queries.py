"""
What the frame itself reads: options of the filters, the pulse of the store, what a key names. Pages have `queries_*`.

Why every read is kept for all sessions: any number of viewers costs one query (`kept`). What is `cached` is refreshed in the
background and may be as old as twice its ttl; what is `live` is asked again when something has changed (a round of the state
that found something, a round of the detectors), so that an event is seen within seconds and a quiet store costs little. A
function takes plain arguments (`scope`, `as_of` None for now) and asks for the moment inside, so that the arguments stay equal
from one refresh to the next.

Why a read is an object and not a bare function (`live`, `cached`, `direct`): before it asks or answers from what is kept, it
has the viewer's role checked and his part of the data joined to `scope`, and what is kept goes by that part. Inside of it the
store is cut to the part as well; what cannot be cut says so (`is_limited`), and everything else is refused.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar, cast

import streamlit as st

from dashboard import access, limits, session
from dashboard.kept import Kept
from dashboard.limits import is_limited
from schema.events import OBJECT_TYPES

P = ParamSpec("P")
R = TypeVar("R")
Rows = list[dict[str, Any]]
LIVE_S, CALM_S = 5, 60
MOMENT = "{as_of:DateTime64(3, 'UTC')}"
TICK_S = 15  # nothing has changed, but what waits has grown older


# What of `object_state` a viewer of a part sees, as views/10_objects says it of the objects that they return.
IN_SCOPE = """
    milepost_in({scope:Array(String)}, 'region', region)
    AND milepost_in({scope:Array(String)}, 'warehouse', warehouse)
    AND milepost_in({scope:Array(String)}, 'carrier', carrier)
    AND milepost_in({scope:Array(String)}, 'customer', customer)
    AND milepost_in({scope:Array(String)}, 'order_class', order_class)
"""


class Read(Generic[P, R]):
    """
    A read as pages call it. Raises: Refused, for whoever has none of its `pages`.

    `keep` keeps answers for all sessions, and asks again where the `mark` of the arguments is another one. Viewers of one
    answer wait for one query. `clear()` forgets it.
    """

    def __init__(
        self, read: Callable[P, Any], keep: Callable[..., Any] | None = None, *, mark: Callable[..., str] | None = None
    ) -> None:
        def asked(mark: str, seen: tuple[str, ...], *args: P.args, **kwargs: P.kwargs) -> Any:
            with limits.reading(seen):
                return read(*args, **kwargs)

        # What a kept answer goes by is the name of its function: each read needs its own.
        asked.__module__, asked.__qualname__ = read.__module__, read.__qualname__
        self.__doc__, self.read, self.module = read.__doc__, read, read.__module__
        self.pages = access.readers(read.__module__, read.__name__)
        self._names, self._mark = list(inspect.signature(read).parameters), mark
        self._kept = keep(asked) if keep else None
        self._answer = self._kept or asked

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._for(session.admitted(self.pages), *args, **kwargs)

    def warm(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Ask for nobody in particular, so that the first who comes and sees everything need not wait."""
        self._for((), *args, **kwargs)

    def _for(self, seen: tuple[str, ...], *args: P.args, **kwargs: P.kwargs) -> R:
        mark = self._mark(*args) if self._mark else ""
        return cast(R, self._answer(mark, seen, *self._joined(seen, args), **kwargs))

    def clear(self) -> None:
        """Forget what is kept, for all sessions."""
        if self._kept:
            self._kept.clear()

    def _joined(self, seen: tuple[str, ...], args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, with the viewer's part of the data joined to `scope`."""
        if not seen or "scope" not in self._names:
            return args
        i = self._names.index("scope")
        return (*args[:i], limits.within(seen, args[i]), *args[i + 1 :])


def cached(ttl_s: float, *, max_entries: int = 200) -> Callable[[Callable[P, R]], Read[P, R]]:
    """Keep a read for `ttl_s`, for all sessions; then one background thread refreshes it while all see the last answer."""
    keep = st.cache_data(ttl=ttl_s, max_entries=max_entries, refresh_mode="background", show_spinner=False)
    return lambda read: Read(read, keep)


def live(read: Callable[P, R]) -> Read[P, R]:
    """Keep a read until something has changed; a moment of the past is asked once a minute at most."""
    return Read(read, Kept, mark=_of_now)


def eventually(read: Callable[P, R]) -> Read[P, R | None]:
    """A dear read, asked once a minute and never waited for: None until it is known."""
    return Read(read, partial(Kept, oldest_s=2 * CALM_S, is_waited_for=False), mark=_of_minute)


def direct(read: Callable[P, R]) -> Read[P, R]:
    """A read that is not kept."""
    return Read(read)


def _of_now(as_of: datetime | None = None, *_: Any) -> str:
    """What changes when an answer may have changed; that of a moment of the past is changed by late events only."""
    return _of_minute() if as_of else f"{_changed_at()} {int(time.time() / TICK_S)}"


def _of_minute(*_: Any) -> str:
    return str(int(time.time() / CALM_S))


@st.cache_data(ttl=0.5, show_spinner=False)
def _changed_at() -> str:
    found = session.whole_store().value(
        """
        SELECT max(started_at) FROM job_runs
        WHERE job IN ('state', 'detect') AND started_at >= {hour:DateTime64(3, 'UTC')} AND ok AND (job = 'detect' OR n > 0)
        """,
        {"hour": datetime.now(UTC) - timedelta(hours=1)},
    )
    return str(found)


def at(as_of: datetime | None) -> datetime:
    """The moment to ask for: `as_of`, or now to the millisecond, for a verb that was taken just now is seen at once."""
    return as_of or datetime.now(UTC)


def ask(sql: str, as_of: datetime | None, scope: tuple[str, ...] = (), *, length_s: int = 0, **params: Any) -> Rows:
    """
    Rows of a statement. AS_OF in it is the moment, WINDOW_START the moment `length_s` before it, PERIOD_BEFORE the two
    parameters of the period that ended then, and SCOPED the two that every view of facts takes.
    """
    text, moment = sql.replace("SCOPED", "as_of = AS_OF, scope = {scope:Array(String)}"), at(as_of)
    text = text.replace("PERIOD_BEFORE", "before = {before:DateTime64(3, 'UTC')}, length_s = {length_s:UInt32}")
    text = text.replace("AS_OF", MOMENT).replace("WINDOW_START", "{start:DateTime64(3, 'UTC')}")
    start, before = (moment - n * timedelta(seconds=length_s) for n in (1, 2))
    given = {"as_of": moment, "start": start, "before": before, "length_s": length_s, "scope": list(scope)}
    return session.store().query(text, given | params)


def ask_whole(sql: str, as_of: datetime | None, **params: Any) -> Rows:
    """Rows of a statement over what belongs to nobody, or of one that has been narrowed to ids that the viewer may see."""
    return session.whole_store().query(sql.replace("AS_OF", MOMENT), {"as_of": at(as_of)} | params)


def of_viewer(where: str = "true") -> str:
    """
    A condition on (object_type, object_id): objects of the viewer's part of the data; `where` says which ones it may be about.

    Empty where he sees all: nothing is asked for twice, and what has no state yet is seen.
    """
    if not is_limited():
        return ""
    found = f"SELECT object_type, object_id FROM object_state FINAL PREWHERE {where} WHERE {IN_SCOPE}"  # noqa: S608 constants
    return f"AND (object_type, object_id) IN ({found})"


@cached(CALM_S)
def cuts(as_of: datetime | None) -> dict[str, list[str]]:
    """The values of each cut among what was under way in the last 90 days, the most frequent two hundred, by name."""
    counted = "UNION ALL".join(  # by each cut for itself: a quarter of what one pass over all five costs
        f"""
        (
            SELECT '{cut}' AS cut, toString({cut}) AS name, sum(sign) AS n FROM object_state
            WHERE rests_at >= AS_OF - INTERVAL 90 DAY AND {cut} != '' AND {IN_SCOPE}
            GROUP BY name HAVING n > 0 ORDER BY n DESC LIMIT 200
        )
        """  # noqa: S608 constants
        for cut in ("region", "warehouse", "carrier", "customer", "order_class")
    )
    rows = ask(f"SELECT cut, arraySort(groupArray(name)) AS names FROM ({counted}) GROUP BY cut", None)  # noqa: S608 constants
    return {r["cut"]: r["names"] for r in rows} | {"workflow": sorted(session.catalogue().workflows)}


@cached(LIVE_S)
def pulse() -> dict[str, Any]:
    """
    How fresh the store is: newest event, how far the state got, rejects of the last hour, last round of the detectors.

    Whoever sees a part of the data is not told of rejects (`n_rejects` None), for nobody knows yet whose they are.
    """
    row = ask_whole(
        """
        SELECT
            (SELECT max(ingested_at) FROM events) AS newest_at,
            (SELECT max(mark) FROM job_runs WHERE job = 'state' AND ok) AS state_at,
            (SELECT max(started_at) FROM job_runs WHERE job = 'detect' AND ok) AS detected_at,
            (SELECT count() FROM rejects FINAL
             WHERE received_at >= {hour:DateTime64(3, 'UTC')} AND status = 'open') AS n_rejects
        """,
        None,
        hour=at(None) - timedelta(hours=1),
    )[0]
    return row | ({"n_rejects": None} if is_limited() else {})


# --- search: not cached, a key is asked for once -----------------------------------------------------------------------------
@direct
def objects_by_id(key: str) -> Rows:
    """Objects of any type with this id."""
    return ask(
        f"""
        SELECT DISTINCT object_type, object_id FROM object_state FINAL
        PREWHERE object_type IN {{types:Array(String)}} AND object_id = {{key:String}} WHERE {IN_SCOPE}
        ORDER BY object_type
        """,  # noqa: S608 a constant
        None, types=list(OBJECT_TYPES), key=key,
    )  # fmt: skip


@direct
def objects_by_key(key: str) -> Rows:
    """Objects that carry this key: a tracking number, a customer's reference, a document number."""
    return ask(
        f"""
        SELECT DISTINCT object_type, object_id FROM object_state FINAL WHERE has(keys, {{key:String}}) AND {IN_SCOPE}
        ORDER BY object_type, object_id LIMIT 12
        """,  # noqa: S608 a constant
        None, key=key,
    )  # fmt: skip


@direct
def objects_by_prefix(key: str) -> Rows:
    """Objects whose id begins like this."""
    return ask(
        f"""
        SELECT DISTINCT object_type, object_id FROM object_state FINAL
        PREWHERE object_type IN {{types:Array(String)}} AND startsWith(object_id, {{key:String}}) WHERE {IN_SCOPE}
        ORDER BY object_id, object_type LIMIT 12
        """,  # noqa: S608 a constant
        None, types=list(OBJECT_TYPES), key=key,
    )  # fmt: skip


@direct
def objects_seen(object_type: str, object_id: str) -> bool:
    """Whether a viewer of a part may see this object."""
    return any(r["object_type"] == object_type for r in objects_by_id(object_id))


@direct
def is_trace(trace_id: str) -> bool:
    """Whether any call or event carries this trace."""
    if is_limited():
        return bool(traces_seen([trace_id]))
    found = session.store().value(
        """
        SELECT (SELECT count() FROM (SELECT 1 FROM interface_calls WHERE trace_id = {id:String} LIMIT 1))
             + (SELECT count() FROM (SELECT 1 FROM otel_traces WHERE TraceId = {id:String} LIMIT 1))
             + (SELECT count() FROM (SELECT 1 FROM events WHERE trace_id = {id:String} LIMIT 1))
        """,
        {"id": trace_id},
    )
    return bool(found)


@direct
def is_exception(id_: str) -> bool:
    """Whether an exception has this id."""
    if is_limited():
        return bool(exceptions_seen([id_]))
    sql = "SELECT count() FROM exceptions WHERE lower(hex(cityHash64(code, fingerprint, detected_at))) = {id:String}"
    return bool(session.store().value(sql, {"id": id_}))


@direct
def exceptions_seen(ids: Sequence[str]) -> list[str]:
    """Which of these exceptions the viewer may see."""
    rows = ask("SELECT id FROM inbox(SCOPED) WHERE id IN {ids:Array(String)}", None, ids=list(ids))
    return [r["id"] for r in rows]


@direct
def traces_seen(traces: Sequence[str]) -> list[str]:
    """Which of these traces a viewer of a part may see: those that are about objects, and all of them of his part."""
    if not traces:  # ClickHouse 26.7 fails on an empty list in a subquery that is asked twice
        return []
    rows = ask(
        f"""
        WITH named AS
        (
            SELECT trace_id AS trace, object.1::String AS object_type, object.2 AS object_id FROM interface_calls
            ARRAY JOIN arrayZip(object_types, object_ids) AS object WHERE trace_id IN {{traces:Array(String)}}
            UNION DISTINCT
            SELECT trace_id, object_type::String, object_id FROM events WHERE trace_id IN {{traces:Array(String)}}
        )
        SELECT trace FROM named GROUP BY trace
        HAVING countIf((object_type, object_id) NOT IN
        (
            SELECT object_type::String, object_id FROM object_state FINAL
            PREWHERE (object_type::String, object_id) GLOBAL IN (SELECT object_type, object_id FROM named) WHERE {IN_SCOPE}
        )) = 0
        """,  # noqa: S608 a constant
        None, traces=list(traces),
    )  # fmt: skip
    return [r["trace"] for r in rows]
