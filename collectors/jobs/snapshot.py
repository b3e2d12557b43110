"""
Job `snapshot`: keep the KPIs' headlines each minute, for the trends of what can only be read as of a moment.
"""

from __future__ import annotations

from datetime import UTC, datetime

from collectors.running import Done
from schema import kpi
from schema.store import Store

NAME = "snapshot"
EVERY_S = 60.0
AFTER_S = 20.0  # whoever starts Milepost opens a page first


def run(store: Store) -> Done:
    """One snapshot at this minute. How many points it wrote."""
    return Done(kpi.snapshot(store, datetime.now(UTC).replace(second=0, microsecond=0)))
