"""
What every page stands in: navigation, the view kept equal to the URL, filters and chips, and the store's absence.

Why the view is kept by hand and not by `bind="query-params"`: a link, a chip, a click in a chart and a widget all set it, it
must survive a change of page (navigation drops the parameters), and queries want it as one value. Widgets only show it.

Why `trouble` here and no try/except in pages: a store that is away is the same banner everywhere, the page comes back by
itself, and what the pages catch is exactly one class. Anything else is a bug and stays one.
"""

from __future__ import annotations

import contextlib
import functools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, ParamSpec
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard import filters, queries, sentences, session, units
from dashboard.filters import View
from dashboard.limits import Refused
from schema.errors import StoreUnavailable

P = ParamSpec("P")
HERE = Path(__file__).parent
HEAD_START_S = 0.25
FIRST_EVENT = (
    '{"specversion":"1.0","id":"1","source":"hello","type":"shipment.departed","time":"2026-11-23T08:15:00Z",'
    '"data":{"object_type":"shipment","object_id":"SHP-1","state":"departed","carrier":"ACME","region":"EU-West"}}'
)


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the navigation; it exists when its file does."""

    section: str
    name: str
    title: str
    icon: str

    @property
    def file(self) -> Path:
        return HERE / "app_pages" / f"{self.name}.py"


PAGES = (
    Place("Operate", "operations", "Operations", ":material/monitoring:"),
    Place("Operate", "exceptions", "Exceptions", ":material/inbox:"),
    Place("Operate", "object", "Object", ":material/package_2:"),
    Place("Review", "scorecard", "Scorecard", ":material/scoreboard:"),
    Place("Review", "recovery", "Recovery", ":material/healing:"),
    Place("Investigate", "failures", "Failures", ":material/troubleshoot:"),
    Place("Investigate", "traces", "Traces", ":material/timeline:"),
    Place("Investigate", "intake", "Intake", ":material/input:"),
    Place("Investigate", "numbers", "Numbers", ":material/functions:"),
    Place("Investigate", "catalogue", "Catalogue", ":material/menu_book:"),
)


# --- where we are --------------------------------------------------------------------------------------------------------
def navigate() -> st.Page:
    """Register every page that exists, show the viewer's, and say which is asked for. The first lives at `/`."""
    looking = session.viewer()
    sections: dict[str, list[st.Page]] = {}
    for place in _existing():
        page = st.Page(
            place.file, title=place.title, icon=place.icon, url_path=place.name, default=place is PAGES[0],
            visibility="visible" if looking.sees(place.name) else "hidden",
        )  # fmt: skip
        sections.setdefault(place.section, []).append(page)
    return st.navigation(sections, position="hidden" if is_wall() or not looking.pages else "sidebar")


def is_wall() -> bool:
    """Whether the URL asks for a wall, before there is a view."""
    return st.query_params.get("kiosk") == "1"


def take_view(page: str) -> View:
    """The view of this run: what the URL says; after a change of page that dropped it, what was kept."""
    params = {key: st.query_params.get_all(key) for key in st.query_params}
    kept: View | None = st.session_state.get("kept_view")
    is_moved = st.session_state.get("kept_page") != page
    st.session_state["kept_page"] = page
    if kept and is_moved and not params.keys() & set(filters.KEYS):
        _write(kept)
    else:
        st.session_state["kept_view"] = filters.parse(params)
    return view()


def view() -> View:
    """What this page looks at."""
    kept: View = st.session_state.get("kept_view") or View()
    return kept


def set_view(new: View) -> None:
    """Look at something else: the URL and what is kept follow. Call it from a widget's callback, or rerun after it."""
    st.session_state["kept_view"] = new
    _write(new)


def now() -> datetime:
    """The moment that the page speaks of."""
    return view().until(datetime.now(UTC))


def zone() -> ZoneInfo:
    """The viewer's zone."""
    name = st.context.timezone
    return ZoneInfo(name) if name else ZoneInfo("UTC")


def when(at: datetime | None) -> str:
    """A time as the viewer reads it, short."""
    return units.moment(at, zone(), now())


def hover(at: datetime | None) -> str:
    """The same time in full, in the viewer's zone and the site's."""
    return units.both(at, zone(), session.site_zone())


def is_dark() -> bool:
    """Whether the viewer sees the dark theme."""
    return st.context.theme.type == "dark"


def actor() -> str:
    """Who acts: the signed-in user's name, else what the field in the sidebar says; empty where nobody has said."""
    named = session.viewer().name if session.needs_login() else st.session_state.get("actor")
    return str(named or "").strip()[:200]


# --- going somewhere -----------------------------------------------------------------------------------------------------
def go(page: str, *, to: View | None = None, **params: str) -> NoReturn:
    """Go to a page and keep the view, or take another one along. `params` is what that page itself reads."""
    target = to or view()
    st.session_state["kept_view"] = target
    st.switch_page(_path(page), query_params=target.params(**params))


def link_to(
    page: str, label: str, *, to: View | None = None, help: str | None = None, icon: str | None = None, **params: str
) -> None:
    """Draw a link to a page that keeps the view; plain text, where that page does not exist or is not for the viewer."""
    if not has(page):
        st.markdown(label)
        return
    st.page_link(_path(page), label=label, help=help, icon=icon, query_params=(to or view()).params(**params))


def has(page: str) -> bool:
    """Whether a page exists and is for the viewer, so that a link to it makes sense."""
    return session.viewer().sees(page) and any(place.name == page for place in _existing())


# --- what refreshes by itself, and what happens when the store is away -----------------------------------------------------
def live(every_s: float, key: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """A part of a page that refreshes itself; it stands still when the page looks at a moment of the past."""

    def wrap(draw: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(draw)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            with trouble():
                draw(*args, **kwargs)

        return st.fragment(guarded, run_every=None if view().as_of else every_s * _pace(), key=key)

    return wrap


def numbers_first() -> None:
    """
    On a page that was just opened: what was drawn so far is seen before the rest is sent.

    A browser renders in one go what has come, and a whole page takes it longer than it takes us. It is busy meanwhile: the rest
    is not seen later for it.
    """
    if st.session_state.get("begun_page") != st.session_state["kept_page"]:
        st.session_state["begun_page"] = st.session_state["kept_page"]
        time.sleep(HEAD_START_S)


def _pace() -> float:
    """A little sooner, by another share in each session: pages that were opened together need not ask together for ever."""
    pace: float = st.session_state.setdefault("pace", random.uniform(0.85, 1))  # noqa: S311 (no secret)
    return pace


@contextlib.contextmanager
def trouble() -> Iterator[None]:
    """Turn a store that is away, or a refusal, into one line here; the status line has the banner and brings the page back."""
    try:
        yield
    except Refused as err:
        st.caption(f"○ {err}")
    except StoreUnavailable:
        st.session_state["was_away"] = True
        session.note_away()
        st.caption(":red[■ Not known while the store is away]")


def came_back() -> bool:
    """Whether the store answers again after this session saw it away; asked once."""
    return bool(st.session_state.pop("was_away", False))


def banner(err: StoreUnavailable) -> None:
    """What is known, since when, and that nothing is lost."""
    since = session.note_away()
    st.session_state["was_away"] = True
    known = session.last_known()
    st.error(
        f"**■ The store does not answer since {when(since)}** ({units.ago(since, datetime.now(UTC))}): "
        f"{units.plain(sentences.short(str(err)))}.\n\n"
        + (f"Last known: {known}. " if known else "")
        + "Nothing is lost: receivers answer 503 until it is back, senders keep their data and try again. "
        "This page comes back by itself."
    )


def is_before_first_event() -> bool:
    """Whether the store holds no event at all; if so, say how to send the first one, and wake up when it has come."""
    if queries.pulse()["newest_at"].year > 1970:
        return False
    st.markdown("#### No events yet")
    st.markdown("Milepost listens. Send the first one, and this page wakes up:")
    st.code(
        f"""curl -sS {session.intake()}/v1/events \\
  -H 'content-type: application/cloudevents+json' \\
  -d '{FIRST_EVENT}'""",
        language="bash",
        wrap_lines=True,
    )
    st.caption("Or run `milepost demo` for a simulated enterprise.")
    live(5, "first_event")(_wake)()
    return True


def _wake() -> None:
    if queries.pulse()["newest_at"].year > 1970:
        st.rerun()


# --- filters ---------------------------------------------------------------------------------------------------------------
def choose_window() -> None:
    """The window, as a row of choices."""
    st.session_state["f_window"] = view().window.key
    st.segmented_control(
        "Window", list(filters.WINDOWS), key="f_window", required=True, label_visibility="collapsed",
        format_func=lambda key: filters.WINDOWS[key].title, on_change=_take_window,
    )  # fmt: skip


def choose_cuts() -> None:
    """Every other filter, in a popover; the options are what the data holds."""
    help_text = "Region, warehouse, carrier, customer, order class, workflow"
    popover = st.popover("Filters", icon=":material/filter_list:", help=help_text, key="filters", on_change="rerun")
    if not popover.open:  # nobody waits for options that nobody sees
        return
    with popover, trouble():
        known = queries.cuts(None)
        for cut in filters.CUTS:
            chosen = view().values(cut)
            st.session_state[f"f_{cut}"] = list(chosen)
            st.multiselect(
                units.title(filters.name(cut)), sorted({*known.get(cut, ()), *chosen}), key=f"f_{cut}",
                format_func=units.words if cut == "workflow" else str, on_change=_take_cut, args=(cut,),
            )  # fmt: skip


def chips() -> None:
    """What is filtered, each removable, and all of it at once."""
    shown = view()
    for item, text in shown.chips():
        name, _, value = text.partition(": ")
        text = f"{name}: {units.plain(value)}"
        st.button(f"{text} ✕", key=f"chip_{item}", on_click=set_view, args=(shown.without(item),), help=f"Remove {text}")
    if shown.scope:
        st.button(
            "clear", key="chip_clear", type="tertiary", on_click=set_view, args=(shown.cleared(),), help="Remove all filters"
        )


def notes() -> None:
    """What the reader must know of this view before any number: the past, or a link that was not understood."""
    shown = view()
    if shown.note:
        st.warning(f"▲ Part of this address was not understood and left aside: {units.plain(shown.note)}")
    if shown.as_of:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info(f"As it stood at {units.both(shown.as_of, zone(), session.site_zone())}. Nothing here refreshes.")
            st.button("Back to now", on_click=set_view, args=(replace(shown, as_of=None),))


def _take_window() -> None:
    key = st.session_state["f_window"] or filters.DEFAULT_WINDOW
    set_view(replace(view(), window=filters.WINDOWS[key]))


def _take_cut(cut: str) -> None:
    values: Sequence[str] = st.session_state[f"f_{cut}"]
    set_view(view().with_values(cut, values))


def _write(new: View) -> None:
    """Make the URL say what the view is; where it does already it is left alone, for each write is a message to the browser."""
    wanted = new.params()
    for key in filters.KEYS:
        if key in st.query_params and key not in wanted:
            del st.query_params[key]
    if wanted:
        st.query_params.update(wanted)


def _path(page: str) -> str:
    return f"app_pages/{page}.py"


@functools.cache
def _existing() -> tuple[Place, ...]:
    return tuple(place for place in PAGES if place.file.is_file())
