"""
The inbox: fold what the detectors return at `as_of` into episodes, and take people's verbs.

Why an episode and not a row a detection: the same fingerprint updates the open one, a vanished one closes by itself and
stays in the ageing figures, and one that comes back is a new episode. Why verbs are rows of their own and never an
update: who did what and when is the audit, and the status is a fold over it that can be read at any `as_of`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schema import definitions
from schema.errors import BadConfig
from schema.store import Store

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
VERBS = ("acknowledge", "assign", "comment", "postpone", "wait", "resolve", "confirm", "suppress", "reopen")
TIMED = ("postpone", "wait", "suppress")
NO_CAUSE = {
    "cause_interface": "", "cause_how": "", "n_failed": 0, "n_retries": 0, "cause_at": EPOCH, "cause_trace_id": "",
    "cause_message": "", "cause_version": "", "changed_at": EPOCH, "is_change_before": 0,
}  # fmt: skip

FOLD = """
INSERT INTO exceptions
WITH
    {as_of:DateTime64(3, 'UTC')} AS now_at,
    toDateTime64(0, 3, 'UTC') AS never,
    open AS (SELECT * FROM exceptions FINAL WHERE closed_at = never AND code IN {codes:Array(String)}),
    seen AS
    (
        SELECT d.*, g.owner AS policy_owner, g.severity AS g_severity, g.workflow AS g_workflow, g.sla_s AS g_sla_s
        FROM (SELECT * FROM detected LIMIT 1 BY code, fingerprint) AS d LEFT JOIN gov_exceptions AS g ON g.code = d.code
    )
SELECT
    s.code, s.fingerprint, if(o.fingerprint = '', now_at, o.detected_at), s.began_at, never, s.reason, s.value,
    s.object_type, s.object_id,
    s.tenant, s.region, s.warehouse, s.carrier, s.customer, s.order_class, s.mode, s.interface, s.trace_id, s.place,
    if(s.owner != '', s.owner, s.policy_owner), s.g_severity, s.g_workflow, s.g_sla_s, {ver:UInt64}
FROM seen AS s
LEFT JOIN open AS o ON o.code = s.code AND o.fingerprint = s.fingerprint
WHERE o.fingerprint = ''
   OR (o.reason, o.value, o.began_at, o.place, o.region, o.carrier, o.trace_id)
   != (s.reason, s.value, s.began_at, s.place, s.region, s.carrier, s.trace_id)
UNION ALL
SELECT * REPLACE (greatest(now_at, detected_at) AS closed_at, {ver:UInt64} AS ver) FROM open
WHERE (code, fingerprint) NOT IN (SELECT code, fingerprint FROM detected)
"""
FIND = """
SELECT * FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)})
WHERE if({id:String} = '', is_open, id = {id:String})
ORDER BY severity, value DESC, began_at
"""
INCIDENTS = """
SELECT * FROM incidents(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)})
ORDER BY severity, value DESC, oldest_at
"""
CAUSE = """
SELECT incident, interface AS cause_interface, how AS cause_how, n_failed, n_retries, first_at AS cause_at,
       trace_id AS cause_trace_id, message AS cause_message, version AS cause_version, changed_at, is_change_before
"""
CAUSES = f"""
{CAUSE} FROM incident_causes(as_of = {{as_of:DateTime64(3, 'UTC')}}, scope = {{scope:Array(String)}}) WHERE position = 1
"""
KEPT_CAUSES = f"{CAUSE} FROM causes FINAL WHERE interface != ''"
KEEP_CAUSES = """
INSERT INTO causes
WITH found AS MATERIALIZED
(
    SELECT
        incident, interface, how, n_failed, n_retries, first_at, trace_id, message, version, changed_at, is_change_before,
        {ver:UInt64}
    FROM incident_causes(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [])
    WHERE position = 1
)
SELECT * FROM found
UNION ALL
SELECT * REPLACE ('' AS interface, {ver:UInt64} AS ver)
FROM (SELECT * FROM causes FINAL WHERE interface != '' AND incident NOT IN (SELECT incident FROM found))
"""


@dataclass(frozen=True, slots=True)
class Verb:
    """What a person does with one exception: `id` as the inbox shows it."""

    id: str
    verb: str
    actor: str
    comment: str = ""
    team: str = ""
    until: datetime = EPOCH


def detect(store: Store, as_of: datetime, codes: tuple[str, ...] = ()) -> int:
    """
    Run the detectors (all, or these codes) at `as_of` and fold the result into the inbox. How many conditions hold.

    A round of all of them also keeps the causes of what is open then.

    A detector that fails leaves its own exceptions as they are: the error goes up after the others were folded.
    """
    columns = ", ".join(definitions.DETECTOR_COLUMNS)
    store.command("TRUNCATE TABLE detected")
    wanted = [d for d in definitions.detectors().values() if not codes or d.code in codes]
    for detector in wanted:
        store.command(
            f"INSERT INTO detected (code, {columns}) SELECT {{code:String}}, {columns} FROM (\n{detector.sql}\n)",  # noqa: S608
            {"code": detector.code, "as_of": as_of},
        )
    # Newer than every row there is, even after our clock was set back: a lower version would never count.
    ver = max(time.time_ns() // 1000, int(store.value("SELECT max(ver) FROM exceptions") or 0) + 1)
    store.command(FOLD, {"as_of": as_of, "codes": [d.code for d in wanted], "ver": ver})
    if not codes:
        store.command(KEEP_CAUSES, {"as_of": as_of, "ver": ver})
    return int(store.value("SELECT count() FROM detected"))


def find(store: Store, as_of: datetime, *, scope: tuple[str, ...] = (), id_: str = "") -> list[dict[str, Any]]:
    """Exceptions that were open at `as_of`, worst first, or the one with this id even if it is closed."""
    return store.query(FIND, {"as_of": as_of, "scope": list(scope), "id": id_})


def incidents(store: Store, as_of: datetime, *, scope: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Open incidents at `as_of`, worst first, each with its likeliest cause (empty columns where none is known)."""
    return with_causes(open_incidents(store, as_of, scope=scope), causes(store, as_of, scope=scope))


def open_incidents(store: Store, as_of: datetime, *, scope: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Open incidents at `as_of`, worst first, without their technical half."""
    return store.query(INCIDENTS, {"as_of": as_of, "scope": list(scope)})


def causes(store: Store, as_of: datetime, *, scope: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    """The likeliest cause of each open incident, by incident: a far dearer question than which incidents are open."""
    found = store.query(CAUSES, {"as_of": as_of, "scope": list(scope)})
    return {row["incident"]: row for row in found}


def kept_causes(store: Store) -> dict[str, dict[str, Any]]:
    """The same as the last round of the detectors left it, for nothing."""
    return {row["incident"]: row for row in store.query(KEPT_CAUSES)}


def with_causes(found: Sequence[Mapping[str, Any]], behind: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Incidents with their causes beside them."""
    return [{**row, **behind.get(row["incident"], NO_CAUSE)} for row in found]


def act(store: Store, verb: Verb, *, at: datetime) -> None:
    """
    Take a verb: one row of the audit.

    Raises: BadConfig for an unknown verb or id, a missing team, or a postponement without an end.
    """
    if not act_many(store, [verb.id], verb, at=at):
        raise BadConfig(f"no exception has the id {verb.id!r}")


def act_many(store: Store, ids: Sequence[str], verb: Verb, *, at: datetime) -> int:
    """
    Take one verb on many exceptions in one INSERT; `verb.id` is not looked at. How many of the ids are known.

    Raises: BadConfig, as `act` does.
    """
    _check(verb, at)
    rows = store.query(
        """
        SELECT code, fingerprint, detected_at FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [])
        WHERE id IN {ids:Array(String)}
        """,
        {"as_of": at, "ids": list(ids)},
    )
    taken = [_row(row, verb, at) for row in rows]
    if taken:
        store.insert("exception_verbs", list(taken[0]), [list(row.values()) for row in taken])
    return len(taken)


def _check(verb: Verb, at: datetime) -> None:
    if verb.verb not in VERBS:
        raise BadConfig(f"verb {verb.verb!r} is unknown; known: {', '.join(VERBS)}")
    if verb.verb == "assign" and not verb.team:
        raise BadConfig("assign needs a team")
    if verb.verb in ("postpone", "suppress") and verb.until <= at:
        raise BadConfig(f"{verb.verb} needs an end in the future")
    if not verb.actor:
        raise BadConfig("a verb needs its actor")


def history(store: Store, id_: str, *, as_of: datetime) -> list[dict[str, Any]]:
    """The verbs of one exception, oldest first."""
    return store.query(
        """
        SELECT at, verb, actor, comment, team, until FROM exception_verbs
        WHERE lower(hex(cityHash64(code, fingerprint, detected_at))) = {id:String} AND at <= {as_of:DateTime64(3, 'UTC')}
        ORDER BY at
        """,
        {"id": id_, "as_of": as_of},
    )


def _row(found: Mapping[str, Any], verb: Verb, at: datetime) -> dict[str, Any]:
    return {
        "code": found["code"],
        "fingerprint": found["fingerprint"],
        "detected_at": found["detected_at"],
        "at": at,
        "verb": verb.verb,
        "actor": verb.actor,
        "comment": verb.comment[:4000],
        "team": verb.team,
        "until": verb.until,
    }
