"""
What people do with exceptions: the verbs, taken by whoever looks, on one or on many.

Why a module between pages and `schema.exceptions`: Operations and Exceptions take the same verbs, a verb must be seen at once
(the answers that it changes are asked again), and a page of the past takes none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

import streamlit as st

from dashboard import frame, queries_inbox, queries_operations, session
from schema import exceptions
from schema.exceptions import EPOCH, Verb

TIMED = exceptions.TIMED
NEEDS_END, NEEDS_REASON = ("postpone", "suppress"), ("postpone", "wait", "suppress", "comment")


def may_act() -> tuple[bool, str | None]:
    """Whether the viewer may take a verb now, and if not, why."""
    if frame.view().as_of:
        return False, "This is how it stood in the past: go back to now first."
    if not frame.actor():
        return False, "Enter your name in the sidebar first: it stands in the audit."
    return True, None


def take(ids: Sequence[str], verb: str, *, team: str = "", comment: str = "", until: datetime = EPOCH) -> None:
    """Take a verb on these exceptions as the viewer, and say so. Raises: BadConfig, where the verb wants more."""
    taken = Verb("", verb, frame.actor(), comment, team, until)
    n = exceptions.act_many(session.store(), ids, taken, at=datetime.now(UTC))
    forget()
    st.toast(f"{verb}: {n} exception{'' if n == 1 else 's'}")


def take_on_incident(incident: str, verb: str, *, team: str = "") -> None:
    """The same on every exception of an incident that needs somebody."""
    take(queries_inbox.ids_of(incident), verb, team=team)


def forget() -> None:
    """Ask again for what a verb changes."""
    queries_inbox.listed.clear()
    queries_inbox.counts.clear()
    queries_inbox.one.clear()
    queries_inbox.ageing.clear()
    queries_operations.incidents.clear()
    queries_operations.workflows.clear()


def missing(verb: str, comment: str, until: datetime) -> str:
    """What a verb still wants, in a sentence; empty if it can be taken."""
    if verb in NEEDS_REASON and not comment.strip():
        return "Say why: it stands in the audit."
    if verb in NEEDS_END and until <= datetime.now(UTC):
        return f"Say until when: to {verb} without an end hides it for good."
    return ""


def end_of(day: date | None) -> datetime:
    """The end of a local day in the viewer's zone; EPOCH, if there is none."""
    if day is None:
        return EPOCH
    return datetime.combine(day, time(23, 59, 59), frame.zone()).astimezone(UTC)
