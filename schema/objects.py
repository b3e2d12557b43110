"""
One object, whole: its state at `as_of`, what each system says of it, what it waits for, its relatives, events, exceptions.

Why one function for the command line and the page: both answer "what happened to this order, and what is it waiting for?",
and two answers that differ would be worse than none.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schema.errors import BadConfig
from schema.events import OBJECT_TYPES
from schema.store import Store

Row = dict[str, Any]

STATE = """
SELECT * FROM objects(type = {type:String}, as_of = {as_of:DateTime64(3, 'UTC')}, since = '1970-01-01', scope = [], by = '')
WHERE object_id = {id:String}
"""
RELATIVES = """
SELECT object_type, object_id, state, state_at, value, carrier, region, waits_for, n_events
FROM objects(type = {type:String}, as_of = {as_of:DateTime64(3, 'UTC')}, since = '1970-01-01', scope = [], by = '')
WHERE object_id IN {ids:Array(String)}
ORDER BY object_id
"""
EVENTS = """
SELECT event_id, event_version, event_type, occurred_at, recorded_at, received_at, classifier, state, source_code, code_list,
       code_element, system, system_role, source, location, amount, currency, quantity, unit, trace_id, span_id, exception_code,
       is_retracted, attributes, count() OVER (PARTITION BY event_id, event_version) AS n_copies
FROM events
PREWHERE object_type = {type:String} AND object_id = {id:String}
WHERE occurred_at <= {as_of:DateTime64(3, 'UTC')} OR classifier != 'ACT'
ORDER BY occurred_at, recorded_at, event_id, received_at
LIMIT 1 BY event_id, event_version
LIMIT 1000
"""
EXCEPTIONS = """
SELECT * FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [])
WHERE object_type = {type:String} AND object_id = {id:String}
ORDER BY detected_at DESC
"""
GUARD = """
SELECT owed_by, owner FROM gov_guards
WHERE object_type = {type:String} AND name = {name:String} AND for_state = {for_state:String}
"""
FIND = """
SELECT object_type, object_id, h_state[-1] AS state, value, object_id = {key:String} AS is_exact
FROM object_state FINAL
WHERE object_id = {key:String} OR has(keys, {key:String})
ORDER BY is_exact DESC, object_type, object_id
LIMIT 20
"""


def read(store: Store, type_: str, id_: str, *, as_of: datetime) -> Row | None:
    """
    Everything of one object, or None if nobody has ever named it.

    Shape: the row of view `objects`, with `owed_by` and `owner` of the guard it waits for, `relatives`, `events`
           (oldest first, each version once, `n_copies` arrivals) and `exceptions` (newest first).
    Raises: BadConfig for an unknown object type.
    """
    if type_ not in OBJECT_TYPES:
        raise BadConfig(f"object type {type_!r} is unknown; known: {', '.join(OBJECT_TYPES)}")
    key = {"type": type_, "id": id_, "as_of": as_of}
    found = store.query(STATE, key)
    if not found:
        return None
    row = found[0]
    guard = {"type": type_, "name": row["waits_for"], "for_state": row["waits_to_be"]}
    owed = store.query(GUARD, guard) if row["waits_for"] else []
    return {
        **row,
        "owed_by": owed[0]["owed_by"] if owed else "",
        "owner": owed[0]["owner"] if owed else "",
        "relatives": relatives(store, row, as_of=as_of),
        "events": store.query(EVENTS, key),
        "exceptions": store.query(EXCEPTIONS, key),
    }


def relatives(store: Store, row: Row, *, as_of: datetime) -> list[Row]:
    """The objects that a row is linked to, with their state."""
    found: list[Row] = []
    for type_ in dict.fromkeys(row["link_type"]):
        ids = [i for t, i in zip(row["link_type"], row["link_id"], strict=True) if t == type_]
        found += store.query(RELATIVES, {"type": type_, "as_of": as_of, "ids": ids})
    return found


def find(store: Store, key: str) -> list[Row]:
    """Objects known by a key of any kind: their own id, a PRO, PO or tracking number; exact ids first, at most 20."""
    return store.query(FIND, {"key": key})
