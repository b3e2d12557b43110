"""Waiting for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE_S = 120.0


def until(
    holds: Callable[[], Any], what: str = "what was waited for", *, within_s: float = PATIENCE_S, every_s: float = 0.05
) -> Any:
    """What holds, as soon as it does. If it never does, that is a failure that says what did not come."""
    end = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < end, f"{what} did not come about within {within_s:g} s"
        time.sleep(every_s)
    return found
