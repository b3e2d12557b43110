"""
Business time, as the catalogue's calendar has it: how long something has been overdue for people who go home at night.

Why taken from the same rows that SQL reads: the truth about an overdue order must count the hours that the detector counts.
"""

from __future__ import annotations

from datetime import UTC, datetime

from schema.governance import Catalogue
from schema.policy import catalogue_rows

CALENDAR = "business"
DAY_S, STEP_S = 86_400, 300


class BusinessClock:
    """The business calendar around a day; times are seconds since 1970."""

    def __init__(self, catalogue: Catalogue, around: int) -> None:
        mine = catalogue.model_copy(update={"calendars": {CALENDAR: catalogue.calendars[CALENDAR]}})
        rows = catalogue_rows(mine, datetime.fromtimestamp(around, UTC).date())["gov_calendar"][1]
        epoch = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
        self._days: dict[int, tuple[int, int, int]] = {
            day.toordinal() - epoch: (int(opens_at.timestamp()), open_s, before_s)
            for _, day, opens_at, open_s, before_s in rows
        }

    def seconds(self, at: int) -> int:
        """Seconds that were open before `at`, from where the calendar begins."""
        opens_at, open_s, before_s = self._days[at // DAY_S]
        return before_s + max(0, min(open_s, at - opens_at))

    def between(self, since: int, until: int) -> int:
        """Open seconds of [since, until)."""
        return self.seconds(until) - self.seconds(since)

    def before(self, at: int, open_s: int) -> int:
        """The latest time, to five minutes, from which `open_s` open seconds pass until `at`."""
        target = self.seconds(at) - open_s
        while self.seconds(at) > target:
            at -= STEP_S
        return at
