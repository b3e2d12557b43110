"""
EDIFACT IFTSTA to shipment events: our samples with their golden rows, the real file by value, and what must always hold.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given

from collectors.formats import edifact_iftsta
from collectors.message import Decoded
from schema import governance
from schema.errors import BadPayload
from schema.events import Related
from schema.governance import Catalogue
from tests.collectors.formats import edi_samples

NAMES = edi_samples.names("edifact_iftsta")
BODIES = [edi_samples.golden("edifact_iftsta", name)[0] for name in NAMES]
CATALOGUE = governance.load()
ENVELOPE = b"UNB+UNOC:3+F+M+261120:1015+7'UNH+1+IFTSTA:D:00B:UN'BGM+23+D+9'%sUNT+9+1'UNZ+1+7'"


def decode(segments: bytes, catalogue: Catalogue, **source: object) -> Decoded:
    return edi_samples.decoded(edifact_iftsta, ENVELOPE % segments, catalogue, **source)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_becomes_its_golden_rows(name: str, catalogue: Catalogue) -> None:
    """Whole events with their ids, all findings, all rejects; of a bad sample the whole reason."""
    body, source, expected = edi_samples.golden("edifact_iftsta", name)
    assert edi_samples.outcome(edifact_iftsta, body, catalogue, **source) == expected


def test_the_real_iftsta_is_one_status_of_a_bill_of_lading(field_data: Path, catalogue: Catalogue) -> None:
    """Its code is the carrier's own (agency HS): kept as such, and not taken for a code of Rec. 24."""
    body = edi_samples.field_file(field_data, "edifact/apimeister_iftsta_with_unb.edi")
    result = edi_samples.decoded(edifact_iftsta, body, catalogue)
    (event,) = result.events
    assert (event.object_id, event.state, event.event_type) == ("ABCD224O4023815X", "unknown", "shipment.status")
    assert (event.code_list, event.code_element, event.code_version, event.source_code) == ("HS", "4405", "D.00B", "P")
    assert (event.occurred_at, event.recorded_at) == (
        datetime(2022, 11, 19, 7, 10, tzinfo=UTC),
        datetime(2023, 5, 22, 0, 44, tzinfo=UTC),
    )
    assert (event.carrier, event.system, event.location, event.mode) == ("ABCD", "ABCD", "SYRACUSE, US", "")
    assert event.keys == ("24O4023815", "TRHU4561222", "100113938", "TRHU4307252", "2023521591", "31075687")
    assert event.related == (Related(object_type="order", object_id="2023521591"),)
    assert {name: value for name, value in event.attributes.items() if value} == {
        "status_category": "1", "status_agency": "HS", "status_text": "Rail Departed from In-Transit Locat",
        "location_code": "USSYR", "equipment": "TRHU4561222", "leg_mode": "rail", "document": "2BOG129382",
        "interchange": "3724322", "message": "2805567",
    }  # fmt: skip
    assert [(finding.code, finding.where) for finding in result.findings] == [
        ("unmapped_code", "interchange 3724322, message 2805567, segment 13 (STS)")
    ]


def test_an_own_code_can_be_mapped_under_its_agency(catalogue: Catalogue, field_data: Path) -> None:
    """The way out of `unmapped_code` is an entry in the catalogue, for this agency and this partner."""
    changed = edi_samples.with_codes(catalogue, "HS", "4405", "ABCD", P="departed")
    body = edi_samples.field_file(field_data, "edifact/apimeister_iftsta_with_unb.edi")
    result = edi_samples.decoded(edifact_iftsta, body, changed)
    assert (result.events[0].state, result.findings) == ("departed", ())


@pytest.mark.parametrize("name", ["portx_IFTSAI_1.txt", "frends_D96A_IFTMIN.txt", "edinet_edifact.Issue188.edi"])
def test_a_file_without_iftsta_is_refused_with_what_it_holds(name: str, field_data: Path, catalogue: Catalogue) -> None:
    """A file in the wrong drop folder is the usual reason."""
    with pytest.raises(BadPayload, match=r"holds (IFTSAI|IFTMIN|IFTMIN, INVOIC); this source expects IFTSTA"):
        edi_samples.decoded(edifact_iftsta, edi_samples.field_file(field_data / "edifact", name), catalogue)


@pytest.mark.parametrize(
    ("dtm", "at"),
    [
        (b"202607011230:203", (2026, 7, 1, 10, 30, 0)), (b"20260701123045:204", (2026, 7, 1, 10, 30, 45)),
        (b"2607011230:201", (2026, 7, 1, 10, 30, 0)), (b"260701123045:202", (2026, 7, 1, 10, 30, 45)),
        (b"20260701:102", (2026, 6, 30, 22, 0, 0)), (b"260701:101", (2026, 6, 30, 22, 0, 0)),
        (b"202607011230GMT:303", (2026, 7, 1, 12, 30, 0)), (b"202607011230EST:303", (2026, 7, 1, 17, 30, 0)),
        (b"20260701123045?+05?:30:304", (2026, 7, 1, 7, 0, 45)), (b"2607011230-03:301", (2026, 7, 1, 15, 30, 0)),
        (b"010726:2", (2026, 6, 30, 22, 0, 0)), (b"070126:3", (2026, 6, 30, 22, 0, 0)),
        (b"01072026:4", (2026, 6, 30, 22, 0, 0)),
        (b"202607012400:203", (2026, 7, 1, 22, 0, 0)), (b"20260701-20260703:718", (2026, 6, 30, 22, 0, 0)),
    ],
)  # fmt: skip
def test_a_date_is_read_by_its_format_in_its_own_or_the_sources_zone(
    dtm: bytes, at: tuple[int, int, int, int, int, int], catalogue: Catalogue
) -> None:
    """Berlin in July is two hours ahead; a zone in the value counts before it."""
    result = decode(b"CNI+1+C1'STS+1+31'DTM+334:" + dtm + b"'", catalogue, zone="Europe/Berlin")
    assert result.events[0].occurred_at == datetime(*at, tzinfo=UTC)


def test_each_consignment_has_its_own_statuses_and_references(catalogue: Catalogue) -> None:
    """What stands under one CNI must not be said of the next."""
    first = b"CNI+1+C1'RFF+ON:ORDER1'STS+1+31'DTM+334:202611191230:203'"
    body = b"RFF+MB:MASTER1'" + first + b"CNI+2+C2'STS+1+21'DTM+334:202611200700:203'"
    found = decode(body, catalogue).events
    assert [(e.object_id, e.state, e.keys, len(e.related)) for e in found] == [
        ("C1", "in_transit", ("ORDER1", "MASTER1"), 1),
        ("C2", "delivered", ("MASTER1",), 0),
    ]


def test_code_1_of_4405_is_not_the_arrival_of_rec_24(catalogue: Catalogue) -> None:
    """Agency 87 (the carrier's own) and none: the same figure, two meanings."""
    found = decode(b"CNI+1+C1'STS+1+1::87'DTM+334:202611191230:203'STS+1+1'DTM+334:202611191230:203'", catalogue).events
    assert [(event.code_list, event.state) for event in found] == [("87", "unknown"), ("UNECE", "at_hub")]


def test_statuses_without_number_cost_no_square(catalogue: Catalogue) -> None:
    """Each STS sees the references of the header: very many of both must not cost their product."""

    def seconds(n: int) -> float:
        start = time.process_time()
        body = b"RFF+BM:BILL123456'" * n + b"CNI+1+C1'" + b"STS+1+31'DTM+334:202611191230:203'" * (n // 50)
        assert "too_many" in {finding.code for finding in decode(body, catalogue).findings}
        return time.process_time() - start

    assert seconds(20_000) < 40 * max(seconds(2_000), 0.005)


@given(edi_samples.mutilated(BODIES))
def test_a_mutilated_message_is_decoded_or_refused(body: bytes) -> None:
    """Never anything else: a ValidationError or an IndexError would stop the source."""
    try:
        result = edi_samples.decoded(edifact_iftsta, body, CATALOGUE)
    except BadPayload:
        return
    assert all(event.object_id and event.object_type == "shipment" for event in result.events)
    for reject in result.rejects:  # what was put aside is a message of the same format, wrong by itself
        with pytest.raises(BadPayload):
            edi_samples.decoded(edifact_iftsta, reject.body, CATALOGUE)
