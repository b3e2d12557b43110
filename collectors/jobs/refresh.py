"""
Job `state`: bring the state up to the events.

Why a round each two seconds and not a trigger: a round costs what was touched and not what is stored, so that the state is
never more than a few seconds behind, and a burst is folded in one go.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from collectors.running import Done
from schema import state
from schema.store import Store

NAME = state.JOB
EVERY_S = 2.0
WIDE_EVERY, WIDE = 30, timedelta(minutes=5)


class Refresh:
    """
    Rounds of one process. After one that did not end, here or in another process, even what looks unchanged is recomputed;
    `term` tells that another may have worked in between: it is then another number.

    How far the last round of this process got is kept here: after our clock was set back, the latest mark in the store lies
    ahead of it. Once a minute a round looks further back, for what took longer than usual from its stamp to being readable,
    and whether a fold of everything is owed: by another process that died in it, or that came with another catalogue.
    """

    def __init__(self, store: Store, term: Callable[[], int] = lambda: 0) -> None:
        self._store, self._term = store, term
        self._whole_in: int | None = None
        self._since: datetime | None = None
        self._n = 0

    def __call__(self) -> Done:
        term = self._term()
        is_redo, self._whole_in = self._whole_in != term, None
        is_wide = self._n % WIDE_EVERY == 0
        if (is_redo or is_wide) and state.is_owed(self._store):
            done = state.rebuild(self._store)
        else:
            overlap = WIDE if is_wide else state.OVERLAP
            done = state.refresh(self._store, since=None if is_redo else self._since, is_redo=is_redo, overlap=overlap)
        self._whole_in, self._since, self._n = term, done.mark, self._n + 1
        return Done(done.recomputed, done.mark, f"{done.touched:,} touched")
