"""
The sentence of an incident. Why tested alone: it is what an ops lead reads first, and grammar breaks at one and at nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard import sentences
from schema import definitions

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
POD = "{n} invoices ({value}) in {region} wait for proof of delivery from {carrier}; oldest {oldest}"
ROW: dict[str, Any] = {
    "n": 240, "value": 1_900_000.0, "oldest_at": NOW - timedelta(hours=31), "object_id": "90001", "reason": "no proof",
    "owner": "carrier_desk", "place": "EU-West|ACME", "region": "EU-West", "warehouse": "", "carrier": "ACME",
    "customer": "several customers", "interface": "",
}  # fmt: skip


def told(template: str = POD, **changes: Any) -> str:
    return sentences.incident(template, ROW | changes, currency="EUR", now=NOW)


def test_the_sentence_that_an_ops_lead_reads() -> None:
    """The one of the founding brief."""
    assert told() == "240 invoices (EUR 1.9 M) in EU-West wait for proof of delivery from ACME; oldest 31 h"


def test_a_row_says_neither_value_nor_age_twice() -> None:
    """They stand beside it in columns; the sentence keeps what, where and from whom."""
    text = sentences.headline(POD, ROW)
    assert text == "240 invoices in EU-West wait for proof of delivery from ACME"


def test_of_many_things_the_oldest_ones_reason_is_not_told_of_all() -> None:
    """`at hub for 30 h` is true of one of them only."""
    template = definitions.detectors()["SHP.STALLED"].header.sentence
    many, one = sentences.headline(template, ROW), sentences.headline(template, ROW | {"n": 1, "reason": "at hub for 30 h"})
    assert many == "240 shipments in EU-West stand at a facility for too long"
    assert one == "1 shipment in EU-West stands at a facility for too long (90001): at hub for 30 h"


def test_an_interface_goes_by_its_title_and_its_error_is_left_for_the_hover() -> None:
    """People know `Milestones of Nordex Parcel`, and nobody reads a ParseError across the room."""
    row = ROW | {
        "interface": "carrier.NRDX.214", "region": "EU-North", "n": 1,
        "reason": "42 of 42 messages failed in the last 60 min: ParseError: 214 AT7: time zone 'CE' is not allowed",
    }  # fmt: skip
    template = definitions.detectors()["INT.FAIL"].header.sentence
    text = sentences.headline(template, row, interface=lambda _: "“Milestones of Nordex Parcel”")
    assert text == "“Milestones of Nordex Parcel” in EU-North has failed: 42 of 42 messages failed in the last 60 min"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("no progress for 21 h", "no progress for 21 h"),
        ("MappingError: field 'tax_regime' is unknown", "MappingError: field 'tax_regime' is unknown"),
        ("word " * 40, "word " * 18 + "…"),
    ],
)
def test_a_long_reason_is_cut_between_words_and_never_to_nothing(reason: str, expected: str) -> None:
    """A reason that is only technical is better than none."""
    assert sentences.short(reason) == expected


def test_one_is_singular_throughout() -> None:
    """`1 invoices wait` reads as a machine's."""
    assert told(n=1, value=900.0) == "1 invoice (EUR 900) in EU-West waits for proof of delivery from ACME; for 31 h"


def test_what_is_not_known_leaves_no_hole() -> None:
    """No region, no carrier, no value: the preposition and the parentheses go as well."""
    assert told(region="", carrier="", value=0.0) == "240 invoices wait for proof of delivery; oldest 31 h"


@pytest.mark.parametrize("code", sorted(definitions.detectors()))
@pytest.mark.parametrize("is_bare", [False, True])
@pytest.mark.parametrize("n", [1, 2])
def test_every_detectors_sentence_can_be_told(code: str, is_bare: bool, n: int) -> None:
    """A template may name only what an incident has, and whatever is empty, no brace and no empty parenthesis remains."""
    bare = dict.fromkeys(("region", "warehouse", "carrier", "customer", "reason", "object_id", "place"), "") | {"value": 0.0}
    known = {"interface": "acme-pod", "warehouse": "ROT"}
    text = told(definitions.detectors()[code].header.sentence, n=n, **(known | (bare if is_bare else {})))
    assert not set("{}") & set(text)
    assert "()" not in text
    assert "  " not in text
    assert len(text) > 15


def test_the_cause_names_the_interface_and_the_change_before_it() -> None:
    """The other half of the product: from the business to the interface, with what changed."""
    row = {
        "cause_interface": "acme-pod", "n_failed": 92, "n_retries": 1, "cause_at": NOW, "cause_message": "401",
        "is_change_before": 1, "cause_version": "2.4", "changed_at": NOW,
    }  # fmt: skip
    expected = (
        "Behind it: interface acme-pod, 92 calls failed, 1 retry since 12:00 (401). Version 2.4 went live 12:00, just before."
    )
    assert sentences.cause(row, when=lambda at: f"{at:%H:%M}") == expected
    assert sentences.cause(row | {"cause_interface": ""}, when=str) == ""
