"""
What people do with exceptions: the verbs, taken by whoever looks, on one or on many.

Why a module between pages and `schema.exceptions`: Operations and Exceptions take the same verbs, a verb must be seen at once
(the answers that it changes are asked again), and a page of the past takes none.

Why the name is asked for when a verb is taken, and not before: a button that is greyed until a field elsewhere is filled looks
broken. The dialog is drawn by the page and not where the button is, because a live part that refreshes would close it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import streamlit as st

from dashboard import frame, queries, queries_inbox, queries_operations, session
from schema import exceptions
from schema.exceptions import EPOCH, Verb

TIMED = exceptions.TIMED
NEEDS_END, NEEDS_REASON = ("postpone", "suppress"), ("postpone", "wait", "suppress", "comment")
DONE = {
    "acknowledge": "Acknowledged", "assign": "Assigned", "comment": "Commented on", "postpone": "Postponed", "wait": "Waiting",
    "suppress": "Suppressed", "resolve": "Resolved", "confirm": "Confirmed", "reopen": "Reopened",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """A verb that waits for the name of who takes it."""

    ids: tuple[str, ...]
    verb: str
    team: str = ""
    comment: str = ""
    until: datetime = EPOCH


def may_act() -> tuple[bool, str | None]:
    """Whether a verb can be taken on what is seen, and if not, why."""
    if frame.view().as_of:
        return False, "This is how it stood in the past: go back to now first."
    if not session.viewer().may("verbs"):
        return False, "Your role reads; it does not act on exceptions."
    return True, None


def take(ids: Sequence[str], verb: str, *, team: str = "", comment: str = "", until: datetime = EPOCH) -> None:
    """
    Take a verb on these exceptions as the viewer, and say so; where nobody has said who that is, the page asks first.

    Raises: BadConfig, where the verb wants more.
    """
    wanted = Wanted(tuple(ids), verb, team, comment, until)
    if frame.actor():
        _act(wanted)
    else:
        st.session_state["wanted"] = wanted
    st.rerun()


def take_on_incident(incident: str, verb: str, *, team: str = "") -> None:
    """The same on every exception of an incident that needs somebody."""
    take(queries_inbox.ids_of(incident), verb, team=team)


def ask_who() -> bool:
    """Draw the question for the name, where a verb waits for it; whether it does."""
    if "wanted" not in st.session_state:
        return False
    st.dialog("Who are you?", width="small", on_dismiss=_leave)(_ask)()
    return True


def _ask() -> None:
    wanted: Wanted | None = st.session_state.get("wanted")
    if wanted is None:
        st.rerun()
    what = (
        f"to {session.team(wanted.team)}"
        if wanted.team
        else f"{len(wanted.ids)} exception{'' if len(wanted.ids) == 1 else 's'}"
    )
    st.markdown("Your name stands in the audit beside what you do. It is kept for this session.")
    with st.form("who", border=False):
        st.text_input("Your name", key="actor_asked", max_chars=200, placeholder="Kim Larsen")
        st.form_submit_button(f"{wanted.verb.capitalize()} {what}", type="primary", on_click=_named)
    if frame.actor():
        with frame.trouble():
            _act(wanted)
            _leave()
            st.rerun()
    elif "actor_asked" in st.session_state and st.session_state.get("asked_in_vain"):
        st.caption(":orange[▲ A name, please.]")


def _named() -> None:
    name = str(st.session_state["actor_asked"]).strip()
    st.session_state["asked_in_vain"] = not name
    if name:
        st.session_state["actor"] = name


def _leave() -> None:
    for key in ("wanted", "asked_in_vain"):
        st.session_state.pop(key, None)


def _act(wanted: Wanted) -> None:
    session.admit("verbs")
    verb = Verb("", wanted.verb, frame.actor(), wanted.comment, wanted.team, wanted.until)
    n = exceptions.act_many(session.whole_store(), queries.exceptions_seen(wanted.ids), verb, at=datetime.now(UTC))
    forget()
    to = f" to {session.team(wanted.team)}" if wanted.team else ""
    st.toast(f"{DONE[wanted.verb]}{to}: {n} exception{'' if n == 1 else 's'}")


def forget() -> None:
    """Ask again for what a verb changes."""
    queries_inbox.listed.clear()
    queries_inbox.counts.clear()
    queries_inbox.one.clear()
    queries_inbox.ageing.clear()
    queries_operations.open_incidents.clear()
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
