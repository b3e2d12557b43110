"""
The view as a value: to the URL and back. Why it matters: every view is a link that somebody else opens.
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from dashboard import filters
from dashboard.filters import View

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
values = st.text(min_size=1, max_size=12).filter(lambda s: s.strip() != "")
views = st.builds(
    lambda window, cuts, at, kiosk: View(
        filters.WINDOWS[window], tuple(sorted({f"{c}={v}" for c, v in cuts})), AT if at else None, kiosk
    ),
    st.sampled_from(list(filters.WINDOWS)),
    st.lists(st.tuples(st.sampled_from(filters.CUTS), values), max_size=5),
    st.booleans(),
    st.booleans(),
)


@given(views)
def test_a_view_comes_back_from_its_link_as_it_was(view: View) -> None:
    """Whatever a carrier is called, the link opens the same view."""
    query = parse_qs(urlsplit(filters.link("exceptions", view)).query, keep_blank_values=True)
    assert filters.parse(query) == view


def test_the_default_view_has_a_clean_link() -> None:
    """Only what differs stands in the URL."""
    assert filters.link("operations", View()) == "/"
    assert filters.link("object", View(), type="order", id="4711") == "/object?type=order&id=4711"


def test_what_a_link_says_wrongly_is_told_and_left_aside() -> None:
    """A mistyped window must not silently be another one."""
    view = filters.parse({"window": ["9x"], "as_of": ["yesterday"], "region": ["EU-West"]})
    assert view.scope == ("region=EU-West",)
    assert (view.window.key, view.as_of) == ("24h", None)
    assert view.note == (
        "window=9x is unknown; known: 1h, 24h, 7d, 30d, 90d; as_of=yesterday is no time such as 2026-11-20T12:00:00Z"
    )


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    """A link that a colleague in Berlin wrote by hand."""
    assert filters.parse({"as_of": ["2026-11-20T13:00:00+01:00"]}).as_of == AT


def test_a_chip_takes_away_exactly_its_own_value() -> None:
    """Two regions are alternatives; removing one keeps the other and the carrier."""
    view = View().with_values("region", ("EU-West", "APAC")).with_values("carrier", ("ACME",))
    assert view.chips() == [
        ("carrier=ACME", "carrier: ACME"),
        ("region=APAC", "region: APAC"),
        ("region=EU-West", "region: EU-West"),
    ]
    assert view.without("region=APAC").scope == ("carrier=ACME", "region=EU-West")
    assert view.cleared() == View()


def test_a_card_filters_and_its_second_click_shows_all_again() -> None:
    """The workflow cards toggle; another card replaces the first."""
    once = View().toggled("workflow", "returns")
    assert once.toggled("workflow", "returns") == View()
    assert once.toggled("workflow", "invoice_readiness").scope == ("workflow=invoice_readiness",)
