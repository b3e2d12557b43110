"""
The catalogue as rows of the `gov_*` tables: what SQL reads of policy.

Why loaded whole at migration and not edited in place: the tables are then a pure copy of one validated file, and the digest
in `gov_catalogue` says which. A change rebuilds the state, because ranks, guards and code maps are part of its fold.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from schema.governance import Catalogue
from schema.rules import Calendar, Lifecycle, Stage, Tolerance, Wait
from schema.store import Store

Rows = list[tuple[Any, ...]]
WORKFLOW_COLUMNS = (
    "workflow", "title", "owner", "priority", "weight", "object_types", "slo_type", "slo_from", "slo_to",
    "slo_limit_s", "slo_clock", "slo_target", "slo_window_days",
)  # fmt: skip
GUARD_COLUMNS = (
    "object_type", "position", "for_state", "for_rank", "name", "on_type", "state", "rank", "no_hold", "owed_by", "owner",
)  # fmt: skip
WAIT_COLUMNS = (
    "what", "name", "object_type", "kind", "begins", "done", "states", "overlay", "expected", "dropping", "reversals", "blocks",
    "limit_s", "modes", "mode_limits", "clock",
)  # fmt: skip
CALENDAR_YEARS_BACK, CALENDAR_YEARS_AHEAD = 3, 1  # whole years, as the digest in force says: no other rows on another day


def in_force(store: Store) -> str:
    """The digest of the catalogue whose rows the tables hold, whole; empty if none was loaded."""
    return str(store.value("SELECT digest FROM gov_catalogue ORDER BY loaded_at DESC LIMIT 1") or "")


def load(store: Store, catalogue: Catalogue, *, today: date | None = None) -> bool:
    """Copy the catalogue into its tables if it is another than the one in force; its digest last. True if it was."""
    day = today or datetime.now(UTC).date()
    digest = f"{catalogue.digest}-{day.year}"
    if in_force(store) == digest:
        return False
    for table, (columns, rows) in catalogue_rows(catalogue, day).items():
        store.command(f"TRUNCATE TABLE {table}")
        store.insert(table, columns, rows)
    columns = ("version", "digest", "base_currency", "loaded_at")
    row = (catalogue.version, digest, catalogue.base_currency, datetime.now(UTC))
    store.insert("gov_catalogue", columns, [row])
    return True


def catalogue_rows(c: Catalogue, today: date) -> dict[str, tuple[tuple[str, ...], Rows]]:
    """Table -> (columns, rows), for every gov_* table but gov_catalogue."""
    return {
        "gov_span_keys": (("kind", "position", "attribute"), list(_span_keys(c))),
        "gov_states": (
            ("object_type", "state", "rank", "roles", "is_reversal", "is_final", "is_active", "is_facility"),
            [
                (t, name, s.rank, list(s.roles), s.is_reversal, s.is_final, s.is_active, s.is_facility)
                for t, life in c.lifecycles.items()
                for name, s in life.states.items()
            ],
        ),
        "gov_overlays": (
            ("object_type", "overlay", "cleared_by", "is_block"),
            [(t, n, list(o.cleared_by), o.is_block) for t, life in c.lifecycles.items() for n, o in life.overlays.items()],
        ),
        "gov_wait_rules": (WAIT_COLUMNS, list(_wait_rules(c))),
        "gov_guards": (GUARD_COLUMNS, list(_guards(c))),
        "gov_stages": (
            ("position", "stage", "object_type", "states", "overlay", "tolerance", "limit_s"),
            [
                (i, s.name, s.object_type, list(s.states), s.overlay, s.tolerance, c.tolerances[s.tolerance].limit_s)
                for i, s in enumerate(c.stages)
            ],
        ),
        "gov_tolerances": (
            ("name", "mode", "title", "unit", "target", "watch", "limit_s", "clock"),
            [
                (name, mode, t.title, t.unit, t.target, t.watch, limit, t.clock)
                for name, t in c.tolerances.items()
                for mode, limit in {"": t.limit_s, **t.by_mode}.items()
            ],
        ),
        "gov_workflows": (WORKFLOW_COLUMNS, list(_workflows(c))),
        "gov_teams": (("team", "title", "contact"), [(n, t.title, t.contact) for n, t in c.teams.items()]),
        "gov_exceptions": (
            ("code", "title", "owner", "severity", "sla_s", "escalate_to", "workflow", "awaits"),
            [
                (n, e.title, e.owner, e.severity, e.sla_s, e.escalate_to, e.workflow, list(e.awaits))
                for n, e in c.exceptions.items()
            ],
        ),
        "gov_reconcile": (
            ("name", "object_type", "leader", "follower", "states", "expects", "expects_rank", "tolerance_s", "owner"),
            list(_reconcile(c)),
        ),
        "gov_feeds": (
            ("source", "title", "cadence_s", "grace_s", "owner", "calendar", "carrier", "region"),
            [
                (n, f.title, f.cadence_s, f.grace_s, f.owner, f.calendar, f.carrier, f.region)
                for n, f in c.feeds.items()
            ],
        ),
        "gov_interfaces": (
            ("interface", "title", "owner", "carrier", "carries"),
            [
                (n, i.title, i.owner, i.carrier, [(x.object_type, x.state) for x in i.carries])
                for n, i in c.interfaces.items()
            ],
        ),
        "gov_calendar": (("calendar", "day", "opens_at", "open_s", "open_before_s"), list(_calendars(c, today))),
        "gov_rates": (("currency", "rate"), list(c.rates.items())),
        "gov_codes": (
            ("list", "element", "partner", "version", "code", "state", "classifier", "exception"),
            [
                (m.list, m.element, m.partner, m.version, code, x.state, x.classifier, x.exception)
                for m in c.code_maps
                for code, x in m.codes.items()
            ],
        ),
    }


def _span_keys(c: Catalogue) -> Iterator[tuple[str, int, str]]:
    t = c.telemetry
    named: dict[str, tuple[str, ...]] = {str(kind): names for kind, names in t.keys.items()}
    named |= {"interface": t.interface, "partner": t.partner, "attempt": t.attempt, "message": t.message}
    for kind, attributes in named.items():
        for i, attribute in enumerate(attributes):
            yield kind, i, attribute


def _guards(c: Catalogue) -> Iterator[tuple[Any, ...]]:
    """Guards in the order in which they fall due: by the rank of the state that they guard, then as written."""
    for type_, life in c.lifecycles.items():
        for i, g in enumerate(sorted(life.guards, key=lambda g: life.states[g.for_].rank)):
            rank = c.lifecycles[g.on].states[g.state].rank if g.state else 0
            for_rank = life.states[g.for_].rank
            yield type_, i, g.for_, for_rank, g.name, g.on, g.state, rank, g.no_hold, g.owed_by, g.owner


def _wait_rules(c: Catalogue) -> Iterator[tuple[Any, ...]]:
    """The promises of the workflows, the tolerances that name a wait, and each stay in a stage."""
    for name, w in c.workflows.items():
        yield "workflows", name, *_wait(c, w.slo), *_limits(c.tolerances[w.slo.tolerance])
    for name, t in c.tolerances.items():
        if t.wait:
            yield name, name, *_wait(c, t.wait), *_limits(t)
    for s in c.stages:
        yield "stages", s.name, *_stay(c, s), *_limits(c.tolerances[s.tolerance])
    yield "blocked_invoice", "blocked_invoice", *_held(c), *_limits(c.tolerances["blocked_invoice"])
    yield "shipment_status", "shipment_status", *_moving(c), *_limits(c.tolerances["shipment_status"])


def _held(c: Catalogue) -> tuple[Any, ...]:
    """An invoice waits for its guards once it is ready or any of them was met, and for the receiver who queries it."""
    return ("invoice", "guards", "invoice_ready", [], ["under_query"], "", "", *_life(c.lifecycles["invoice"]))


def _moving(c: Catalogue) -> tuple[Any, ...]:
    """A shipment on the road waits for its next sign of progress."""
    return ("shipment", "progress", "", [], [], "", "", *_life(c.lifecycles["shipment"]))


def _wait(c: Catalogue, wait: Wait) -> tuple[Any, ...]:
    """It is done with the state that it waits for or any that ranks higher; a reversal never does it."""
    states = c.lifecycles[wait.object_type].states
    done = [name for name, s in states.items() if s.rank >= states[wait.to].rank and not s.is_reversal]
    return (wait.object_type, "wait", wait.from_, done, [], "", "", *_life(c.lifecycles[wait.object_type]))


def _stay(c: Catalogue, stage: Stage) -> tuple[Any, ...]:
    states = c.lifecycles[stage.object_type].states
    last = max((states[name].rank for name in stage.states), default=0)
    after = sorted((s.rank, name) for name, s in states.items() if s.rank > last and not s.is_reversal)
    expected = "cleared" if stage.overlay else next((name for _, name in after), "")
    kind = "overlay" if stage.overlay else "stay"
    life = _life(c.lifecycles[stage.object_type])
    return (stage.object_type, kind, "", [], list(stage.states), stage.overlay, expected, *life)


def _life(life: Lifecycle) -> tuple[list[str], list[str], list[str]]:
    """States that drop a wait, states that go back, and overlays under which nobody waits."""
    reversals = [name for name, s in life.states.items() if s.is_reversal]
    dropping = [name for name in reversals if life.states[name].is_final]
    return dropping, reversals, [name for name, o in life.overlays.items() if o.is_block]


def _limits(t: Tolerance) -> tuple[int, list[str], list[int], str]:
    return t.limit_s, list(t.by_mode), list(t.by_mode.values()), t.clock


def _workflows(c: Catalogue) -> Iterator[tuple[Any, ...]]:
    for name, w in c.workflows.items():
        t = c.tolerances[w.slo.tolerance]
        yield (
            name, w.title, w.owner, w.priority, w.weight, list(w.object_types), w.slo.object_type, w.slo.from_, w.slo.to,
            t.limit_s, t.clock, w.slo.target, w.slo.window_days,
        )  # fmt: skip


def _reconcile(c: Catalogue) -> Iterator[tuple[Any, ...]]:
    for name, r in c.reconcile.items():
        rank = c.lifecycles[r.object_type].states[r.expects].rank if r.expects else 0
        yield name, r.object_type, r.leader, r.follower, list(r.states), r.expects, rank, r.tolerance_s, r.owner


def _calendars(c: Catalogue, today: date) -> Iterator[tuple[Any, ...]]:
    start = date(today.year - CALENDAR_YEARS_BACK, 1, 1)
    n_days = (date(today.year + CALENDAR_YEARS_AHEAD + 1, 1, 1) - start).days
    for name, calendar in c.calendars.items():
        before = 0
        for i in range(n_days):
            day = start + timedelta(days=i)
            opens_at, open_s = _hours(calendar, day)
            yield name, day, opens_at, open_s, before
            before += open_s


def _hours(calendar: Calendar, day: date) -> tuple[datetime, int]:
    """When the site opens on a local day, in UTC, and for how many seconds; a closed day is open for 0 s."""
    zone = ZoneInfo(calendar.zone)
    opens = datetime.combine(day, time.fromisoformat(calendar.opens), zone).astimezone(UTC)
    is_off = day.isoweekday() not in calendar.days
    if is_off or (calendar.country and day in _holidays(calendar.country, day.year)):
        return opens, 0
    if calendar.closes == "24:00":
        closes = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    else:
        closes = datetime.combine(day, time.fromisoformat(calendar.closes), zone).astimezone(UTC)
    return opens, int((closes - opens).total_seconds())


_HOLIDAYS: dict[tuple[str, int], frozenset[date]] = {}


def _holidays(country: str, year: int) -> frozenset[date]:
    if (country, year) not in _HOLIDAYS:
        _HOLIDAYS[country, year] = frozenset(holidays.country_holidays(country, years=year))
    return _HOLIDAYS[country, year]
