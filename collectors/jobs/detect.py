"""
Job `detect`: run every detector as of now and fold the result into the inbox.

Why after the state and not with it: a detector reads the state of all objects, so that one round finds what has come and
what has not come alike.
"""

from __future__ import annotations

from datetime import UTC, datetime

from collectors.running import Done
from schema import exceptions
from schema.store import Store

NAME = "detect"
EVERY_S = 15.0
AFTER_S = 8.0  # whoever starts Milepost opens a page first, and it says when the detectors last ran


def run(store: Store) -> Done:
    """One round. How many conditions hold."""
    return Done(exceptions.detect(store, datetime.now(UTC)))
