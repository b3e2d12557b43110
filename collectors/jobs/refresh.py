"""
Job `state`: bring the state up to the events.

Why a round each two seconds and not a trigger: a round costs what was touched and not what is stored, so that the state is
never more than a few seconds behind, and a burst is folded in one go.
"""

from __future__ import annotations

from collectors.running import Done
from schema import state
from schema.store import Store

NAME = state.JOB
EVERY_S = 2.0


class Refresh:
    """Rounds of one process; the first one recomputes even what looks unchanged, for the last process may have died."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._is_first = True

    def __call__(self) -> Done:
        done = state.refresh(self._store, is_redo=self._is_first)
        self._is_first = False
        return Done(done.recomputed, done.mark, f"{done.touched:,} touched")
