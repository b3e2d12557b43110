"""
The inbox of the weeks before the demo was started: what the detectors would have said then of the troubles of the past.

Why asked of the detectors and not written from the story: they answer as of any moment, so the episodes follow from what was
told and not from what was meant. Why folded here and not by schema.exceptions.detect: a round of the past would close what is
open now; only episodes that are over go into the inbox, where rounds of the present leave them alone. Their keys are their
content, so that a look back that is begun again adds nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from threading import Event as Signal
from typing import Any

from collectors.demo.troubles import Trouble
from schema import definitions, exceptions
from schema.exceptions import Verb
from schema.governance import Catalogue
from schema.store import Store

ROUNDS, SHORTEST_S, DAY_S = 12, 1800, 86_400
IDLE = 2.0  # how much longer it rests than it works
CONFIRMED_AFTER = timedelta(minutes=25)
COLUMNS = ("code", "detected_at", "closed_at", *definitions.DETECTOR_COLUMNS, "severity", "workflow", "sla_s", "ver")
MINE = """
SELECT id, detected_at, closed_at FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = [])
WHERE code = {code:String} AND detected_at >= {since:DateTime64(3, 'UTC')} AND NOT is_open AND n_verbs = 0
ORDER BY detected_at, id
"""
Row = dict[str, Any]


class LookBack:
    """Goes through the troubles one by one, slowly, for it is never as urgent as what is live."""

    def __init__(self, store: Store, catalogue: Catalogue, stop: Signal, *, idle: float = IDLE) -> None:
        self._store, self._catalogue, self._stop, self._idle = store, catalogue, stop, idle

    def run(self, troubles: tuple[Trouble, ...], done: Callable[[int], None], first: int = 0) -> None:
        """From the trouble at position `first`; `done` is told how many are through."""
        for i, trouble in enumerate(troubles[first:], first + 1):
            closed = self.episodes(trouble)
            if self._stop.is_set():
                return
            self._keep(trouble, closed)
            done(i)

    def episodes(self, trouble: Trouble) -> list[Row]:
        """What was found and was over again, round by round."""
        is_open: dict[str, Row] = {}
        closed: list[Row] = []
        for at in moments(trouble):
            if self._stop.is_set():
                break
            found = {row["fingerprint"]: row for row in self._round(trouble.code, at)}
            closed += [is_open.pop(key) | {"closed_at": at} for key in is_open.keys() - found.keys()]
            for key, row in found.items():
                is_open[key] = row | {"detected_at": is_open.get(key, {"detected_at": at})["detected_at"]}
        return closed

    def _round(self, code: str, at: datetime) -> list[Row]:
        columns = ", ".join(definitions.DETECTOR_COLUMNS)
        detector = definitions.detectors()[code]
        began = time.perf_counter()
        found = self._store.query(f"SELECT {columns} FROM (\n{detector.sql}\n)", {"as_of": at})  # noqa: S608
        self._stop.wait(self._idle * (time.perf_counter() - began))
        return found

    def _keep(self, trouble: Trouble, closed: list[Row]) -> None:
        policy = self._catalogue.exceptions[trouble.code]
        more = {
            "code": trouble.code, "severity": policy.severity, "workflow": policy.workflow, "sla_s": policy.sla_s,
            "ver": time.time_ns() // 1000,
        }  # fmt: skip
        rows = [row | more | {"owner": row["owner"] or policy.owner} for row in closed]
        self._store.insert("exceptions", COLUMNS, [[row[name] for name in COLUMNS] for row in rows])
        if rows and trouble.by:
            self._own(trouble)

    def _own(self, trouble: Trouble) -> None:
        """Each batch of them is taken some time after it was seen, and all are confirmed when the last is over; but once."""
        asked = {"as_of": _at(trouble.over_at + DAY_S), "since": _at(trouble.since), "code": trouble.code}
        mine = self._store.query(MINE, asked)
        for detected_at, ids in _batches(mine):
            at = detected_at + timedelta(seconds=trouble.owned_after_s)
            taken = [row["id"] for row in ids if row["closed_at"] > at]
            exceptions.act_many(self._store, taken, Verb("", "acknowledge", trouble.by, trouble.comment), at=at)
        if mine:
            at = max(row["closed_at"] for row in mine) + CONFIRMED_AFTER
            exceptions.act_many(self._store, [row["id"] for row in mine], Verb("", "confirm", trouble.by), at=at)


def moments(trouble: Trouble) -> Iterator[datetime]:
    """When to look: evenly from the beginning until it is surely over."""
    step = max(SHORTEST_S, (trouble.over_at - trouble.since) // ROUNDS)
    return (_at(at) for at in range(trouble.since, trouble.over_at + step, step))


def _batches(mine: list[Row]) -> Iterator[tuple[datetime, list[Mapping[str, Any]]]]:
    for detected_at in sorted({row["detected_at"] for row in mine}):
        yield detected_at, [row for row in mine if row["detected_at"] == detected_at]


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
