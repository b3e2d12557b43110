"""
What the Scorecard reads: workflows and composites of a period against the one before, the course behind them, what it cost.

Why everything over one length of days and not calendar months: a page that is opened on the third of a month must compare
thirty days with thirty days, or it compares a weekend with a month. Nothing here refreshes by itself; an answer is kept for
minutes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from dashboard import session
from dashboard.queries import Rows, ask, at, cached
from schema import kpi

SLOW_S = 300
DAY_S = 86400
PERIODS = {"week": 7, "month": 30, "quarter": 90}
TREND_DAYS, WEEK_S = 91, 7 * DAY_S
PERIOD = "from = WINDOW_START, SCOPED"


@cached(SLOW_S)
def workflows(as_of: datetime | None, scope: tuple[str, ...], days: int) -> Rows:
    """A row a workflow: attainment against target and the period before, budget, exceptions, recovery; the worst first."""
    return ask(
        f"""
        SELECT * FROM workflow_scores({PERIOD}, PERIOD_BEFORE)
        ORDER BY indexOf(['off_target', 'watch', 'no_data', 'on_target'], status), priority, workflow
        """,  # noqa: S608 the names of parameters, not values
        as_of, scope, length_s=days * DAY_S,
    )  # fmt: skip


@cached(SLOW_S)
def parts(as_of: datetime | None, scope: tuple[str, ...], days: int) -> Rows:
    """The parts of the composites of exceptions, their scores in this period and (`before`, `n_before`) in the one before."""
    sql, end = f"SELECT * FROM scorecard_parts({PERIOD}) ORDER BY composite, weight DESC, part", at(as_of)  # noqa: S608 names
    now, then = (ask(sql, moment, scope, length_s=days * DAY_S) for moment in (end, end - timedelta(days=days)))
    return [{**n, "before": t["score"], "n_before": t["n"]} for n, t in zip(now, then, strict=True)]


@cached(SLOW_S)
def attainment(as_of: datetime | None, scope: tuple[str, ...], bucket_s: int) -> dict[str, list[kpi.Point]]:
    """Each workflow's attainment over the last quarter by bucket (a day or a week), oldest first."""
    end = at(as_of)
    start = end - timedelta(days=TREND_DAYS)
    points = kpi.trend(
        session.store(), "slo_attainment", start=start, end=end, as_of=end, bucket_s=bucket_s, by="workflow", scope=scope
    )
    return {name: [p for p in points if p.series == name] for name in {p.series for p in points}}


@cached(SLOW_S)
def ageing(as_of: datetime | None, scope: tuple[str, ...], days: int) -> Rows:
    """Open exceptions by age at the end of each day of the period (of each week of a quarter)."""
    bucket_s = DAY_S if days <= PERIODS["month"] else WEEK_S
    return ask(
        f"SELECT * FROM ageing_over(bucket_s = {{bucket_s:UInt32}}, {PERIOD}) ORDER BY at, position",  # noqa: S608 names
        as_of, scope, length_s=days * DAY_S, bucket_s=bucket_s,
    )  # fmt: skip


@cached(SLOW_S)
def incidents(as_of: datetime | None, scope: tuple[str, ...], days: int) -> Rows:
    """The five incidents of the period that cost most, also those that are over."""
    return ask(
        f"SELECT * FROM period_incidents({PERIOD}) ORDER BY value DESC, n DESC, incident LIMIT 5",  # noqa: S608 names
        as_of, scope, length_s=days * DAY_S,
    )  # fmt: skip


@cached(SLOW_S)
def open_total(as_of: datetime | None, scope: tuple[str, ...]) -> dict[str, Any]:
    """
    How many exceptions are open, how many of them past their age limit, the oldest, and what the objects behind them are worth,
    each object once. `first_at` is when any was first detected, `limit_at` when the next open one will have been known for as
    long as its limit allows; 1970 where there is none.
    """
    return ask(
        """
        WITH toDateTime64(0, 3, 'UTC') AS never
        SELECT
            sum(n_of) AS n, sum(n_late) AS n_past, max(oldest) AS oldest_s, sumIf(most, object_id != '') AS worth,
            if(countIf(first > never) > 0, minIf(first, first > never), never) AS first_at,
            if(countIf(next > never) > 0, minIf(next, next > never), never) AS limit_at
        FROM
        (
            SELECT
                object_type, object_id, countIf(i.is_open) AS n_of, countIf(i.is_past_sla) AS n_late,
                maxIf(i.value, i.is_open) AS most, maxIf(i.age_s, i.is_open) AS oldest, min(i.detected_at) AS first,
                minIf(i.limit_of, i.is_open AND i.limit_of > AS_OF) AS next
            FROM (SELECT *, detected_at + toIntervalSecond(sla_s) AS limit_of FROM known(SCOPED)) AS i
            GROUP BY object_type, object_id
        )
        """,
        as_of, scope,
    )[0]  # fmt: skip
