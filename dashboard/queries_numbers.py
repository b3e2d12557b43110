"""
What the Numbers page reads: the last value of every KPI, one KPI in full, and what every detector has open.

Why the overview comes from the snapshots and one KPI from its view: the overview must not compute a score of KPIs at every
look, and who opens one wants it as it is now, under the filters of the page.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from dashboard import session
from dashboard.limits import is_limited
from dashboard.queries import CALM_S, Rows, ask, at, cached
from schema import kpi
from schema.kpi import Point


@cached(CALM_S)
def latest(as_of: datetime | None) -> dict[str, dict[str, Any]]:
    """
    The last snapshot of every KPI without a cut, and its course over the last day, by name.

    Shape: the course has at most 48 values, of half hours on a full day, of minutes while the store is young. Of a part of the
    data no snapshots are kept.
    """
    if is_limited():
        return {}
    rows = ask(
        """
        WITH
            (
                SELECT greatest(60, intDiv(dateDiff('second', min(at), AS_OF), 48)) FROM kpi_snapshots
                WHERE `by` = '' AND at > AS_OF - INTERVAL 1 DAY AND at <= AS_OF
            ) AS slice_s
        SELECT name, argMax(last_value, last_at) AS value, argMax(last_n, last_at) AS n, max(last_at) AS at,
               arrayMap(x -> x.2, arraySort(groupArray((slice, last_value)))) AS course
        FROM
        (
            SELECT toString(kpi) AS name, intDiv(dateDiff('second', s.at, AS_OF), -slice_s) AS slice,
                   argMax(s.value, s.at) AS last_value, argMax(s.n, s.at) AS last_n, max(s.at) AS last_at
            FROM (SELECT * FROM kpi_snapshots FINAL) AS s
            WHERE s.`by` = '' AND s.at > AS_OF - INTERVAL 1 DAY AND s.at <= AS_OF
            GROUP BY name, slice
        )
        GROUP BY name
        """,
        as_of,
    )
    return {r["name"]: r for r in rows}


@cached(CALM_S)
def headline(as_of: datetime | None, scope: tuple[str, ...], name: str, length_s: int, by: str) -> list[Point]:
    """A KPI now over the window, whole or by a cut, the worst first by the KPI's own direction."""
    end = at(as_of)
    points = kpi.headline(
        session.store(), name, start=end - timedelta(seconds=length_s), end=end, as_of=end, by=by, scope=scope
    )
    is_low_good = kpi.known(name).header.good == "low"
    return sorted(points, key=lambda p: (-p.value if is_low_good else p.value, p.series))


@cached(CALM_S)
def trend(as_of: datetime | None, scope: tuple[str, ...], name: str, length_s: int, bucket_s: int) -> list[Point]:
    """The course of a KPI over the window; a gauge's from its snapshots, empty under filters that it was not kept for."""
    end = at(as_of)
    return kpi.trend(
        session.store(), name, start=end - timedelta(seconds=length_s), end=end, as_of=end, bucket_s=bucket_s, scope=scope
    )


@cached(CALM_S)
def raised(as_of: datetime | None, scope: tuple[str, ...], code: str, length_s: int) -> dict[str, Any]:
    """How often a detector spoke in the window, and how often what it said was over."""
    rows = ask(
        """
        SELECT countIf(detected_at > WINDOW_START) AS n_raised,
               countIf(NOT is_open AND closed_at > WINDOW_START) AS n_closed,
               countIf(is_past_sla) AS n_past
        FROM inbox(SCOPED) WHERE code = {code:String}
        """,
        as_of, scope, code=code, length_s=length_s,
    )  # fmt: skip
    return rows[0]


@cached(CALM_S)
def newest(as_of: datetime | None, scope: tuple[str, ...], code: str) -> Rows:
    """What a detector has open, of most value first, at most fifty."""
    return ask(
        """
        SELECT id, object_type, object_id, reason, place, value, began_at, is_past_sla, owner, status
        FROM inbox(SCOPED) WHERE code = {code:String} AND is_open
        ORDER BY value DESC, began_at, id LIMIT 50
        """,
        as_of, scope, code=code,
    )  # fmt: skip


@cached(CALM_S)
def open_now(as_of: datetime | None, scope: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """What every detector has open: how many, worth what, the oldest, by code."""
    rows = ask(
        """
        SELECT toString(code) AS name, count() AS n, sum(value) AS worth, max(age_s) AS oldest_s FROM inbox(SCOPED)
        WHERE is_open GROUP BY name
        """,
        as_of, scope,
    )  # fmt: skip
    return {r["name"]: r for r in rows}
