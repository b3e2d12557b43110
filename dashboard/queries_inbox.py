"""
What the Exceptions page reads: the saved filters with their counts, the list, one exception with its evidence, the ageing.

Why a saved filter is a name and its condition stands in one view (`saved`): the count beside the name and the list behind it
are then the same condition, and a name is all that a link carries.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dashboard import session
from dashboard.limits import is_limited
from dashboard.queries import Rows, ask, ask_whole, at, direct, exceptions_seen, live, objects_seen
from schema import exceptions

MOST = 500


@live
def counts(as_of: datetime | None, scope: tuple[str, ...], me: str) -> dict[str, int]:
    """How many exceptions each saved filter holds."""
    rows = ask(
        "SELECT arrayJoin(filters) AS name, count() AS n FROM saved(SCOPED, me = {me:String}) GROUP BY name",
        as_of,
        scope,
        me=me,
    )
    return {r["name"]: r["n"] for r in rows}


@live
def listed(as_of: datetime | None, scope: tuple[str, ...], me: str, saved: str, incident: str) -> Rows:
    """The exceptions of a saved filter, or those of an incident that need somebody; worst first, at most 500."""
    return ask(
        """
        SELECT id, incident, code, severity, reason, place, object_type, object_id, value, began_at, age_s, sla_s, is_past_sla,
               owner, assignee, status, region, carrier, interface
        FROM saved(SCOPED, me = {me:String})
        WHERE if({incident:String} != '', incident = {incident:String} AND is_open, has(filters, {saved:String}))
        ORDER BY severity, is_past_sla DESC, value DESC, began_at LIMIT {most:UInt32}
        """,
        as_of, scope, me=me, saved=saved, incident=incident, most=MOST,
    )  # fmt: skip


@live
def one(as_of: datetime | None, id_: str) -> dict[str, Any] | None:
    """One exception with all that is known of it, open or closed."""
    rows = exceptions.find(session.store(), at(as_of), id_=id_)
    return rows[0] if rows else None


@live
def ageing(as_of: datetime | None, scope: tuple[str, ...]) -> Rows:
    """Open exceptions by team and age."""
    return ask("SELECT * FROM ageing(SCOPED)", as_of, scope)


@direct
def history(as_of: datetime | None, id_: str) -> Rows:
    """The verbs of one exception, oldest first; not cached, a verb must be seen at once."""
    if is_limited() and not exceptions_seen([id_]):
        return []
    return exceptions.history(session.whole_store(), id_, as_of=at(as_of))


@direct
def ids_of(incident: str) -> list[str]:
    """The exceptions of an incident that need somebody now."""
    rows = ask("SELECT id FROM inbox(SCOPED) WHERE incident = {incident:String} AND needs_us", None, incident=incident)
    return [r["id"] for r in rows]


@live
def spans(as_of: datetime | None, object_type: str, object_id: str, interface: str) -> Rows:
    """
    The failed or repeated calls behind an exception: those with its object, or of its interface, newest first. A viewer of a
    part sees those with its object only: what else goes over the interface is everybody's.
    """
    if is_limited() and not objects_seen(object_type, object_id):
        return []
    return ask_whole(
        """
        SELECT at, interface, service, peer, is_error, status_message, attempt, duration_ns, trace_id
        FROM interface_calls
        WHERE at <= AS_OF AND at > AS_OF - INTERVAL 7 DAY AND (is_error OR attempt > 1)
          AND ((interface = {interface:String} AND interface != '' AND NOT {limited:Bool}) OR
               (has(object_ids, {object_id:String}) AND {object_id:String} != '' AND has(object_types, {object_type:String})))
        ORDER BY at DESC LIMIT 20
        """,
        as_of, object_type=object_type, object_id=object_id, interface=interface, limited=is_limited(),
    )  # fmt: skip
