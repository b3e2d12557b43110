"""
What the Object page reads: one object as it stood, its events, its family, its exceptions and what was done with them.

Why by primary key and without a cache that outlives a look: these are reads of a few rows, and who opens an object wants what
is true now.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dashboard.limits import is_limited
from dashboard.queries import Rows, ask, ask_whole, exceptions_seen, live, objects_seen, of_viewer


@live
def one(as_of: datetime | None, object_type: str, object_id: str) -> dict[str, Any] | None:
    """The object as it stood: state, what each system says, holds, guards, plans and estimates; None if it is not known."""
    rows = ask(
        """
        SELECT object_type, object_id, tenant, region, warehouse, carrier, customer, order_class, mode, amount, currency, value,
               keys, n_events, state, state_at, is_final, is_active, progressed_at, started_at, holds, waits_for, waits_to_be,
               a_role, a_state, a_at, p_state, p_at, e_state, e_at, m_state, m_role, m_at, hold_name, hold_from, hold_to,
               guard_name, guard_at, guard_for, link_type, link_id
        FROM objects(type = {type:String}, since = '1970-01-01', SCOPED, by = '')
        WHERE object_id = {id:String}
        """,
        as_of, type=object_type, id=object_id,
    )  # fmt: skip
    return rows[0] if rows else None


@live
def worth_a_look(as_of: datetime | None, scope: tuple[str, ...]) -> Rows:
    """Objects whose exceptions need somebody: the worst two of each type, by severity and value."""
    return ask(
        """
        SELECT object_type, object_id, code, severity, value FROM
        (
            SELECT object_type, object_id, code, severity, value FROM inbox(SCOPED) WHERE needs_us AND object_id != ''
            ORDER BY severity, value DESC LIMIT 1 BY object_type, object_id
        )
        ORDER BY severity, value DESC LIMIT 2 BY object_type LIMIT 8
        """,
        as_of, scope,
    )  # fmt: skip


@live
def moved_last(as_of: datetime | None) -> Rows:
    """The objects that moved last, two of each type, newest first."""
    return ask(
        f"""
        SELECT object_type, object_id, moved_to, moved_at FROM
        (
            SELECT object_type, object_id, argMax(state, occurred_at) AS moved_to, max(occurred_at) AS moved_at FROM events
            WHERE occurred_at <= AS_OF AND occurred_at > AS_OF - INTERVAL 1 DAY AND received_at <= AS_OF
              AND classifier = 'ACT' AND NOT is_retracted AND state != '' {of_viewer()}
            GROUP BY object_type, object_id
        )
        ORDER BY moved_at DESC LIMIT 2 BY object_type LIMIT 8
        """,  # noqa: S608 a constant
        as_of,
    )  # fmt: skip


@live
def waits(as_of: datetime | None, object_type: str, guard: str, target: str, mode: str) -> dict[str, Any]:
    """Who owes a guard and owns the next step, and how long a shipment of this mode may go without progress."""
    rows = ask_whole(
        """
        SELECT
            (SELECT (any(owed_by), any(owner)) FROM gov_guards
             WHERE object_type = {type:String} AND name = {guard:String} AND for_state = {target:String}) AS owed,
            (SELECT argMax(limit_s, mode != '') FROM gov_tolerances
             WHERE name = 'shipment_status' AND mode IN ({mode:String}, '')) AS quiet_s
        """,
        as_of, type=object_type, guard=guard, target=target, mode=mode,
    )  # fmt: skip
    owed_by, owner = rows[0]["owed"]
    return {"owed_by": owed_by, "owner": owner, "quiet_s": rows[0]["quiet_s"]}


@live
def events(as_of: datetime | None, object_type: str, object_id: str) -> Rows:
    """Every arrival that is about it, in order; copies, and what a later version or a retraction replaced, are marked."""
    if is_limited() and not objects_seen(object_type, object_id):
        return []
    return ask_whole(
        """
        SELECT event_id, event_version, event_type, occurred_at, recorded_at, received_at, classifier, state,
               source_code, code_list, code_element, system, system_role, source, message_id, location, trace_id,
               is_retracted, exception_code,
               row_number() OVER (PARTITION BY event_id, event_version, is_retracted ORDER BY received_at) > 1 AS is_copy,
               event_version < max(event_version) OVER (PARTITION BY event_id)
                   OR max(is_retracted) OVER (PARTITION BY event_id) AS is_void
        FROM events
        PREWHERE object_type = {type:String} AND object_id = {id:String}
        WHERE received_at <= AS_OF
        ORDER BY occurred_at, received_at LIMIT 1000
        """,
        as_of, type=object_type, id=object_id,
    )  # fmt: skip


@live
def family(as_of: datetime | None, object_type: str, object_id: str) -> Rows:
    """
    What it is linked to, and what that is linked to, with the state of each; at most 60. What is not of the viewer's part is
    left out, with what it would lead to.
    """
    if is_limited() and not objects_seen(object_type, object_id):
        return []
    near = "(object_type, object_id) IN (SELECT b_type, b_id FROM links WHERE a_type = {type:String} AND a_id = {id:String})"
    ours = of_viewer("(object_type, object_id) GLOBAL IN (SELECT object_type, object_id FROM every)")
    return ask(
        f"""
        WITH near AS
        (
            SELECT object_type, object_id, step, by_type, by_id FROM
            (
                SELECT b_type AS object_type, b_id AS object_id, 1 AS step, '' AS by_type, '' AS by_id
                FROM links FINAL WHERE a_type = {{type:String}} AND a_id = {{id:String}}
            )
            WHERE true {of_viewer(near)}
        ),
        far AS
        (
            SELECT l.b_type AS object_type, l.b_id AS object_id, 2 AS step, l.a_type AS by_type, l.a_id AS by_id
            FROM links AS l
            WHERE (l.a_type, l.a_id) IN (SELECT object_type, object_id FROM near)
              AND (l.b_type, l.b_id) NOT IN (SELECT object_type, object_id FROM near)
              AND (l.b_type, l.b_id) != ({{type:String}}, {{id:String}})
        ),
        every AS (SELECT * FROM near UNION ALL SELECT * FROM far LIMIT 1 BY object_type, object_id),
        both AS (SELECT * FROM every WHERE true {ours})
        SELECT b.object_type AS object_type, b.object_id AS object_id, b.step AS step, b.by_type AS by_type, b.by_id AS by_id,
               s.h_state[-1] AS state, s.value AS value
        FROM both AS b
        LEFT JOIN
        (
            SELECT object_type, object_id, h_state, value FROM object_state FINAL
            PREWHERE (object_type, object_id) GLOBAL IN (SELECT object_type, object_id FROM both)
        ) AS s ON s.object_type = b.object_type AND s.object_id = b.object_id
        ORDER BY step, object_type, object_id LIMIT 60
        """,  # noqa: S608 constants
        as_of, type=object_type, id=object_id,
    )  # fmt: skip


@live
def exceptions(as_of: datetime | None, object_type: str, object_id: str) -> Rows:
    """Its exceptions, open ones first."""
    return ask(
        """
        SELECT id, code, place, severity, reason, began_at, closed_at, is_open, status, owner, assignee, age_s, trace_id
        FROM inbox(SCOPED) WHERE object_type = {type:String} AND object_id = {id:String}
        ORDER BY is_open DESC, began_at DESC LIMIT 50
        """,
        as_of, type=object_type, id=object_id,
    )  # fmt: skip


@live
def audit(as_of: datetime | None, ids: tuple[str, ...]) -> Rows:
    """What people did with these exceptions, newest first."""
    return ask_whole(
        """
        SELECT code, at, verb, actor, comment, team, until FROM exception_verbs
        WHERE lower(hex(cityHash64(code, fingerprint, detected_at))) IN {ids:Array(String)} AND at <= AS_OF
        ORDER BY at DESC LIMIT 200
        """,
        as_of, ids=exceptions_seen(ids) if is_limited() else list(ids),
    )  # fmt: skip
