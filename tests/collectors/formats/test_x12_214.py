"""
X12 214 to shipment events: our samples with their golden rows, the real files by value, and what must always hold.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given

from collectors.formats import x12_214
from collectors.message import Decoded
from schema import events, governance
from schema.errors import BadPayload
from schema.governance import Catalogue
from tests.collectors.formats import edi_samples

NAMES = edi_samples.names("x12_214")
BODIES = [edi_samples.golden("x12_214", name)[0] for name in NAMES]
CATALOGUE = governance.load()
ENVELOPE = (
    b"ISA*00*          *00*          *02*SCAC           *ZZ*MILEPOST       *261120*1015*U*00401*000000101*0*P*>~"
    b"GS*QM*SCAC*MILEPOST*20261120*1015*7*X*004010~ST*214*1~%sSE*1*1~GE*1*7~IEA*1*101~"
)


def decode(segments: bytes, catalogue: Catalogue, **source: object) -> Decoded:
    return edi_samples.decoded(x12_214, ENVELOPE % segments, catalogue, **source)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_becomes_its_golden_rows(name: str, catalogue: Catalogue) -> None:
    """Whole events with their ids, all findings, all rejects; of a bad sample the whole reason."""
    body, source, expected = edi_samples.golden("x12_214", name)
    assert edi_samples.outcome(x12_214, body, catalogue, **source) == expected


def test_nineteen_sets_of_canada_post_are_nineteen_events(field_data: Path, catalogue: Catalogue) -> None:
    """Zones: PT in November is UTC-8 (UTC-7 before the night of the 3rd), CS is UTC-6 for good, none is the source's."""
    body = edi_samples.field_file(field_data, "x12/canadapost_214_19sets.txt")
    found = edi_samples.decoded(x12_214, body, catalogue, zone="America/Toronto").events
    assert [event.object_id[-4:] for event in found] == [
        "5589", "0296", "8575", "6166", "1877", "1891", "1921", "6995", "3540", "3540", "6577", "6577", "6577", "0607",
        "1441", "1472", "6088", "2606", "6574",
    ]  # fmt: skip
    assert [event.state for event in found] == [
        "confirmed", "delivery_failed", "cancelled", "delivered", "departed", "departed", "confirmed", "departed", "departed",
        "confirmed", "departed", "delivery_failed", "departed", "delivery_failed", "confirmed", "departed", "delivery_failed",
        "confirmed", "confirmed",
    ]  # fmt: skip
    at = {0: (3, 20, 34), 1: (2, 23, 25), 2: (3, 0, 52), 3: (2, 22, 48), 4: (3, 21, 9), 18: (3, 21, 18)}
    assert {n: found[n].occurred_at for n in at} == {n: datetime(2019, 11, *when, tzinfo=UTC) for n, when in at.items()}
    assert {event.recorded_at for event in found} == {datetime(2019, 11, 3, 23, 0, tzinfo=UTC)}
    assert {event.carrier for event in found} == {"CPCC"}
    assert (found[2].location, found[2].keys) == ("SAW, BC, CA", ("3001100072",))
    assert len({event.event_id for event in found}) == 19


def test_three_stops_with_appointments_are_eighteen_events(field_data: Path, catalogue: Catalogue) -> None:
    """AT703 is planned, AT701 is actual; an L11 after the AT7s of its LX names that stop's order only."""
    body = edi_samples.field_file(field_data, "x12/x12types_214_1.edi")
    found = edi_samples.decoded(x12_214, body, catalogue).events
    stop = [
        ("at_pickup", "PLN"), ("at_pickup", "ACT"), ("loaded", "ACT"),
        ("delivered", "PLN"), ("at_delivery", "ACT"), ("delivered", "ACT"),
    ]  # fmt: skip
    assert [(event.state, event.classifier) for event in found] == stop * 3
    assert {event.object_id for event in found} == {"99948782"}
    assert [event.keys for event in found[::6]] == [("995551", n) for n in ("99997666", "99990835", "99991280")]
    assert (found[0].occurred_at, found[-1].occurred_at) == (
        datetime(2011, 12, 17, 16, 30, tzinfo=UTC),
        datetime(2011, 12, 19, 12, 30, tzinfo=UTC),
    )


def test_a_wrapped_isa_with_local_time_is_one_delivery(field_data: Path, catalogue: Catalogue) -> None:
    """LT is the zone of the source."""
    body = edi_samples.field_file(field_data, "x12/edinet_x12.214.edi")
    result = edi_samples.decoded(x12_214, body, catalogue, zone="America/New_York")
    event = result.events[0]
    assert len(result.events) == 1
    assert (event.object_id, event.state, event.carrier, event.location, event.keys) == (
        "75027674", "delivered", "SCAC", "BRATTLEBORO, VT", ("1751807",),
    )  # fmt: skip
    assert (event.occurred_at, event.attributes["equipment"]) == (datetime(2016, 7, 26, 16, 30, tzinfo=UTC), "30402")
    assert [finding.code for finding in result.findings] == ["wrapped_lines"]


def test_there_is_no_other_214_in_the_field_data(field_data: Path) -> None:
    """A new one must be checked by value."""
    found = {p.name for p in (field_data / "x12").rglob("*") if p.is_file() and b"ST*214" in p.read_bytes()}
    assert found == {"canadapost_214_19sets.txt", "x12types_214_1.edi", "edinet_x12.214.edi"}


def test_one_batch_of_whole_rows_is_made(catalogue: Catalogue) -> None:
    """What the sink stores is what the dry run prints."""
    result = decode(b"B10*P1*S1*SCAC~AT7*D1*NS***20261119*0830*UT~", catalogue)
    (batch,) = result.batches
    (row,) = batch.block.to_pylist()
    assert (batch.table, len(batch), {*row, "ingested_at"}) == ("events", 1, {*events.COLUMNS})
    assert (row["event_id"], row["event_version"]) == (result.events[0].event_id, 1)


def test_the_same_bytes_have_the_same_ids_whenever_and_from_whichever_source(catalogue: Catalogue) -> None:
    """A replay must fold into what is there."""
    segments = b"B10*P1*S1*SCAC~AT7*D1*NS***20261119*0830*UT~AT7*D1*NS***20261119*0830*UT~"
    once, again = (decode(segments, catalogue, zone=zone).events for zone in ("UTC", "Asia/Tokyo"))
    assert [event.event_id for event in once] == [event.event_id for event in again]
    assert len({event.event_id for event in once}) == 2


def test_a_partner_who_restarts_its_control_numbers_loses_nothing(catalogue: Catalogue) -> None:
    """Same ISA13, GS06, ST02 and position, another shipment or another status: other events."""
    ids = {
        decode(segments, catalogue).events[0].event_id
        for segments in (
            b"B10*P1*S1*SCAC~AT7*D1*NS***20261119*0830*UT~",
            b"B10*P1*S2*SCAC~AT7*D1*NS***20261119*0830*UT~",
            b"B10*P1*S1*SCAC~AT7*D1*NS***20261119*0831*UT~",
        )
    }
    assert len(ids) == 3


def test_a_partners_own_code_map_counts_before_the_common_one(catalogue: Catalogue) -> None:
    """The same code may mean another thing at another carrier; without a configured partner the SCAC is the partner."""
    changed = edi_samples.with_codes(catalogue, "X12", "1650", "ODDC", D1="at_delivery")
    segments = b"B10*P1*S1*%s~AT7*D1*NS***20261119*0830*UT~"
    assert [decode(segments % scac, changed).events[0].state for scac in (b"ODDC", b"SCAC")] == ["at_delivery", "delivered"]
    assert decode(segments % b"SCAC", changed, partner="ODDC").events[0].state == "at_delivery"


def test_defaults_fill_only_what_is_empty(catalogue: Catalogue) -> None:
    """A source knows its region and tenant; it does not know better than the message."""
    defaults = {"region": "NA", "tenant": "t1", "carrier": "OTHER", "system_role": "tms"}
    event = decode(b"B10*P1*S1*SCAC~AT7*D1*NS***20261119*0830*UT~", catalogue, defaults=defaults).events[0]
    assert (event.region, event.tenant, event.carrier, event.system_role) == ("NA", "t1", "SCAC", "carrier")


def test_references_without_number_cost_no_square(catalogue: Catalogue) -> None:
    """Each AT7 carries the references of its loop: a set with very many of both must not cost their product."""

    def seconds(n: int) -> float:
        start = time.process_time()
        statuses = b"AT7*D1*NS***20261119*0830*UT~" * (n // 50)
        result = decode(b"B10*P1*S1*SCAC~LX*1~" + b"L11*REF123456*BM~" * n + statuses, catalogue)
        assert "too_many" in {finding.code for finding in result.findings}
        return time.process_time() - start

    assert seconds(20_000) < 40 * max(seconds(2_000), 0.005)


@given(edi_samples.mutilated(BODIES))
def test_a_mutilated_message_is_decoded_or_refused(body: bytes) -> None:
    """Never anything else: a ValidationError or an IndexError would stop the source."""
    try:
        result = edi_samples.decoded(x12_214, body, CATALOGUE)
    except BadPayload:
        return
    assert all(event.object_id and event.object_type == "shipment" for event in result.events)
    for reject in result.rejects:  # what was put aside is a message of the same format, wrong by itself
        with pytest.raises(BadPayload):
            edi_samples.decoded(x12_214, reject.body, CATALOGUE)
