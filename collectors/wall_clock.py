"""
The two hours of a year at which a wall clock does not say when it is.

Why a word and not a guess: when clocks go back, 01:30 is shown twice, and nothing in a message says which is meant; when they
go forward, 02:30 is shown never. The first reading counts (the earlier of the two; as if the clock had not yet gone forward),
the same in every replay, and a finding says that it may be an hour off, before somebody looks for a stage of minus one hour.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

CODE = "doubtful_time"


def doubt(shown: datetime, zone: tzinfo) -> str:
    """Why the time that a clock in `zone` shows (naive) is no one instant; empty if it is."""
    first, second = (shown.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return ""
    is_shown = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == shown
    how = "twice: the earlier of the two counts" if is_shown else "never: the clocks went forward over it"
    return f"the clocks of {zone} showed {shown:%Y-%m-%d %H:%M} {how}"
