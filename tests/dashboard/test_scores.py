"""
What the Scorecard says in words: the headline, a composite without a score, a change, a budget, a time to recover.

Why each sentence is held in full: it is what a board reads, and one that is too cheerful by a word is believed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboard import scores
from dashboard.scores import Composite
from schema.exceptions import EPOCH

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def hours(n: float) -> datetime:
    return NOW - timedelta(hours=n)


def workflow(title: str, status: str) -> dict[str, str]:
    return {"title": title, "status": status}


NOTHING_OPEN = {"n": 0, "n_past": 0, "worth": 0, "oldest_s": 0, "first_at": EPOCH, "limit_at": EPOCH}


@pytest.mark.parametrize(
    ("rows", "change", "sentence"),
    [
        ([workflow("Orders", "on_target")], 0.003, "Yes: the one measured workflow is on target; 0.3 points better than in the 30 days before."),
        ([workflow("Orders", "off_target"), workflow("Returns", "no_data")], -0.02,
         "No: Orders is off target (Returns: no data); 2.0 points worse than in the 30 days before."),
        ([workflow("Orders", "watch"), workflow("Returns", "watch")], 0.0,
         "Mostly: Orders and Returns miss the target by little; as reliable as in the 30 days before."),
        ([workflow("Orders", "on_target"), workflow("Returns", "on_target")], None,
         "Yes: all 2 measured workflows are on target; there is no comparable period before."),
    ],
)  # fmt: skip
def test_the_headline_answers_whether_it_can_be_trusted(rows: list[dict[str, str]], change: float | None, sentence: str) -> None:
    """It never says better where there was nothing to compare with."""
    whole = Composite("synchronisation", "", "", 0.99, change, ())
    assert scores.headline(rows, whole, NOTHING_OPEN, "month", "EUR") == f"{sentence} No exception is open."


@pytest.mark.parametrize(
    ("status", "n_past", "sentence"),
    [
        ("on_target", 0, "Yes: the one measured workflow is on target; there is no comparable period before. "
         "385 exceptions are open, none past its age limit, EUR 2.41 M at risk, the oldest for 27 h."),
        ("on_target", 61, "Only in part: the one measured workflow is on target, but 61 of 385 open exceptions are past the age limit; "
         "there is no comparable period before. The oldest has been open for 27 h, and EUR 2.41 M is at risk."),
        ("off_target", 61, "No: Orders is off target; there is no comparable period before. "
         "385 exceptions are open, 61 of them past the age limit, EUR 2.41 M at risk, the oldest for 27 h."),
    ],
)  # fmt: skip
def test_the_headline_weighs_what_is_open_past_its_limit(status: str, n_past: int, sentence: str) -> None:
    """On target and 61 exceptions too old is no plain yes."""
    total = NOTHING_OPEN | {"n": 385, "n_past": n_past, "worth": 2.41e6, "oldest_s": 27 * 3600}
    whole = Composite("synchronisation", "", "", 0.99, None, ())
    assert scores.headline([workflow("Orders", status)], whole, total, "month", "EUR") == sentence


def test_a_composite_without_a_score_says_from_when_it_has_one() -> None:
    """New is not broken: the first age limit that runs out is the first thing to measure."""
    total = NOTHING_OPEN | {"n": 5, "first_at": hours(1), "limit_at": hours(-3)}
    said = scores.not_yet("recovery", total, "month", when=lambda at: f"{at:%H:%M}")
    assert said.startswith("The first exception was detected 11:00; none is closed")
    assert said.endswith("The next reaches its age limit 15:00.")
    assert scores.not_yet("recovery", NOTHING_OPEN, "month", when=str) == "Nothing was ever detected: measured from the first exception."


@pytest.mark.parametrize(
    ("n_closed", "n_open", "n_recovered", "text"),
    [(0, 5, 5, "none closed"), (0, 0, 0, "–"), (3, 0, 3, "n 3: too few"), (40, 2, 42, "3.2 h, n 42")],
)
def test_a_time_to_recover_is_told_only_of_enough(n_closed: int, n_open: int, n_recovered: int, text: str) -> None:
    """A p90 of three is their maximum; of none closed it is how long we have looked."""
    row = {"n_closed": n_closed, "n_open": n_open, "n_recovered": n_recovered, "recover_s": 3.2 * 3600}
    assert scores.recovery(row) == text


def test_the_headline_without_data_says_that_it_knows_nothing() -> None:
    """A new installation is not reliable, it is unknown."""
    whole = Composite("synchronisation", "", "", None, None, ())
    assert scores.headline([workflow("Orders", "no_data")], whole, NOTHING_OPEN, "week", "EUR") == (
        "Not known yet: no workflow was due in the last 7 days."
    )


@pytest.mark.parametrize(
    ("change", "text"), [(None, ""), (0.0, "0 points"), (0.00001, "0 points"), (0.0034, "+0.3 points"), (-0.25, "-25 points")]
)
def test_a_change_is_told_in_points(change: float | None, text: str) -> None:
    """Per cent of per cent misleads."""
    assert scores.points(change) == text


@pytest.mark.parametrize(("left", "text"), [(None, "no data"), (0.65, "65 % left"), (0.0, "0 % left"), (-1.4, "overdrawn 2.4 x")])
def test_a_budget_that_is_used_up_is_told_as_overdrawn(left: float | None, text: str) -> None:
    """-140 % left is no sentence."""
    assert scores.budget(left) == text
