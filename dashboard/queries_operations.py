"""
What the Operations page reads: workflows, incidents, the funnel, freshness, blocked invoices, the backlog.

Why lists of dictionaries and not frames: every answer is a few dozen rows that the engine has already counted.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from dashboard import session
from dashboard.limits import is_limited
from dashboard.queries import CALM_S, Rows, ask, at, cached, direct, eventually, live
from schema import exceptions, kpi

ATTAINMENT = "slo_attainment"


@live
def workflows(as_of: datetime | None, scope: tuple[str, ...]) -> Rows:
    """Each workflow of the catalogue, by priority: what is open, needs somebody, is past its limit, and what it is worth."""
    found = ask(
        """
        SELECT workflow, count() AS n_open, countIf(needs_us) AS n_ours, countIf(needs_us AND is_past_sla) AS n_past,
               sum(value) AS value, max(age_s) AS oldest_s
        FROM inbox(SCOPED) WHERE is_open AND workflow != '' GROUP BY workflow
        """,
        as_of,
        _without_workflow(scope),
    )
    counted = {r["workflow"]: r for r in found}
    nothing = {"n_open": 0, "n_ours": 0, "n_past": 0, "value": 0.0, "oldest_s": 0}
    named = sorted(session.catalogue().workflows.items(), key=lambda item: (item[1].priority, item[0]))
    return [nothing | counted.get(name, {}) | {"workflow": name, "title": w.title, "target": w.slo.target} for name, w in named]


@direct
def incidents(as_of: datetime | None, scope: tuple[str, ...]) -> Rows:
    """Open incidents, worst first: by value at risk within a severity, then by age; with their likeliest cause, once known."""
    if as_of:
        return exceptions.with_causes(open_incidents(as_of, scope), _causes_then(as_of, scope))
    now = (_causes_of_part(scope) or {}) if scope else _causes()
    return exceptions.with_causes(open_incidents(as_of, scope), now)


@live
def open_incidents(as_of: datetime | None, scope: tuple[str, ...]) -> Rows:
    """The same without their technical half."""
    return exceptions.open_incidents(session.store(), at(as_of), scope=scope)


@cached(CALM_S)
def _causes_then(as_of: datetime | None, scope: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The causes behind the incidents that were open."""
    return exceptions.causes(session.store(), at(as_of), scope=scope)


@live
def _causes() -> dict[str, dict[str, Any]]:
    """The causes behind the open incidents, as the last round of the detectors found them; nothing for who sees a part."""
    return {} if is_limited() else exceptions.kept_causes(session.store())


@eventually
def _causes_of_part(scope: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Within a scope: far dearer than which are open, and they change slowly."""
    return exceptions.causes(session.store(), at(None), scope=scope)


@live
def stages(as_of: datetime | None, scope: tuple[str, ...], by: str) -> Rows:
    """The funnel: stage x series, with count, value, flow of the last hour and what is past its tolerance."""
    return ask(
        "SELECT * FROM stages(SCOPED, by = {by:String}) ORDER BY position, n DESC, series",
        as_of,
        scope,
        by=by,
    )


@live
def freshness(as_of: datetime | None, scope: tuple[str, ...]) -> Rows:
    """Carrier x region: shipments under way and the share without progress for too long."""
    return ask("SELECT * FROM freshness(SCOPED) ORDER BY carrier, region", as_of, scope)


@live
def stale_shipments(as_of: datetime | None, scope: tuple[str, ...], carrier: str, region: str) -> Rows:
    """The shipments of one cell of the freshness map, stalest first, at most 500."""
    return ask(
        """
        SELECT object_id, state, progressed_at, warehouse, customer, mode, value, is_stale, waits_for,
               dateDiff('second', progressed_at, AS_OF) AS age_s
        FROM shipments(SCOPED, by = '')
        WHERE is_active AND carrier = {carrier:String} AND region = {region:String}
        ORDER BY is_stale DESC, progressed_at LIMIT 500
        """,
        as_of,
        scope,
        carrier=carrier,
        region=region,
    )


@direct
def blocked(as_of: datetime | None, scope: tuple[str, ...]) -> Rows:
    """Region x carrier: blocked invoices, their value, and the oldest age."""
    return [r for r in _blocked(as_of, scope) if not r["is_reason"]]


@direct
def blocked_because(as_of: datetime | None, scope: tuple[str, ...]) -> Rows:
    """The first unmet guards of blocked invoices: how many wait for each, what they are worth, who owes it."""
    return sorted((r for r in _blocked(as_of, scope) if r["is_reason"]), key=lambda r: -r["worth"])


@live
def _blocked(as_of: datetime | None, scope: tuple[str, ...]) -> Rows:
    """Both in one reading of the invoices."""
    return ask(
        """
        SELECT region, carrier, waits_for, owed_by, owner, grouping(region) = 1 AS is_reason,
               count() AS n, sum(value) AS worth, max(age_s) AS oldest_s
        FROM blocked_invoices(SCOPED, by = '')
        GROUP BY GROUPING SETS ((region, carrier), (waits_for, owed_by, owner)) ORDER BY region, carrier
        """,
        as_of,
        scope,
    )


@live
def blocked_invoices(as_of: datetime | None, scope: tuple[str, ...], region: str, carrier: str) -> Rows:
    """The invoices of one cell, oldest first, at most 500, with why, who owes it, since when and the last trace."""
    return ask(
        """
        WITH found AS
        (
            SELECT * FROM blocked_invoices(SCOPED, by = '') WHERE region = {region:String} AND carrier = {carrier:String}
            ORDER BY since LIMIT 500
        )
        SELECT f.*, t.last_trace AS trace_id FROM found AS f
        LEFT JOIN
        (
            SELECT object_id, argMax(trace_id, occurred_at) AS last_trace FROM events
            PREWHERE object_type = 'invoice' AND object_id GLOBAL IN (SELECT object_id FROM found)
            WHERE trace_id != '' GROUP BY object_id
        ) AS t ON t.object_id = f.object_id
        ORDER BY f.since
        """,
        as_of,
        scope,
        region=region,
        carrier=carrier,
    )


@cached(CALM_S)
def attainment(as_of: datetime | None, scope: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Each workflow's objective over the last 24 hours: value, n, status, and its course over the hours with anything due."""
    end, start, ours = at(as_of), at(as_of) - timedelta(days=1), _without_workflow(scope)
    store, course = session.store(), dict[str, list[float]]()
    for p in kpi.trend(store, ATTAINMENT, start=start, end=end, as_of=end, bucket_s=3600, by="workflow", scope=ours):
        course.setdefault(p.series, []).append(p.value)
    headline = kpi.headline(store, ATTAINMENT, start=start, end=end, as_of=end, by="workflow", scope=ours)
    return {p.series: {"value": p.value, "n": p.n, "status": _status(p), "trend": course.get(p.series, [])} for p in headline}


def _status(point: kpi.Point) -> kpi.Status:
    """Against the workflow's own target; amber is as wide as the catalogue has it for workflows in general."""
    tolerance = session.catalogue().tolerances[kpi.known(ATTAINMENT).header.target]
    workflow = session.catalogue().workflows.get(point.series)
    target = workflow.slo.target if workflow else tolerance.target
    own = tolerance.model_copy(update={"target": target, "watch": target - (tolerance.target - tolerance.watch)})
    return kpi.status(kpi.known(ATTAINMENT), point.value, own)


@cached(CALM_S)
def typical(as_of: datetime | None) -> dict[str, float]:
    """
    The usual number of objects in each stage at this hour of this weekday, from the snapshots of the last six weeks; of a part
    of the data none are kept.
    """
    if is_limited():
        return {}
    rows = ask(
        """
        SELECT series, quantileExact(0.5)(n) AS usual FROM kpi_snapshots FINAL
        WHERE kpi = 'backlog_by_stage' AND `by` = 'stage' AND at < AS_OF - INTERVAL 1 DAY AND at > AS_OF - INTERVAL 6 WEEK
          AND toHour(at) = toHour(AS_OF) AND toDayOfWeek(at) = toDayOfWeek(AS_OF)
        GROUP BY series
        """,
        as_of,
    )
    return {r["series"]: r["usual"] for r in rows}


def _without_workflow(scope: tuple[str, ...]) -> tuple[str, ...]:
    """The cards show every workflow, the chosen one among them."""
    return tuple(s for s in scope if not s.startswith("workflow="))
