"""
What a page looks at: the window, the cuts, the moment and the mode. It lives in the URL, so that every view is a link.

Why one frozen value and not a dozen widgets' states: queries take it (`scope`, `as_of`), links carry it (`params`), chips show
it, and a test builds it in one line. Nothing here knows Streamlit; `frame` keeps it and the URL the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from dashboard import units

CUTS = ("region", "warehouse", "carrier", "customer", "order_class", "workflow")
NAMES = {"order_class": "order class"}


@dataclass(frozen=True, slots=True)
class Window:
    """A length of time, and the bucket that its trends are drawn in."""

    key: str
    title: str
    length_s: int
    bucket_s: int


WINDOWS = {
    w.key: w
    for w in (
        Window("1h", "1 h", 3600, 300),
        Window("24h", "24 h", 86400, 3600),
        Window("7d", "7 d", 7 * 86400, 6 * 3600),
        Window("30d", "30 d", 30 * 86400, 86400),
        Window("90d", "90 d", 90 * 86400, 86400),
    )
}
DEFAULT_WINDOW = "24h"
KEYS = ("window", *CUTS, "as_of", "kiosk")


@dataclass(frozen=True, slots=True)
class View:
    """
    What is looked at. `as_of` None is now; `scope` is what views and KPIs take: ('region=EU-West', 'carrier=ABCD').

    `note` says what of the URL was not understood, so that a mistyped link is not silently another view.
    """

    window: Window = WINDOWS[DEFAULT_WINDOW]
    scope: tuple[str, ...] = ()
    as_of: datetime | None = None
    is_kiosk: bool = False
    note: str = field(default="", compare=False)

    def values(self, cut: str) -> tuple[str, ...]:
        """The chosen values of one cut."""
        return tuple(s.removeprefix(f"{cut}=") for s in self.scope if s.startswith(f"{cut}="))

    def with_values(self, cut: str, values: Sequence[str]) -> View:
        """The same view with these values of one cut."""
        others = tuple(s for s in self.scope if not s.startswith(f"{cut}="))
        return replace(self, scope=tuple(sorted({*others, *(f"{cut}={v}" for v in values)})))

    def without(self, item: str) -> View:
        """The same view without one item of the scope."""
        return replace(self, scope=tuple(s for s in self.scope if s != item))

    def toggled(self, cut: str, value: str) -> View:
        """The same view with only this value of the cut, or without it if it was the only one."""
        return self.with_values(cut, () if self.values(cut) == (value,) else (value,))

    def cleared(self) -> View:
        """The same moment and mode, all cuts and the window gone."""
        return replace(self, scope=(), window=WINDOWS[DEFAULT_WINDOW])

    def until(self, now: datetime) -> datetime:
        """The end of the window: the moment that is looked at."""
        return self.as_of or now

    def since(self, now: datetime) -> datetime:
        """The begin of the window."""
        return self.until(now) - timedelta(seconds=self.window.length_s)

    def params(self, **more: str) -> dict[str, str | list[str]]:
        """What a link carries: only what differs from the default, and what the page itself adds."""
        out: dict[str, str | list[str]] = {}
        if self.window.key != DEFAULT_WINDOW:
            out["window"] = self.window.key
        for cut in CUTS:
            if values := self.values(cut):
                out[cut] = list(values)
        if self.as_of:
            out["as_of"] = units.utc(self.as_of)
        if self.is_kiosk:
            out["kiosk"] = "1"
        return out | {name: text for name, text in more.items() if text}

    def chips(self) -> list[tuple[str, str]]:
        """(scope item, how it is shown) of each cut in force."""
        return [(item, _chip(item)) for item in self.scope]


def parse(params: Mapping[str, Sequence[str]]) -> View:
    """A view from the parameters of a URL; what is not understood stands in `note` and is left aside."""
    notes = []
    window = _first(params, "window") or DEFAULT_WINDOW
    if window not in WINDOWS:
        notes.append(f"window={window} is unknown; known: {', '.join(WINDOWS)}")
    as_of, note = _moment(_first(params, "as_of"))
    scope = sorted({f"{cut}={value}" for cut in CUTS for value in params.get(cut, ()) if value})
    return View(
        window=WINDOWS.get(window, WINDOWS[DEFAULT_WINDOW]),
        scope=tuple(scope),
        as_of=as_of,
        is_kiosk=_first(params, "kiosk") == "1",
        note="; ".join(n for n in (*notes, note) if n),
    )


def link(page: str, view: View, **more: str) -> str:
    """A link to a page of the dashboard, by its url_path, that keeps the view."""
    query = urlencode(view.params(**more), doseq=True)
    path = "" if page == "operations" else page
    return f"/{path}?{query}" if query else f"/{path}"


def name(cut: str) -> str:
    """A cut in words: `order class`."""
    return NAMES.get(cut, cut)


def _chip(item: str) -> str:
    cut, _, value = item.partition("=")
    return f"{name(cut)}: {units.words(value) if cut == 'workflow' else value}"


def _first(params: Mapping[str, Sequence[str]], key: str) -> str:
    values = params.get(key) or ("",)
    return values[0]


def _moment(text: str) -> tuple[datetime | None, str]:
    if not text:
        return None, ""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None, f"as_of={text} is no time such as 2026-11-20T12:00:00Z"
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC), ""
