"""
The one reader of KPIs: headlines, buckets, trends, status, and the snapshots of what can only be read as of a moment.

Why so thin: a KPI is a view that takes its window, so that the tile, the trend, the alert and a colleague's SQL client get the
same number; here stand only the choice of the window and the judgement against the target. Why snapshots: a gauge has one
value a moment, and its past is told by what was read then; a window KPI's past is asked anew: late events may have changed it.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from schema import definitions
from schema.definitions import KPI_PARAMS, Kpi
from schema.errors import BadConfig
from schema.rules import Tolerance
from schema.store import Store, quote

Status = Literal["on_target", "watch", "off_target", "no_data"]
WINDOW = timedelta(days=1)
KEPT_CUTS = ("region", "workflow", "stage")  # beside no cut at all: a snapshot a minute has to stay cheap
# Prefixed, so that a parameter of the statement is never taken for one of the view's own.
ARGUMENTS = ", ".join(f"{name} = {{ask_{name}:{type_}}}" for name, type_ in KPI_PARAMS.items())


@dataclass(frozen=True, slots=True)
class Point:
    """One value: of the bucket that begins at `bucket`, for one value of the cut, over `n`. `is_partial`: still filling."""

    bucket: datetime
    series: str
    value: float
    n: int
    is_partial: bool = False


def read(
    store: Store,
    name: str,
    *,
    start: datetime,
    end: datetime,
    as_of: datetime,
    bucket_s: int,
    by: str = "",
    scope: tuple[str, ...] = (),
) -> list[Point]:
    """
    A KPI over [start, end) as known at `as_of`, by bucket and by cut. What has no data has no point.

    `scope` holds 'cut=value'; several values of one cut are alternatives. A gauge has one bucket.
    Raises: BadConfig for an unknown KPI, or a cut or window that it does not have.
    """
    kpi = known(name, by)
    if start >= end or bucket_s < 1:
        raise BadConfig(f"{name}: a window needs start < end and buckets of 1 s or more, got {start} to {end} by {bucket_s} s")
    sql = f"SELECT bucket, series, value, n FROM {quote(kpi.view)}({ARGUMENTS}) ORDER BY series, bucket"  # noqa: S608 names, not values
    return [Point(**row) for row in store.query(sql, _asked(start, end, as_of, bucket_s, by, scope))]


def headline(
    store: Store, name: str, *, start: datetime, end: datetime, as_of: datetime, by: str = "", scope: tuple[str, ...] = ()
) -> list[Point]:
    """One bucket over the whole window, one point a series: a ratio or quantile is never an average of averages."""
    return read(store, name, start=start, end=end, as_of=as_of, bucket_s=_whole(start, end), by=by, scope=scope)


def trend(
    store: Store,
    name: str,
    *,
    start: datetime,
    end: datetime,
    as_of: datetime,
    bucket_s: int,
    by: str = "",
    scope: tuple[str, ...] = (),
) -> list[Point]:
    """
    The course of a KPI by bucket, the still-filling one marked: a window KPI from its buckets, a gauge from its snapshots, the
    last one of each bucket.

    A gauge's snapshots are kept under no filter, and by region and by workflow; asked under another filter it has no course.
    """
    kpi = known(name, by)
    if kpi.header.shape == "window":
        points = read(store, name, start=start, end=end, as_of=as_of, bucket_s=bucket_s, by=by, scope=scope)
    elif (kept := _kept(kpi, by, scope)) is None:
        return []
    else:
        points = _snapshots(store, name, start, end, as_of, bucket_s, kept)
    width = timedelta(seconds=bucket_s)
    return [replace(p, is_partial=min(p.bucket + width, end) > as_of) for p in points]


def status(kpi: Kpi, value: float | None, tolerance: Tolerance) -> Status:
    """How a value stands to its target; `watch` is where amber ends."""
    if value is None or math.isnan(value):
        return "no_data"
    sign = 1 if kpi.header.good == "low" else -1
    if sign * value <= sign * tolerance.target:
        return "on_target"
    return "watch" if sign * value <= sign * tolerance.watch else "off_target"


def known(name: str, by: str = "") -> Kpi:
    """The KPI of this name. Raises: BadConfig, with what is known, for another name or a cut that it does not have."""
    kpis = definitions.kpis()
    if name not in kpis:
        raise BadConfig(f"KPI {name!r} is unknown; known: {', '.join(sorted(kpis))}")
    if by and by not in kpis[name].header.by:
        raise BadConfig(f"{name} has no cut {by!r}; it has: {', '.join(kpis[name].header.by)}")
    return kpis[name]


# --- snapshots -----------------------------------------------------------------------------------------------------------
INSERT = """
INSERT INTO kpi_snapshots (kpi, `by`, at, series, value, n, ver)
SELECT {{kpi:String}}, {{ask_by:String}}, {{ask_as_of:DateTime64(3, 'UTC')}}, series, value, n, {{ver:UInt64}}
FROM {view}({arguments})
"""
LAST_OF_BUCKET = """
SELECT
    milepost_bucket({start:DateTime64(3, 'UTC')}, {bucket_s:UInt32}, s.at) AS bucket,
    if({kept:String} = '', s.series, '') AS series,
    argMax(s.value, s.at) AS value,
    argMax(s.n, s.at) AS n
FROM (SELECT * FROM kpi_snapshots FINAL) AS s
WHERE s.kpi = {kpi:String} AND s.`by` = {by:String} AND ({kept:String} = '' OR s.series = {kept:String})
  AND s.at >= {start:DateTime64(3, 'UTC')} AND s.at < {end:DateTime64(3, 'UTC')} AND s.at <= {as_of:DateTime64(3, 'UTC')}
GROUP BY bucket, series
ORDER BY series, bucket
"""


def snapshot(store: Store, at: datetime) -> int:
    """Keep every KPI's headline over its natural window until `at`, gauges by the kept cuts as well. How many points."""
    ver = time.time_ns() // 1000
    objective_days = store.value("SELECT max(slo_window_days) FROM gov_workflows")
    for kpi in definitions.kpis().values():
        window = timedelta(days=objective_days) if "workflow" in kpi.header.by and kpi.header.shape == "window" else WINDOW
        cuts = KEPT_CUTS if kpi.header.shape == "gauge" else ()
        for by in ("", *(cut for cut in cuts if cut in kpi.header.by)):
            asked = _asked(at - window, at, at, _whole(at - window, at), by, ())
            sql = INSERT.format(view=quote(kpi.view), arguments=ARGUMENTS)
            store.command(sql, {**asked, "kpi": kpi.name, "ver": ver})
    return int(store.value("SELECT count() FROM kpi_snapshots WHERE ver = {ver:UInt64}", {"ver": ver}))


def _kept(kpi: Kpi, by: str, scope: tuple[str, ...]) -> tuple[str, str] | None:
    """(the cut, its value or '' for all) under which the snapshots of a gauge answer this question; None if none do."""
    if not scope:
        return (by, "") if by in ("", *KEPT_CUTS) else None
    cut, _, value = scope[0].partition("=")
    is_kept = len(scope) == 1 and by == "" and cut in KEPT_CUTS and cut in kpi.header.by
    return (cut, value) if is_kept else None


def _snapshots(
    store: Store, name: str, start: datetime, end: datetime, as_of: datetime, bucket_s: int, kept: tuple[str, str]
) -> list[Point]:
    asked = {"kpi": name, "by": kept[0], "kept": kept[1], "start": start, "end": end, "as_of": as_of, "bucket_s": bucket_s}
    return [Point(**row) for row in store.query(LAST_OF_BUCKET, asked)]


def _asked(start: datetime, end: datetime, as_of: datetime, bucket_s: int, by: str, scope: tuple[str, ...]) -> dict[str, Any]:
    values = {"from": start, "to": end, "as_of": as_of, "bucket_s": bucket_s, "by": by, "scope": list(scope)}
    return {f"ask_{name}": value for name, value in values.items()}


def _whole(start: datetime, end: datetime) -> int:
    return max(1, math.ceil((end - start).total_seconds()))
