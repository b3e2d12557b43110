"""
Answers of now, kept for all sessions while nothing has changed, and asked again behind the viewers' backs when something has.

Why not Streamlit's own cache, as for what is `cached`: there an answer is either good or waited for, and while events come in
something changes every two seconds. Ten people who watch then ask the store all the time, and wait for it with every refresh.
Here one asks and all others get that answer; who has an older one waits a moment only and otherwise draws that; and a statement
rests for ten times as long as it took, up to 2.5 s, so that pages take a small part of a core, whatever they ask and however
many watch.

Why few threads ask: what senders wait for has the rest of the machine.
"""

from __future__ import annotations

import os
import pickle
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import streamlit as st

MOST = 200
PATIENCE_S = 0.25  # how long a page waits for a new answer that can draw another one
OLDEST_S = 5.0  # an answer older than that is waited for
# Beside a rest at its longest: 3 s for a round of the state, 4 s until the part is drawn again. No page is older than 10 s.
REST, LONGEST_REST_S = 10, 2.5

_asking = ThreadPoolExecutor(max(2, (os.cpu_count() or 2) // 2), thread_name_prefix="pages")
_here = threading.local()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the store said, of which version, when it was asked and how long that took."""

    data: bytes
    mark: str
    asked_at: float
    took_s: float

    @property
    def age_s(self) -> float:
        """Since it was asked."""
        return time.monotonic() - self.asked_at

    @property
    def value(self) -> Any:
        """A copy of it: pages may change theirs."""
        return pickle.loads(self.data)  # noqa: S301 our own

    def is_good(self, mark: str) -> bool:
        """Whether it need not be asked again: nothing has changed, or the statement still rests."""
        return self.mark == mark or self.age_s < min(LONGEST_REST_S, REST * self.took_s)


class Kept:
    """
    The answers of one read. `ask(mark, …)` asks; what it gets besides the mark is what an answer goes by.

    With `oldest_s` an answer up to that age is drawn while a new one is asked for. What is not `waited_for` is None until it is
    known, for what a page can do without for a moment.
    """

    def __init__(self, ask: Callable[..., Any], *, oldest_s: float = OLDEST_S, is_waited_for: bool = True) -> None:
        self._ask, self._oldest_s, self._is_waited_for = ask, oldest_s, is_waited_for
        self._lock = threading.Lock()
        self._answers: OrderedDict[Any, Answer] = OrderedDict()
        self._coming: dict[Any, Future[Answer]] = {}

    def __call__(self, mark: str, *args: Any, **kwargs: Any) -> Any:
        key = (_era(), args, tuple(sorted(kwargs.items())))
        with self._lock:
            old = self._answers.get(key)
            if old:
                self._answers.move_to_end(key)
                if old.is_good(mark):
                    return old.value
            if hasattr(_here, "is_asking"):  # a read within a read: its thread must not wait for another of these few
                coming = None
            elif (coming := self._coming.get(key)) is None:
                coming = self._coming[key] = _asking.submit(self._answer, self._answers, self._coming, key, mark, args, kwargs)
        if coming is None:
            return self._asked(self._answers, key, mark, args, kwargs).value
        old = old if old and old.age_s < self._oldest_s else None
        if (old or not self._is_waited_for) and not wait([coming], PATIENCE_S).done:
            return old.value if old else None
        return coming.result().value

    def clear(self) -> None:
        """Forget them; what is being asked now is not kept either."""
        with self._lock:
            self._answers, self._coming = OrderedDict(), {}

    def _answer(
        self, answers: OrderedDict[Any, Answer], coming: dict[Any, Future[Answer]], key: Any, mark: str, args: Any, kwargs: Any
    ) -> Answer:
        _here.is_asking = True
        try:
            return self._asked(answers, key, mark, args, kwargs)
        finally:
            with self._lock:
                coming.pop(key, None)

    def _asked(self, answers: OrderedDict[Any, Answer], key: Any, mark: str, args: Any, kwargs: Any) -> Answer:
        began = time.monotonic()
        data = pickle.dumps(self._ask(mark, *args, **kwargs))
        answer = Answer(data, mark, began, time.monotonic() - began)
        with self._lock:
            answers[key] = answer
            while len(answers) > MOST:
                answers.popitem(last=False)
        return answer


@st.cache_data(show_spinner=False)
def _era() -> str:
    """Another one after Streamlit was told to forget everything: then nothing is kept here either."""
    return secrets.token_hex(8)
