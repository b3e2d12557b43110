"""
How numbers are written. Why with so many edges: a rounded number that reads as another one is worse than none.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import units

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BERLIN, CHICAGO = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Chicago")


@pytest.mark.parametrize(
    ("share", "expected"),
    [(None, "no data"), (0, "0 %"), (1, "100 %"), (0.99996, "99.9 %"), (0.0004, "<0.1 %"), (0.987, "98.7 %"), (0.05, "5 %")],
)
def test_a_share_is_whole_or_nothing_only_if_it_is(share: float | None, expected: str) -> None:
    """99.996 % with one object missing must not read as all of them, and no data is not zero."""
    assert units.ratio(share) == expected


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (0, "EUR 0"),
        (950, "EUR 950"),
        (1_900_000, "EUR 1.9 M"),
        (12_345, "EUR 12.3 k"),
        (999_960, "EUR 1 M"),
        (-2500, "EUR -2.5 k"),
    ],
)
def test_an_amount_has_three_digits_and_its_currency(amount: float, expected: str) -> None:
    """What a sentence says of money: `EUR 1.9 M`."""
    assert units.money(amount, "EUR") == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (0.25, "0.2 s"),
        (720, "12 min"),
        (9 * 3600, "9 h"),
        (5400, "1.5 h"),
        (31 * 3600, "31 h"),
        (293_760, "3.4 d"),
    ],
)
def test_an_age_is_told_in_the_unit_that_people_use(seconds: float, expected: str) -> None:
    """Hours up to two days, for that is how shifts are counted."""
    assert units.duration(seconds) == expected


def test_late_and_early_are_told_against_the_promise() -> None:
    """`9 h late`, not a timestamp, where age is the point."""
    told = [units.late(NOON, NOON + timedelta(hours=h)) for h in (9, -2, 0)]
    assert told == ["9 h late", "2 h early", "on time"]


def test_a_moment_is_no_longer_than_it_must_be() -> None:
    """Today's time needs no date; another year's needs all of it; the epoch means never."""
    moments = [NOON, NOON - timedelta(days=2), NOON - timedelta(days=400), datetime(1970, 1, 1, tzinfo=UTC), None]
    assert [units.moment(m, BERLIN, NOON) for m in moments] == ["13:00", "21 Nov 13:00", "19 Oct 2025 14:00", "–", "–"]


def test_a_moment_of_another_zone_shows_the_sites_clock_on_hover() -> None:
    """A viewer in Chicago and a site in Berlin speak of the same moment; in one zone it is told once."""
    assert units.both(NOON, CHICAGO, BERLIN) == "Mon 23 Nov 2026 06:00:00 CST · at the site Mon 13:00 CET"
    assert units.both(NOON, BERLIN, BERLIN) == "Mon 23 Nov 2026 13:00:00 CET"


def test_today_is_the_viewers_today() -> None:
    """23:30 UTC is tomorrow in Berlin: the date is told, although in UTC it is the same day."""
    assert units.moment(NOON + timedelta(hours=11, minutes=30), BERLIN, NOON) == "24 Nov 00:30"


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, "ratio", "no data"),
        (float("nan"), "count", "no data"),
        (1.5, "currency", "EUR 1.5"),
        (12, "per_hour", "12 / h"),
        (90, "seconds", "2 min"),
    ],
)
def test_a_kpi_is_told_in_its_unit(value: float | None, unit: str, expected: str) -> None:
    """A quantile over nothing is NaN and must read as no data."""
    assert units.value(value, unit, "EUR") == expected


@given(st.floats(min_value=-1e12, max_value=1e12, allow_nan=False))
def test_no_number_has_more_than_three_significant_digits(x: float) -> None:
    """Holds for every number, so that no tile ever shows a false precision."""
    digits = units.count(x).split(" ")[0].replace("-", "").replace(".", "").split("e")[0].strip("0")
    assert len(digits) <= 3


def test_a_foreign_text_does_nothing_as_markdown() -> None:
    """A carrier's reason with a link or a colour in it is shown, not followed."""
    assert units.plain("[x](y) :red[z] $1$") == "\\[x\\]\\(y\\) \\:red\\[z\\] \\$1\\$"
