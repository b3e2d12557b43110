"""
The top of every page: search, filters, and the line that says how fresh all this is.

Why the status line is a fragment of its own: it is what notices that the store went away, shows the banner, and runs the
page again when the store is back; an old number is marked old with a word, whatever else the page does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from dashboard import frame, limits, queries, search, session, units
from schema.errors import StoreUnavailable

OWN_PERIOD = ("scorecard",)  # a page that has a choice of periods of its own
# The product's own cadences (state 2 s, detectors 15 s), not business policy: how late a round may be before a word says so.
LATE_STATE_S, LATE_DETECT_S = 30, 120


def draw() -> None:
    """Search and filters, chips, notes, the status line."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="top"):
        if not frame.view().is_kiosk and frame.has("object"):
            _search_field()
        if st.session_state["kept_page"] not in OWN_PERIOD:
            frame.choose_window()
        if not frame.view().is_kiosk:
            frame.choose_cuts()
        frame.chips()
    _found()
    frame.notes()
    frame_status()
    if not frame.view().is_kiosk:
        _who()


def let_in(page: str) -> None:
    """Stop here for whoever may not see this page: with a sentence, and with what he can do about it."""
    looking = session.viewer()
    if looking.sees(page):
        return
    st.markdown("### Milepost")
    st.markdown(units.plain(looking.refusal(page)))
    if not looking.is_signed_in:
        if st.button("Continue with single sign-on", type="primary"):
            st.login()
        st.stop()
    if looking.pages:
        frame.link_to("operations", "Go to Operations")
    _signed_in()
    st.stop()


def _who() -> None:
    """Who acts: whoever signed in, else asked once a session, for the audit of the exceptions."""
    if session.needs_login():
        _signed_in()
    else:
        st.sidebar.text_input(
            "Your name", key="actor", persist_state="session", help="Stands in the audit beside what you do with an exception."
        )


def _signed_in() -> None:
    """Who signed in, which part of the data he sees, and the way out."""
    looking = session.viewer()
    with st.sidebar:
        st.caption(f"Signed in as **{units.plain(looking.name)}** ({', '.join(sorted(looking.roles)) or 'no role'})")
        if looking.limits:
            st.caption(f"You see: {units.plain(limits.said(looking.limits))}")
        if st.button("Sign out", key="sign_out", type="tertiary", icon=":material/logout:"):
            st.logout()


def frame_status() -> None:
    """The status line, refreshed each 5 s; on a page of the past it still tells of the store of today."""
    st.fragment(_status, run_every=5, key="status_line")()


def _search_field() -> None:
    n = st.session_state.setdefault("search_n", 0)
    text = st.text_input(
        "Find", key=f"search_{n}", type="search", label_visibility="collapsed", width=340,
        placeholder="Order, shipment, invoice, tracking number, trace …",
    )  # fmt: skip
    if text and st.session_state.get("searched") != text:
        st.session_state["searched"] = text
        with frame.trouble():
            _follow(text, search.find(text))


def _follow(text: str, hits: list[search.Hit]) -> None:
    if len(hits) == 1 and hits[0].is_exact:
        st.session_state["search_n"] += 1
        for key in ("searched", "hits"):
            st.session_state.pop(key, None)
        frame.go(hits[0].page, to=None, **hits[0].params)
    st.session_state["hits"] = (text, hits)


def _found() -> None:
    """What a search found that is not one thing: a short list, or a sentence."""
    if "hits" not in st.session_state or frame.view().is_kiosk:
        return
    text, hits = st.session_state["hits"]
    with st.container(border=True):
        if not hits:
            st.markdown(
                f"Nothing is known by **{units.plain(text)}**: no order, shipment, invoice, return or movement has this id or "
                "key, no trace and no exception either. It may not have been received yet."
            )
        else:
            start = "Several things go by" if hits[0].is_exact else "Nothing is exactly"
            st.markdown(f"{start} **{units.plain(text)}**{'' if hits[0].is_exact else '. Begins with it'}:")
        with st.container(horizontal=True):
            for hit in hits:
                frame.link_to(hit.page, hit.label, to=None, **hit.params)
        if st.button("Close", key="close_hits", type="tertiary"):
            st.session_state.pop("hits")
            st.rerun()


def _status() -> None:
    now = datetime.now(UTC)
    try:
        pulse = queries.pulse()
    except StoreUnavailable as err:
        frame.banner(err)
        return
    except limits.Refused:
        st.rerun()  # the session is over: the whole page says so, and how to sign in again
    newest = f"newest event {units.ago(pulse['newest_at'], now)}" if pulse["newest_at"].year > 1970 else "no event yet"
    session.note_back(f"{newest}, at {frame.when(now)}")
    if frame.came_back():
        st.rerun()
    st.markdown(f":small[{' · '.join(_parts(pulse, now))}]", help=f"Store: `{session.whole_store().label}`")


def _parts(pulse: Mapping[str, Any], now: datetime) -> list[str]:
    """The kind of store and four facts; a late one carries its glyph, its colour and a word."""
    limit = session.catalogue().tolerances["observability_coverage"].limit_s
    return [
        f":gray[{'embedded store' if session.whole_store().is_embedded else 'store on a server'}]",
        _fact("newest event", pulse["newest_at"], now, limit, none="no event yet"),
        _fact("state as of", pulse["state_at"], now, LATE_STATE_S, none="state not computed yet"),
        *([] if pulse["n_rejects"] is None else [_rejects(pulse["n_rejects"])]),
        _fact("detectors ran", pulse["detected_at"], now, LATE_DETECT_S, none="detectors have not run yet"),
    ]


def _fact(what: str, at: datetime | None, now: datetime, limit_s: float, *, none: str) -> str:
    if at is None or at.year <= 1970:
        return f":gray[○ {none}]"
    age = (now - at).total_seconds()
    text = f"{what} {units.ago(at, now)}"
    if age > 12 * limit_s:
        return f":red[■ {text}: old]"
    return f":orange[▲ {text}: late]" if age > limit_s else f":gray[{text}]"


def _rejects(n: int) -> str:
    text = f"{units.of(n, 'reject')} in the last hour"
    return f":orange[▲ {text}]" if n else f":gray[{text}]"
