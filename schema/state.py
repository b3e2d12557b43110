"""
The current state: one row an object, recomputed whenever an event touches it or one of its neighbours.

Why recomputed and not added up: late, duplicate, corrected and retracted events are normal, and a row that is a pure
function of the object's events cannot be hurt by them. Why in two folds: `object_own` is what an object's own events say,
`object_state` adds what it inherits over links, so that an inherited value never becomes a source of further inheritance
and the result does not depend on the order of rounds. Why the touched set is asked of the events and not of a queue: a
queue is a second truth that a crash can tear from the first.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, wraps
from importlib.resources import files
from typing import ParamSpec, TypeVar

from schema import policy, waits
from schema.chunks import Chunk, chunks
from schema.definitions import migrations_of
from schema.errors import StoreUnavailable
from schema.lease import holding
from schema.store import Store

JOB = "state"
OVERLAP = timedelta(seconds=10)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHUNK_OBJECTS = 200_000
CHECKED = ("own_check", "links_check")  # made by `drift`; one that was killed leaves them to the next
FOLDED = ("events", "object_own", "links", "object_state", "state_new")

BY_TOUCHED = "(object_type, object_id) IN (SELECT object_type, object_id FROM touched WHERE step = 0)"

TOUCH_NEW = """
INSERT INTO touched
SELECT 0, e.object_type, e.object_id
FROM
(
    SELECT object_type, object_id, count() AS n_raw FROM events
    PREWHERE (object_type, object_id) IN
        (SELECT object_type, object_id FROM events WHERE ingested_at >= {since:DateTime64(3, 'UTC')})
    GROUP BY object_type, object_id
) AS e
LEFT JOIN
(
    SELECT object_type, object_id, n_raw FROM object_own FINAL
    PREWHERE (object_type, object_id) IN
        (SELECT object_type, object_id FROM events WHERE ingested_at >= {since:DateTime64(3, 'UTC')})
) AS o ON o.object_type = e.object_type AND o.object_id = e.object_id
WHERE o.n_raw != e.n_raw OR {is_redo:Bool}
"""
LINK = """
INSERT INTO {links}
SELECT DISTINCT pair.1, pair.2, pair.3, pair.4 FROM
(
    SELECT arrayJoin([(of_type, object_id, l.1, l.2), (l.1, l.2, of_type, object_id)]) AS pair FROM
    (
        SELECT toString(object_type) AS of_type, object_id, arrayJoin(arrayZip(link_type::Array(String), link_id)) AS l
        FROM {own} FINAL
        PREWHERE {ids}
    )
    WHERE l.2 != '' AND l != (of_type, object_id)
)
"""
SPREAD = """
INSERT INTO touched
SELECT {to:UInt8}, b_type, b_id FROM {links}
PREWHERE (a_type, a_id) IN (SELECT object_type, object_id FROM touched WHERE step = {from:UInt8})
UNION DISTINCT
SELECT {to:UInt8}, object_type, object_id FROM touched WHERE step = {from:UInt8}
"""
DIFFER = """
INSERT INTO touched
SELECT 3, object_type, object_id FROM
(
    SELECT object_type, object_id, digest FROM object_state FINAL
    PREWHERE (object_type, object_id) IN (SELECT object_type, object_id FROM touched WHERE step = 1)
    UNION ALL
    SELECT object_type, object_id, digest FROM state_new
)
GROUP BY object_type, object_id
HAVING count() = 1 OR min(digest) != max(digest)
"""


@dataclass(frozen=True, slots=True)
class Round:
    """What one refresh did: objects whose events were new, objects recomputed, and how far it got."""

    touched: int
    recomputed: int
    mark: datetime


P = ParamSpec("P")
R = TypeVar("R")
_folding, _left = threading.RLock(), threading.Event()
_versions: dict[str, int] = {}  # by the label of the store, of which jobs have handles of their own


def _alone(fold: Callable[P, R]) -> Callable[P, R]:
    """The scratch tables are one fold's: another job of this process waits for it (and no other process has the jobs)."""

    @wraps(fold)
    def alone(*args: P.args, **kwargs: P.kwargs) -> R:
        with _folding:
            return fold(*args, **kwargs)

    return alone


@contextmanager
def leaving() -> Iterator[None]:
    """While the block runs, a fold of everything is left between two chunks: this process is about to end."""
    _left.set()
    try:
        yield
    finally:
        _left.clear()


def _go_on(store: Store) -> None:
    if _left.is_set():
        raise StoreUnavailable(f"the fold of everything in {store.label} is left for the next start: Milepost is stopping")


@_alone
def refresh(store: Store, *, since: datetime | None = None, is_redo: bool = False, overlap: timedelta = OVERLAP) -> Round:
    """
    Bring `object_state` up to the events ingested so far.

    `since` is how far the last finished round got (None: ask `job_runs`). `is_redo` recomputes even what looks unchanged:
    the first round after a start, because the last process may have died between two steps. `overlap` is how long an event
    may take from its stamp to being readable: a slow INSERT, or a collector whose clock is behind ours.
    """
    since = since if since is not None else watermark(store)
    mark = _now(store)
    if is_redo:
        _versions.pop(store.label, None)
    store.command("TRUNCATE TABLE touched")
    store.command(TOUCH_NEW, {"since": _looked_from(since, mark, overlap), "is_redo": is_redo})
    touched = int(store.value("SELECT count() FROM touched"))
    if touched > CHUNK_OBJECTS:
        return rebuild(store)
    recomputed = _apply_touched(store) if touched else 0
    if is_redo and touched:
        waits.heal(store)
    return Round(touched, recomputed, mark)


def _looked_from(since: datetime, now: datetime, overlap: timedelta) -> datetime:
    """From where on events may be new. Where our clock was set back they may bear any earlier time: then from the beginning."""
    return max(EPOCH, since - overlap) if since <= now else EPOCH


@_alone
def rebuild(store: Store) -> Round:
    """
    Recompute every object, in chunks that fit in memory: after a change of the catalogue, a bulk load, or drift.

    Owed from its first step to its last, so that one that a crash or a stop cut short is done by the next start.
    Raises: StoreUnavailable, between two chunks, if Milepost is stopping.
    """
    _versions.pop(store.label, None)
    wanted, mark, ver, total = _rules(store), _now(store), _version(store), 0
    owe(store)
    is_first = store.value("SELECT (SELECT count() FROM object_state) + (SELECT count() FROM object_waits)") == 0
    _fold_everything(store, "object_own", "links", ver)
    for chunk in _staged(store, "object_own", "links"):
        _go_on(store)
        total += _stage_chunk(store, "object_own", "links", ver, chunk)
        _write_changes(store)
        if not is_first:
            waits.heal(store)
    _note_rules(store, wanted)
    return Round(total, total, mark)


def owe(store: Store) -> None:
    """Note that the state is to be folded whole, before what makes that necessary is done."""
    _note_rules(store, "")


def is_owed(store: Store) -> bool:
    """Whether the state was not folded whole by the rules in force: they have changed, or the fold did not come to its end."""
    return bool((store.value("SELECT argMax(rules, n) FROM state_folds") or "") != _rules(store))


def settle(store: Store) -> None:
    """Fold everything if that is owed, unless another process has the jobs: then it is that one's to do (`Refresh`)."""
    if is_owed(store):
        with holding(store) as is_ours:
            if is_ours and is_owed(store):
                rebuild(store)


def _rules(store: Store) -> str:
    """
    Changes with all that makes other rows of the same events: the catalogue in force, the texts of the folds, and the
    migrations that name what they read and write. Waits have rules of their own (migrate.py): they are made of the state.
    """
    said = (policy.in_force(store), _sql("own"), _sql("state"), migrations_of(*FOLDED))
    return hashlib.blake2b(repr(said).encode(), digest_size=16).hexdigest()


def _note_rules(store: Store, rules: str) -> None:
    """By number and not by time: a clock that was set back must not bring an earlier word back."""
    store.command("INSERT INTO state_folds SELECT max(n) + 1, {rules:String} FROM state_folds", {"rules": rules})


@_alone
def drift(store: Store) -> list[dict[str, object]]:
    """
    Objects whose kept row differs from the one computed from scratch, at most 1,000, with both digests. Empty is right.

    Shape: object_type, object_id, kept, scratch (0 where a row is missing; both 0 where its waits are not those of its row).
    """
    for table in CHECKED:
        store.command(f"DROP TABLE IF EXISTS {table}")
    store.command("CREATE TABLE own_check AS object_own")
    store.command("CREATE TABLE links_check AS links")
    found: list[dict[str, object]] = []
    try:
        _fold_everything(store, "own_check", "links_check", 1)
        for chunk in _staged(store, "own_check", "links_check"):
            _stage_chunk(store, "own_check", "links_check", 1, chunk)
            found += store.query(_fill(DRIFT, {"{chunk}": chunk.where()}), chunk.params)
            torn = waits.drifted(store, chunk)
            found += [{"object_type": type_, "object_id": id_, "kept": 0, "scratch": 0} for type_, id_ in torn]
    finally:
        for table in CHECKED:
            store.command(f"DROP TABLE IF EXISTS {table}")
        store.command("TRUNCATE TABLE state_new")
    return found[:1000]


DRIFT = """
SELECT object_type, object_id, kept, scratch FROM
(
    SELECT object_type, object_id, digest AS kept, n FROM
    (
        SELECT object_type, object_id, any(digest) AS digest, sum(sign) AS n FROM object_state FINAL
        WHERE {chunk}
        GROUP BY object_type, object_id
    )
) AS a
FULL JOIN (SELECT object_type, object_id, digest AS scratch FROM state_new) AS b USING (object_type, object_id)
WHERE kept != scratch OR (n != 1 AND kept != 0)
ORDER BY object_type, object_id
LIMIT 1000
"""


def watermark(store: Store) -> datetime:
    """How far the last finished refresh got: events ingested before are in the state. EPOCH if there was none."""
    return store.value("SELECT max(mark) FROM job_runs WHERE job = {job:String} AND ok", {"job": JOB}) or EPOCH


def _version(store: Store) -> int:
    """
    Newer than every row there is, whatever our clock says: a row of a version below its predecessor's would never count. One
    a round or rebuild, for the newest is asked of object_own alone; and that only where another process may have written.
    """
    newest = _versions.get(store.label) or int(store.value("SELECT max(ver) FROM object_own") or 0)
    _versions[store.label] = max(time.time_ns() // 1000, newest + 1)
    return _versions[store.label]


def _apply_touched(store: Store) -> int:
    ver = {"ver": _version(store)}
    names = {"{own}": "object_own", "{links}": "links"}
    store.command(_fill(_sql("own"), names | {"{ids}": BY_TOUCHED}), ver)
    store.command(_fill(LINK, names | {"{ids}": BY_TOUCHED}))
    for step in (0, 1):
        store.command(_fill(SPREAD, names), {"from": step, "to": step + 1})
    store.command("TRUNCATE TABLE state_new")
    store.command(_fill(_sql("state"), names | {"{out}": "state_new"}), ver)
    _write_changes(store)
    return int(store.value("SELECT uniqExact(object_type, object_id) FROM touched WHERE step = 1"))


def _write_changes(store: Store) -> None:
    """The rows of state_new that are other than the kept ones, into object_state."""
    store.command(DIFFER)
    store.command(_sql("delta"))


def _fold_everything(store: Store, own: str, links: str, ver: int) -> None:
    for chunk in chunks(store, SAID, CHUNK_OBJECTS):
        _go_on(store)
        store.command(_fill(_sql("own"), {"{own}": own, "{ids}": chunk.where()}), {"ver": ver, **chunk.params})
    store.command(_fill(LINK, {"{own}": own, "{links}": links, "{ids}": "1"}))


def _staged(store: Store, own: str, links: str) -> list[Chunk]:
    """Chunks of all that has a row of the state, or is to have one."""
    return chunks(store, _fill(OBJECTS, _names(own, links, Chunk())), CHUNK_OBJECTS)


def _stage_chunk(store: Store, own: str, links: str, ver: int, chunk: Chunk) -> int:
    """Fill state_new with the rows of one chunk of all objects: known ones, shells, and kept rows that may have to go."""
    names = _names(own, links, chunk)
    store.command("TRUNCATE TABLE touched")
    store.command("TRUNCATE TABLE state_new")
    store.command(_fill(TOUCH_CHUNK, {"{objects}": OBJECTS} | names), chunk.params)
    store.command(_fill(SPREAD, names), {"from": 1, "to": 2})
    store.command(_fill(_sql("state"), names | {"{out}": "state_new"}), {"ver": ver})
    return int(store.value("SELECT count() FROM touched WHERE step = 1"))


def _names(own: str, links: str, chunk: Chunk) -> dict[str, str]:
    return {"{own}": own, "{links}": links, "{chunk}": chunk.where(), "{chunk_of_links}": chunk.where("a_type", "a_id")}


SAID = "SELECT object_type AS type, object_id AS id FROM events"
OBJECTS = """
    SELECT object_type AS type, object_id AS id FROM {own} WHERE {chunk}
    UNION ALL SELECT a_type, a_id FROM {links} WHERE {chunk_of_links}
    UNION ALL SELECT object_type, object_id FROM object_state WHERE {chunk}
"""
TOUCH_CHUNK = "INSERT INTO touched SELECT DISTINCT 1, type, id FROM ({objects})"


def _now(store: Store) -> datetime:
    """The collectors' clock: what `ingested_at` is stamped with."""
    return datetime.now(UTC)


@cache
def _sql(name: str) -> str:
    return files("schema").joinpath("folds", f"{name}.sql").read_text("utf-8")


def _fill(sql: str, names: dict[str, str]) -> str:
    """Put table names and fixed predicates of this module into a statement; values are bound, never put in."""
    for key, text in names.items():
        sql = sql.replace(key, text)
    return sql
