"""
The EDIFACT tokenizer over everything that the field sent, and over what no standard foresees.

Why UNT is the yardstick: it is the sender's own count. Where it is wrong the file says so here, with a count by hand.
"""

from __future__ import annotations

import contextlib
import gc
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.formats import edifact
from collectors.formats.edifact_cuts import DEFAULT, Delimiters, split, unescaped
from schema.errors import BadPayload
from tests.collectors.formats import edi_samples

UNB = b"UNB+UNOA:2+F+M+261120:1015+7'"

# Each file of the field with the messages that it holds; `?` is one whose UNH names no type.
FILES = {
    "apimeister_d95b_coprar.edi": "COPRAR", "apimeister_iftsta_with_unb.edi": "IFTSTA", "blueseer_ORDERS.txt": "ORDERS",
    "edifactrs_d11a_malformed_component.edi": "ORDERS", "edifactrs_invoic_conforming.edi": "INVOIC",
    "edifactrs_orders_conforming.edi": "ORDERS", "edinet_Apperak_edi_out_issue235.edi": "APERAK",
    "edinet_edifact.01.multi-message.edi": "QUOTES QUOTES", "edinet_edifact.D95B.CUSCAR.EDI": "?",
    "edinet_edifact.Issue188.edi": "IFTMIN INVOIC IFTMIN INVOIC", "edinet_edifact.ORDRSP.edi": "ORDRSP",
    "edireader_ORDERS-D01B-UNOC.edi": "ORDRSP", "edireader_tiny-withUNA-UNOA.edi": "INVOIC", "frends_D01B_IFCSUM.txt": "IFCSUM",
    "frends_D96A_IFTMIN.txt": "IFTMIN", "frends_D96A_INVOIC.txt": "DESADV",
    "frends_D96A_ORDERS_DuplicateMessage.txt": "ORDERS ORDERS", "frends_D96A_ORDERS_PurchaseOrder.txt": "ORDERS",
    "frends_D96A_ORDERS_PurchaseOrderInvalid.txt": "ORDERS", "frends_D96A_ORDRSP.txt": "ORDRSP",
    "frends_D96A_PRICAT.txt": "PRICAT", "php_D95BCOARRI.edi": "COARRI COARRI", "php_D96ADESADV.edi": "DESADV",
    "php_example_order_ok.edi": "ORDERS", "php_example_release_character.edi": "PAORES", "php_example_utf8.edi": "DESADV",
    "portx_IFTSAI_1.txt": "IFTSAI", "portx_IFTSAI_2.txt": "IFTSAI", "portx_IFTSAI_3.txt": "IFTSAI",
    "progrupa_invalid_message_missing_value.edi": "", "progrupa_valid_message.edi": "INVOIC", "pydifact_invoice1.edi": "INVOIC",
    "pydifact_order.edi": "ORDERS", "pydifact_v3_aperak.edi": "APERAK", "pydifact_v3_aperak_rejected.edi": "APERAK",
    "pydifact_wikipedia_de.edi": "ORDERS", "sap_o2c_ORDERS_D96A.edi": "ORDERS", "smooks_INVOIC_D03B_UNA.txt": "INVOIC",
    "smooks_recadv.txt": "RECADV", "staedi_baplie-test.edi": "BAPLIE", "staedi_invoic_d97b.edi": "INVOIC",
    "staedi_invoic_d97b_una.edi": "INVOIC", "staedi_orders-with-group.edi": "ORDERS",
    "staedi_wrapped_invoic_d97b.edi": "INVOIC",
    "partner-sim/edifact_accept/01_CONTRL.edi": "CONTRL", "partner-sim/edifact_accept/02_ORDRSP.edi": "ORDRSP",
    "partner-sim/edifact_accept/03_DESADV.edi": "DESADV", "partner-sim/edifact_accept/04_INVOIC.edi": "INVOIC",
}  # fmt: skip
# UNT 0074 as sent, and the segments counted by hand.
WRONG_COUNTS = {
    "apimeister_d95b_coprar.edi": ("56", 29), "blueseer_ORDERS.txt": ("41", 50),
    "edinet_edifact.01.multi-message.edi": ("158", 31), "edinet_edifact.D95B.CUSCAR.EDI": ("53", 52),
    "edinet_edifact.Issue188.edi": ("1", 3), "edinet_edifact.ORDRSP.edi": ("17", 31),
    "php_example_release_character.edi": ("14", 23), "pydifact_v3_aperak.edi": ("8", 7),
    "pydifact_v3_aperak_rejected.edi": ("8", 7), "smooks_INVOIC_D03B_UNA.txt": ("36", 35),
    "staedi_orders-with-group.edi": ("21", 18),
}  # fmt: skip


def messages(document: edifact.Document) -> list[edifact.EdifactMessage]:
    return [one for interchange in document.interchanges for group in interchange.groups for one in group.messages]


def codes(document: edifact.Document) -> set[str]:
    return {finding.code for finding in document.findings}


def test_every_file_of_the_field_has_an_expectation(field_data: Path) -> None:
    """A file that is added must be looked at."""
    folder = field_data / "edifact"
    assert set(FILES) == {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_field_has_the_messages_and_segments_that_its_sender_counted(name: str, field_data: Path) -> None:
    """A quarter of these files fails in the reader that is usually taken."""
    found = messages(edifact.tokenise(edi_samples.field_file(field_data / "edifact", name)))
    assert FILES[name].split() == [one.type or "?" for one in found]
    for one in found:
        said = one.segments[-1].value(1)
        assert one.segments[-1].tag == "UNT"
        if name in WRONG_COUNTS:
            assert WRONG_COUNTS[name] == (said, len(one.segments))
        else:
            assert int(said) == len(one.segments)


def test_released_signs_are_data(field_data: Path) -> None:
    """An odd number of release signs keeps the next sign, an even number does not."""
    document = edifact.tokenise(edi_samples.field_file(field_data / "edifact", "php_example_release_character.edi"))
    assert [s.value(2) for s in messages(document)[0].segments if s.tag == "IFT"][1:] == [
        "NO MORE FLIGHTS 1", "NO MORE FLIGHTS 2?", "NO MORE ' FLIGHTS 3", "NO MORE ? FLIGHTS 3", "NO MORE ?' FLIGHTS 3",
        "FIELD 1", "FIELD 1?", "FIELD 1?+FIELD 2", "FIELD 1.1", "FIELD 1.1?", "FIELD 1.1?:FIELD 1.2",
    ]  # fmt: skip


def test_a_una_changes_every_delimiter(field_data: Path) -> None:
    """The same invoice with default and with changed delimiters is the same invoice."""
    plain = messages(edifact.tokenise(edi_samples.field_file(field_data / "edifact", "staedi_invoic_d97b.edi")))[0]
    other = messages(edifact.tokenise(edi_samples.field_file(field_data / "edifact", "staedi_invoic_d97b_una.edi")))[0]
    d = other.segments[0].delimiters
    assert (d.component, d.element, d.segment) == ("=", "*", "~")
    assert [s.tag for s in plain.segments] == [s.tag for s in other.segments]
    assert "521052" == plain.segments[3].value(1, 1) == other.segments[3].value(1, 1)
    decimal = edifact.tokenise(edi_samples.field_file(field_data / "edifact", "pydifact_order.edi")).interchanges[0].delimiters
    assert Delimiters(decimal=",") == decimal


def test_a_wrapped_interchange_is_the_same_as_the_plain_one(field_data: Path) -> None:
    """Lines of 50 columns, cut inside tags and values."""
    plain = edifact.tokenise(edi_samples.field_file(field_data / "edifact", "staedi_invoic_d97b.edi"))
    wrapped = edifact.tokenise(edi_samples.field_file(field_data / "edifact", "staedi_wrapped_invoic_d97b.edi"))
    assert [s.elements for s in messages(plain)[0].segments][:6] == [s.elements for s in messages(wrapped)[0].segments][:6]
    assert "wrapped_lines" in codes(wrapped) - codes(plain)


def test_a_charset_is_the_declared_one_unless_the_bytes_are_utf8(field_data: Path) -> None:
    """UNOC that is latin-1, UNOC and UNOA that are UTF-8."""
    latin = edifact.tokenise(edi_samples.field_file(field_data / "edifact", "edireader_ORDERS-D01B-UNOC.edi"))
    utf8 = edifact.tokenise(edi_samples.field_file(field_data / "edifact", "php_example_utf8.edi"))
    chinese = edifact.tokenise(edi_samples.field_file(field_data / "edifact", "smooks_recadv.txt"))
    assert messages(latin)[0].segments[1].value(1, 3) == "Lörém ïpsü"
    assert (set(), {"charset_mismatch"}, {"charset_mismatch"}) == (codes(latin), codes(utf8), codes(chinese))


def test_a_group_and_messages_without_an_interchange_are_read(field_data: Path) -> None:
    """UNG with its reference; UNH as the first segment of a file."""
    grouped = edifact.tokenise(edi_samples.field_file(field_data / "edifact", "staedi_orders-with-group.edi")).interchanges[0]
    bare = edifact.tokenise(edi_samples.field_file(field_data / "edifact", "frends_D01B_IFCSUM.txt")).interchanges[0]
    assert (grouped.control, grouped.groups[0].reference) == ("2722166169492", "1")
    assert (bare.header, bare.control, bare.groups[0].messages[0].reference) == (None, "", "ME000001")


def test_several_interchanges_each_with_its_own_una() -> None:
    """Files are put end to end by those who collect them."""
    other = b"UNA=*.! ~\nUNB*UNOA=2*F*M*261120=1015*8~UNH*2*IFTSTA=D=00B=UN~UNT*2*2~UNZ*1*8~\n"
    body = UNB + b"UNH+1+ORDERS:D:96A:UN'UNT+2+1'UNZ+1+7'\n" + other + b"UNA:+.? '" + UNB + b"UNZ+0+7'"
    document = edifact.tokenise(body)
    assert (
        [i.control for i in document.interchanges],
        [m.type for m in messages(document)],
        document.findings,
    ) == (["7", "8", "7"], ["ORDERS", "IFTSTA"], [])


@pytest.mark.parametrize("una", [b"UNA++.? '", b"UNA:+.+ '", b"UNAA+.? '"], ids=["two equal", "release equal", "a letter"])
def test_a_una_that_cannot_be_is_refused(una: bytes) -> None:
    """Two equal signs, a letter: nothing after it could be read for certain."""
    with pytest.raises(BadPayload, match="UNA names"):
        edifact.tokenise(una + UNB + b"UNZ+0+7'")


def test_one_message_alone_is_a_message_with_its_envelope() -> None:
    """A rejected message is replayed from these bytes."""
    body, _, _ = edi_samples.golden("edifact_iftsta", "una_changed_released_grouped")
    document = edifact.tokenise(body)
    interchange = document.interchanges[0]
    again = edifact.tokenise(edifact.alone(interchange, interchange.groups[0], interchange.groups[0].messages[0]))
    assert [s.elements for s in messages(document)[0].segments] == [s.elements for s in messages(again)[0].segments]
    interchange = again.interchanges[0]
    assert (interchange.control, interchange.groups[0].reference, interchange.value(2)) == ("9", "G7", "SEND*ER")


@pytest.mark.parametrize("piece", [b"RFF+BM:1'", b"?'", b"?", b"UNA:+.? 'UNH+1+X'", b"\n", b"A\nB'", b"UNB+"])
def test_a_large_file_costs_its_size_and_not_its_square(piece: bytes) -> None:
    """Ten times the bytes may cost ten times the time (measured with room to spare), never a hundred times."""

    def seconds(n: int) -> float:
        body = UNB + b"UNH+1+IFTSTA'" + piece * (n // len(piece))
        gc.collect()
        gc.disable()
        start = time.process_time()
        edifact.tokenise(body)
        took = time.process_time() - start
        gc.enable()
        return took

    small = max(min(seconds(50_000) for _ in range(2)), 0.005)
    assert min(seconds(500_000) for _ in range(2)) < 70 * small


@given(st.lists(st.text("a?+:' ", max_size=8), min_size=1, max_size=5))
def test_what_is_released_comes_back_as_it_was(values: list[str]) -> None:
    """Escape, join, split, unescape: the identity, for any text."""
    escaped = ["".join("?" + c if c in "?+:'" else c for c in value) for value in values]
    assert values == [unescaped(part, "?") for part in split("+".join(escaped), "+", DEFAULT.release)]


SIGNS = st.text("+:'?\nUNABHTZGE019 ", max_size=200).map(str.encode)


@given(st.binary(max_size=300) | st.builds(bytes.__add__, st.just(UNB), SIGNS))
@example(b"UNB")
@example(b"UNB+'UNA")
def test_no_bytes_crash_the_tokenizer(body: bytes) -> None:
    """Whatever arrives is a document of messages, or a BadPayload."""
    with contextlib.suppress(BadPayload):
        assert all(one.segments[0].tag == "UNH" for one in messages(edifact.tokenise(body)))
