"""
The store and the catalogue that the pages read, given once by the front door; who is looking, and what he may read and do.

Why a plain module and not `st.cache_resource` or a connection: page scripts are threads of the process that owns the store,
receivers and scheduler use the same object outside any Streamlit context, and chDB lets one process hold a folder once. When
no store was given, or it is away, `store()` or the query says StoreUnavailable, and `frame` makes a banner of it.
Why replay is a callable that is lent: to deliver again is the collectors' business, and pages do not know them. Where pages
run as a service of their own there is none, and the Intake page says which command does it.
Why `store()` answers inside a read only, where people sign in: a read (`queries.Read`) knows for whom it asks and that he may,
and what somebody writes past it must fail in the first test and not show everything.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit import runtime

from dashboard import access, limits
from dashboard.access import Policy, Viewer
from dashboard.limits import Narrowed, Refused
from schema.errors import StoreUnavailable
from schema.governance import Catalogue
from schema.store import Store

DEFAULT_INTAKE = "http://127.0.0.1:4318"


class Replayed(Protocol):
    """How a replay went: `n` tried, `n_stored` of them stored, `n_skipped` whose source is no longer configured."""

    @property
    def n(self) -> int: ...
    @property
    def n_stored(self) -> int: ...
    @property
    def n_skipped(self) -> int: ...


class Replay(Protocol):
    """Delivers open rejects again: those of `ids`, else all of `source`, else all. Raises: StoreUnavailable."""

    def __call__(self, *, source: str = "", ids: Sequence[str] = ()) -> Replayed: ...


@dataclass(slots=True)
class _Handle:
    store: Store | None = None
    catalogue: Catalogue | None = None
    intake: str = DEFAULT_INTAKE
    policy: Policy | None = None
    replay: Replay | None = None
    away_since: datetime | None = None
    last_known: str = ""


_handle = _Handle()
_lock = threading.Lock()


def open(
    store: Store,
    catalogue: Catalogue,
    *,
    intake: str = DEFAULT_INTAKE,
    policy: Policy | None = None,
    replay: Replay | None = None,
) -> None:
    """
    Give the pages their store. `intake` is the address that senders use, `policy` who may see what (None: everybody all),
    `replay` what the Intake page may do where collectors live in this process; answers of an earlier store are forgotten.
    """
    global _handle
    with _lock:
        _handle = _Handle(store, catalogue, intake.rstrip("/"), policy, replay)
    _forget()


def close() -> None:
    """Take the store away again: late pages say so politely."""
    global _handle
    with _lock:
        _handle = _Handle(None, _handle.catalogue, _handle.intake, _handle.policy)
    _forget()


def _forget() -> None:
    if runtime.exists():
        st.cache_data.clear()


def viewer() -> Viewer:
    """Whoever looks at this page; where nobody signs in, everybody may see everything."""
    return _handle.policy.viewer(st.user.to_dict(), datetime.now(UTC)) if _handle.policy else access.EVERYBODY


def admitted(pages: frozenset[str]) -> tuple[str, ...]:
    """The limits of a viewer who sees one of these pages; inside a read, those of that read. Raises: Refused, with why."""
    inside = limits.limits_of_read()
    if inside is not None:
        return inside
    looking = viewer()
    if not pages & looking.pages:
        raise Refused(looking.refusal(min(pages)))
    return looking.limits


def admit(act: str) -> Viewer:
    """The viewer, who may act like this. Raises: Refused, which says who may."""
    looking = viewer()
    if not looking.may(act):
        whose = ", ".join(name for name, role in access.ROLES.items() if act in role.acts)
        raise Refused(looking.why_not or f"To act here ({act}) is for other roles: {whose}.")
    return looking


def store() -> Store:
    """The store as the read in progress may see it. Raises: StoreUnavailable, if there is none; Refused, outside of a read."""
    inside = limits.limits_of_read()
    if inside is None and _handle.policy:
        raise Refused("Not shown: this was asked for past the reads that know who may see it.")
    return Narrowed(whole_store(), inside) if inside else whole_store()


def whole_store() -> Store:
    """The store uncut, for what belongs to nobody (policy, our jobs) and for acts that were allowed."""
    if _handle.store is None:
        raise StoreUnavailable("no store is connected yet: Milepost is starting or shutting down")
    return _handle.store


def catalogue() -> Catalogue:
    """The governance catalogue. Raises: StoreUnavailable, if none was given."""
    if _handle.catalogue is None:
        raise StoreUnavailable("no catalogue is loaded yet: Milepost is starting")
    return _handle.catalogue


def intake() -> str:
    """The address that senders use."""
    return _handle.intake


def needs_login() -> bool:
    """Whether a page may be seen only after single sign-on."""
    return _handle.policy is not None


def replay() -> Replay | None:
    """How rejects are delivered again, by whoever may; None where no collector lives in this process."""
    lent = _handle.replay
    if lent is None:
        return None

    def again(*, source: str = "", ids: Sequence[str] = ()) -> Replayed:
        admit("replay")
        return lent(source=source, ids=ids)

    return again


def currency() -> str:
    """The currency that values are kept in."""
    return catalogue().base_currency


def team(name: str) -> str:
    """A team as people call it."""
    found = catalogue().teams.get(name)
    return found.title if found else name


def site_zone() -> ZoneInfo:
    """The zone of the sites: that of the business calendar; UTC while no catalogue is loaded."""
    if _handle.catalogue is None:
        return ZoneInfo("UTC")
    known = _handle.catalogue.calendars
    return ZoneInfo(known["business"].zone if "business" in known else next(iter(known.values())).zone)


def note_away() -> datetime:
    """The store did not answer: since when it has not."""
    if _handle.away_since is None:
        _handle.away_since = datetime.now(UTC)
    return _handle.away_since


def note_back(last_known: str) -> None:
    """The store answered; `last_known` is what the banner will say was true, should it go away."""
    _handle.away_since = None
    _handle.last_known = last_known


def last_known() -> str:
    """What was true when the store last answered."""
    return _handle.last_known
