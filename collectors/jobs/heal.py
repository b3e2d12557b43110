"""
Job `heal`: derive what a crash between `otel_traces` and its views left out, soon after a start and then now and then.

Why now and then and not only at the start: on a server somebody else may write spans, and die without us.
Why not up to this moment: an INSERT under way is not one that left something out.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from collectors.running import Done
from schema import telemetry
from schema.store import Store

NAME = "heal"
EVERY_S = 600.0
AFTER_S = 15.0  # whoever starts Milepost opens a page first
UNDER_WAY = timedelta(minutes=2)
FIRST_BACK, BACK = timedelta(days=2), timedelta(hours=1)
BUDGET_S = 10.0


class Heal:
    """Rounds of one process; the first one looks further back, and up to now, for nothing of the last process is under way."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._is_first = True

    def __call__(self) -> Done:
        now = datetime.now(UTC)
        until, back = (now, FIRST_BACK) if self._is_first else (now - UNDER_WAY, BACK)
        n, since = telemetry.heal_lately(self._store, until, back, BUDGET_S)
        self._is_first = False
        return Done(n, detail=f"whole since {since:%Y-%m-%d %H:%M}Z")
