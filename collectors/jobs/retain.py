"""
Job `retain`: once a day, drop what is older than the catalogue keeps it.

Why soon after a start and then daily: a process that is started anew each night must come to it as well.
"""

from __future__ import annotations

from datetime import UTC, datetime

from collectors.running import Done
from schema import retention
from schema.governance import Catalogue
from schema.store import Store

NAME = "retain"
EVERY_S = 86_400.0
AFTER_S = 300.0


def run(store: Store, catalogue: Catalogue) -> Done:
    """One run. How many partitions went."""
    gone = retention.retain(store, catalogue, datetime.now(UTC).date())
    what = ", ".join(f"{n} of {table}" for table, n in gone.partitions.items())
    return Done(sum(gone.partitions.values()), detail=what and f"dropped {what}")
