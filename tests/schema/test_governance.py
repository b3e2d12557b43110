"""The catalogue: a wrong file stops the start and says which key, what it got and what it knows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from schema import governance, policy
from schema.errors import BadConfig
from schema.governance import Catalogue
from schema.store import Store


def overridden(tmp_path: Path, text: str) -> Catalogue:
    file = tmp_path / "governance.toml"
    file.write_text(text, "utf-8")
    return governance.load(file)


def test_a_users_file_overrides_by_key_and_leaves_the_rest(tmp_path: Path, catalogue: Catalogue) -> None:
    """A user who moves one target must not have to copy four hundred lines."""
    mine = overridden(tmp_path, "[tolerances.proof_of_delivery]\ntarget = 3600\n")
    assert mine.tolerances["proof_of_delivery"].target == 3600
    assert mine.tolerances["proof_of_delivery"].limit_s == catalogue.tolerances["proof_of_delivery"].limit_s
    assert mine.digest != catalogue.digest


GUARD_WITHOUT_CONDITION = """
[[lifecycles.invoice.guards]]
for = "posted"
name = "x"
on = "invoice"
owed_by = "erp"
owner = "finance"
"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "[workflows.returns]\nowner = 'retuns_desk'\n",
            ["workflows.returns.owner", "'retuns_desk'", "did you mean 'returns_desk'", "carrier_desk"],
        ),
        ("[workflows.returns]\nwieght = 2\n", ["workflows.returns.wieght", "Extra inputs are not permitted"]),
        ("[exceptions.'SHP.STALE']\nseverity = 9\n", ["exceptions.SHP.STALE.severity", "less than or equal to 4", "'9'"]),
        ("[calendars.business]\nzone = 'Europe/Berln'\n", ["calendars.business.zone", "Europe/Berln"]),
        ("[lifecycles.shipment.states]\ndelivered = { rank = 0 }\n", ["shipment.states.delivered.rank", "greater than 0"]),
        ("[exceptions.'SHP.STALE']\nawaits = ['shipment.arived']\n", ["exceptions.SHP.STALE.awaits", "'arived'", "known:"]),
        (GUARD_WITHOUT_CONDITION, ["exactly one of state and no_hold"]),
        ("not toml", ["governance.toml", "is not TOML"]),
    ],
)
def test_a_wrong_key_is_named_with_what_was_got_and_what_is_known(tmp_path: Path, text: str, says: list[str]) -> None:
    """The person who edits the file reads this sentence and nothing else."""
    with pytest.raises(BadConfig) as caught:
        overridden(tmp_path, text)
    for part in says:
        assert part in str(caught.value)


def test_the_most_specific_code_map_wins(tmp_path: Path) -> None:
    """The same code means another thing at another carrier, and in another version of the list."""
    mine = overridden(
        tmp_path,
        """
        [[code_maps]]
        list = "X12"
        element = "1650"
        codes.D1 = { state = "delivered" }
        [[code_maps]]
        list = "X12"
        element = "1650"
        partner = "ACME"
        codes.D1 = { state = "pod_received" }
        """,
    )
    assert (mine.meaning("X12", "1650", "D1") or governance.Code()).state == "delivered"
    assert (mine.meaning("X12", "1650", "D1", partner="ACME") or governance.Code()).state == "pod_received"
    assert mine.meaning("X12", "1651", "D1") is None


def test_business_time_knows_weekends_holidays_and_the_change_of_the_clock(catalogue: Catalogue) -> None:
    """A delay over a weekend is no delay of a desk that is closed; an hour gained in October is not worked."""
    columns, rows = policy.catalogue_rows(catalogue, date(2026, 11, 23))["gov_calendar"]
    days = {r[1]: dict(zip(columns, r, strict=True)) for r in rows if r[0] == "business"}
    assert days[date(2026, 11, 20)]["open_s"] == 12 * 3600
    assert days[date(2026, 11, 21)]["open_s"] == 0
    assert days[date(2026, 12, 25)]["open_s"] == 0
    assert days[date(2026, 10, 23)]["opens_at"] == datetime(2026, 10, 23, 5, 0, tzinfo=UTC)
    assert days[date(2026, 10, 26)]["opens_at"] == datetime(2026, 10, 26, 6, 0, tzinfo=UTC)
    assert days[date(2026, 11, 23)]["open_before_s"] - days[date(2026, 11, 20)]["open_before_s"] == 12 * 3600


def test_a_calendar_is_the_same_whatever_day_of_the_year_it_was_loaded(catalogue: Catalogue) -> None:
    """Waits keep business seconds counted from its first day: one that begins another day moves all of them, and nothing tells."""
    first, last = (policy.catalogue_rows(catalogue, day)["gov_calendar"] for day in (date(2026, 1, 1), date(2026, 12, 31)))
    assert first == last
    days = [row[1] for row in first[1]]
    assert (min(days), max(days)) == (date(2023, 1, 1), date(2027, 12, 31))


def test_the_catalogue_is_loaded_again_only_when_it_changes(store: Store, tmp_path: Path, catalogue: Catalogue) -> None:
    """A restart must not rebuild the state of millions of objects for nothing."""
    mine = overridden(tmp_path, "[teams.night_shift]\ntitle = 'night shift'\n")
    assert policy.load(store, mine)
    assert store.value("SELECT title FROM gov_teams WHERE team = 'night_shift'") == "night shift"
    assert not policy.load(store, mine)
    assert policy.load(store, catalogue)
    assert store.value("SELECT count() FROM gov_teams WHERE team = 'night_shift'") == 0
