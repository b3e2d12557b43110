"""
The part of the data that a viewer sees: how it joins what a page asks for, and a store that shows nothing else.

Why groups restrict each other, but regions add up: whoever is in `emea` and in `apac` (one cut each, the same one) sees both;
any other mixture of groups sees what all of them allow, because an OR over several cuts would show what no group grants.

Why the store itself is narrowed, when the scope of a read has been joined already: a statement that takes no scope must show
nothing, and not everything, to somebody who sees a part. What belongs to nobody (policy, our jobs) is read from the whole.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

from schema.errors import MilepostError
from schema.store import Params, Store

STRICT = "strict="  # beside a viewer's limits: what does not say its cut is not shown either (views/50_inbox, views/37_calls)
NOTHING = "∅"  # the value of a cut where the URL asks for what the viewer may not see
SCOPE = re.compile(r"\{((?:ask_)?scope):Array\(String\)\}")  # as statements and KPIs (`ask_`) take it


class Refused(MilepostError):
    """The viewer may not see or do this: the page says so in this sentence."""


def within(limits: tuple[str, ...], scope: tuple[str, ...]) -> tuple[str, ...]:
    """What is asked for, inside of the limits: a cut that they name cannot be widened, and what lies outside is nothing."""
    if not limits:
        return scope
    allowed, asked = _by_cut(limits), _by_cut(scope)
    joined = {item for item in scope if item.partition("=")[0] not in allowed}
    for cut, values in allowed.items():
        kept = values & asked[cut] if cut in asked else values
        joined |= {f"{cut}={value}" for value in kept or {NOTHING}}
    return tuple(sorted(joined | {STRICT}))


def said(limits: tuple[str, ...]) -> str:
    """Limits in words."""
    named = {cut.replace("_", " "): sorted(values) for cut, values in _by_cut(limits).items()}
    return ", ".join(f"{cut} {' or '.join(values)}" for cut, values in named.items())


def _by_cut(scope: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for item in scope:
        cut, _, value = item.partition("=")
        found.setdefault(cut, set()).add(value)
    return found


def joined(groups: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The scopes of a viewer's groups as one (see above: one and the same cut adds up, all else restricts)."""
    alone: dict[str, set[str]] = {}
    restrictions = []
    for cuts in map(_by_cut, groups):
        if len(cuts) == 1:
            (cut, values), = cuts.items()
            alone.setdefault(cut, set()).update(values)
        else:
            restrictions.append(cuts)
    found = dict(alone)
    for cuts in restrictions:
        for cut, values in cuts.items():
            found[cut] = found[cut] & values if cut in found else values
    return tuple(sorted(f"{cut}={value}" for cut, values in found.items() for value in values or {NOTHING}))


# --- a read in progress ----------------------------------------------------------------------------------------------------
_reading: ContextVar[tuple[str, ...] | None] = ContextVar("reading", default=None)


@contextlib.contextmanager
def reading(limits: tuple[str, ...]) -> Iterator[None]:
    """Inside of it a read is answered, for whoever has these limits."""
    token = _reading.set(limits)
    try:
        yield
    finally:
        _reading.reset(token)


def limits_of_read() -> tuple[str, ...] | None:
    """The limits of the read that is being answered; None outside of one."""
    return _reading.get()


def is_limited() -> bool:
    """Whether the read that is being answered is for a part of the data only."""
    return bool(_reading.get())


class Narrowed(Store):
    """A store as somebody sees it who sees a part: every statement is cut to it, or refused."""

    def __init__(self, store: Store, limits: tuple[str, ...]) -> None:
        self._whole, self._limits = store, limits
        self.label, self.is_embedded = store.label, store.is_embedded

    def query(self, sql: str, params: Params | None = None) -> list[dict[str, Any]]:
        """Rows of a statement that takes a scope."""
        return self._whole.query(sql, self._cut(sql, params))

    def value(self, sql: str, params: Params | None = None) -> Any:
        """The first value of a statement that takes a scope."""
        return self._whole.value(sql, self._cut(sql, params))

    def arrow(self, sql: str, params: Params | None = None) -> Any:
        """The table of a statement that takes a scope."""
        return self._whole.arrow(sql, self._cut(sql, params))

    def command(self, *_: Any, **__: Any) -> None:
        """Nothing is written through a part of the data."""
        raise Refused("Nothing is written by a read.")

    insert = insert_body = command

    def _cut(self, sql: str, params: Params | None) -> dict[str, Any]:
        given, names = dict(params or {}), set(SCOPE.findall(sql))
        if not names:
            raise Refused(f"Not shown: this cannot be cut to your part of the data ({said(self._limits)}).")
        return given | {name: list(within(self._limits, tuple(given.get(name) or ()))) for name in names}
