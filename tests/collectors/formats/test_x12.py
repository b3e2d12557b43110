"""
The X12 tokenizer over everything that the field sent, and over what no standard foresees.

Why SE01 is the yardstick: it is the sender's own count of the segments in a set, made by a program that is not ours.
Where it is wrong the file says so here, with the count by hand.
"""

from __future__ import annotations

import contextlib
import gc
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.formats import x12
from schema.errors import BadPayload
from tests.collectors.formats import edi_samples

HEAD = b"ISA*00*          *00*          *02*SCAC           *ZZ*MILEPOST       *261120*1015*U*00401*000000101*0*P*>~\n"
GS = b"GS*QM*SCAC*MILEPOST*20261120*1015*7*X*004010~\n"

# Each file of the field with the sets that it holds, in order.
FILES = {
    "110_FedEx_SampleInvoice1.txt": "110", "180_FromLowes.txt": "180", "210_CN_FreightInvoiceSample1.txt": "210",
    "322_322Status.txt": "322 " * 17, "417_417CarWaybill.txt": "417", "810_Example1_CaliforniaISO.txt": "810",
    "810_Example4_Adobe.txt": "810", "810_Example5_Walmart.txt": "810", "820_Example3_HomeDepot.txt": "820",
    "824_FromCnSpec.txt": "824", "846_Example1.txt": "846", "850_Example1_PGWGlass.txt": "850",
    "850_Example2_Adobe_TLP.txt": "850", "850_From_aojuk.txt": "850", "852_AftermarketExample.txt": "852",
    "855_Example1_Adobe.txt": "855", "856_Example1.txt": "856", "856_Example2.txt": "856", "856_FromGregarican.txt": "856",
    "857_Kroger_DeliveryExample.txt": "857", "860_Example1.txt": "860", "865_FromTyco.txt": "865", "940_simplot.txt": "940",
    "999_DHS_Wisconsin_Sample.txt": "999", "TA1_TechnicalAcknowledgment_Sample1.txt": "", "blueseer_ACME_204.txt": "204",
    "blueseer_ACME_850.txt": "850", "blueseer_ACME_855o.txt": "855", "blueseer_ACME_997.txt": "997",
    "canadapost_214_19sets.txt": "214 " * 19, "edinet_204-MGCTLYST-SAMPLE.EDI": "204",
    "edinet_990-MGCTLYST-SAMPLE.EDI": "990", "edinet_x12.214.edi": "214", "edinet_x12.810a.edi": "810",
    "edinet_x12.810c.edi": "810", "edinet_x12.820.issue140.edi": "820", "edinet_x12.850.issue135.edi": "850 850",
    "freighttrust_846_caret.edi": "846", "libedi_856.txt": "856", "nodex12_850_fat.edi": "850 850", "nodex12_856.edi": "856",
    "nodex12edi_944.edi": "944", "pyx12_999.txt": "999", "sap_o2c_850_004010.edi": "850",
    "staedi_invoice810_po850_dual.edi": "810 810 850", "staedi_optionalInterchangeServices.edi": "997",
    "staedi_simple810.edi": "810 810", "staedi_simple997-multiple-interchanges.edi": "997 997 997",
    "staedi_simple997.edi": "997", "staedi_simple_with_binary_segment.edi": "000", "staedi_ts210_80char.edi": "210",
    "staedi_x12_interchange_ack.txt": "", "x12types_204_ocean_dray.edi": "204", "x12types_214_1.edi": "214",
    "x12types_301_2.edi": "301", "x12types_310_2.edi": "310", "x12types_315_2.edi": "315", "x12types_322_1.edi": "322",
    "x12types_404_1.edi": "404", "x12types_810_2.edi": "810", "x12types_856_walmart_00204.edi": "856",
    "x12types_940_1.edi": "940", "x12types_940_3.edi": "940", "x12types_945_1.edi": "945",
    "partner-sim/x12_accept/01_997.edi": "997", "partner-sim/x12_accept/02_855.edi": "855",
    "partner-sim/x12_accept/03_856.edi": "856", "partner-sim/x12_accept/04_810.edi": "810",
    "partner-sim/x12_shortship/01_997.edi": "997", "partner-sim/x12_shortship/02_855.edi": "855",
    "partner-sim/x12_shortship/03_856.edi": "856", "partner-sim/x12_shortship/04_810.edi": "810",
    "../x12-malformed/staedi_extraDelimiter997.edi": "997",
    "../x12-malformed/x12types_test_940_newline_as_segment_terminator.edi": "940",
}  # fmt: skip
# SE01 as sent, and the segments counted by hand. 940_3: two lines that begin with PI, each after a missing terminator.
WRONG_COUNTS = {
    "edinet_204-MGCTLYST-SAMPLE.EDI": ("41", 38), "x12types_940_3.edi": ("20", 22), "x12types_945_1.edi": ("12", 16),
    "../x12-malformed/x12types_test_940_newline_as_segment_terminator.edi": ("2", 3),
}  # fmt: skip
MALFORMED = {
    "x12types_test_940_invalid_isa_missing_fields.edi": "the ISA has 10 elements, 16 are expected",
    "x12types_test_940_invalid_isa_wrong_element_separator.edi": "the ISA has 15 elements, 16 are expected",
    "x12types_test_940_truncated_isa.edi": "the ISA has 8 elements, 16 are expected",
}


def sets(document: x12.Document) -> list[x12.TransactionSet]:
    return [one for interchange in document.interchanges for group in interchange.groups for one in group.sets]


def codes(document: x12.Document) -> set[str]:
    return {finding.code for finding in document.findings}


def test_every_file_of_the_field_has_an_expectation(field_data: Path) -> None:
    """A file that is added must be looked at."""
    found = {str(p.relative_to(field_data / "x12")) for p in (field_data / "x12").rglob("*") if p.is_file()}
    broken = {f"../x12-malformed/{p.name}" for p in (field_data / "x12-malformed").iterdir()}
    assert found | broken == set(FILES) | {f"../x12-malformed/{name}" for name in MALFORMED}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_field_has_the_sets_and_segments_that_its_sender_counted(name: str, field_data: Path) -> None:
    """Delimiters that were read wrongly show as segments that are missing or too many."""
    found = sets(x12.tokenise(edi_samples.field_file(field_data / "x12", name)))
    assert FILES[name].split() == [one.code for one in found]
    for one in found:
        said = one.segments[-1].value(1) if one.segments[-1].tag == "SE" else None
        if name == "freighttrust_846_caret.edi":  # ends without SE: 199 lines from ST on, by wc
            assert (said, len(one.segments)) == (None, 199)
        elif name in WRONG_COUNTS:
            assert WRONG_COUNTS[name] == (said, len(one.segments))
        else:
            assert said is not None
            assert int(said) == len(one.segments)


@pytest.mark.parametrize("name", MALFORMED)
def test_an_isa_that_cannot_be_read_is_refused_with_its_number_of_elements(name: str, field_data: Path) -> None:
    """A person at the partner's must be able to see from the reason alone what is wrong."""
    with pytest.raises(BadPayload, match=MALFORMED[name]):
        x12.tokenise(edi_samples.field_file(field_data / "x12-malformed", name))


def test_delimiters_are_read_from_any_isa(field_data: Path) -> None:
    """Terminators, separators and component signs of real files, among them an ISA without ISA16."""
    expected = {
        "846_Example1.txt": ("~", ">", "}"), "856_Example1.txt": ("~", "`", "*"), "180_FromLowes.txt": ("*", ">", "\\"),
        "850_Example1_PGWGlass.txt": ("*", "~", "|"), "322_322Status.txt": ("*", "~", "\n"),
        "freighttrust_846_caret.edi": ("^", "+", "\n"), "edinet_x12.850.issue135.edi": ("*", "", "~"),
        "824_FromCnSpec.txt": ("*", "_", "\n"), "x12types_940_1.edi": ("*", "\\", "~"),
    }  # fmt: skip
    found = {n: x12.tokenise(edi_samples.field_file(field_data / "x12", n)).interchanges[0].delimiters for n in expected}
    assert expected == {name: (d.element, d.component, d.segment) for name, d in found.items()}


def test_binary_data_is_counted_and_not_cut(field_data: Path) -> None:
    """BIN holds terminators and separators as data."""
    one = sets(x12.tokenise(edi_samples.field_file(field_data / "x12", "staedi_simple_with_binary_segment.edi")))[0]
    assert [segment.elements[2] for segment in one.segments if segment.tag == "BIN"] == [
        "1234567890123456789012345",
        "12345678901234567890\n1234",
        "1234567890\n1234567890\n12\n",
    ]


def test_a_value_that_is_wrapped_at_80_columns_is_whole(field_data: Path) -> None:
    """The line break stands inside elements and inside the ISA."""
    document = x12.tokenise(edi_samples.field_file(field_data / "x12", "staedi_ts210_80char.edi"))
    assert document.interchanges[0].isa.value(10) == "0224"
    assert [s.value(1) for s in sets(document)[0].segments if s.tag == "N4"] == ["WILKESBORO", "DUDLEY", "FAIRFAX"]
    assert {"wrapped_lines"} == codes(document)


def test_wrong_counts_and_controls_are_findings() -> None:
    """They are common, and say nothing against the statuses between them."""
    document = x12.tokenise(HEAD + GS + b"ST*214*1~\nSE*9*2~\nGE*4*8~\nIEA*5*9~\n")
    assert [f.text for f in document.findings[:2]] == ["SE01 says 9, there are 2 segments", "SE02 is '2', the header says '1'"]
    assert [f.code for f in document.findings] == ["count_mismatch", "control_mismatch"] * 3


def test_a_reused_control_number_is_a_finding_and_both_sets_are_there() -> None:
    """Two sets with the number 0001 are two sets."""
    document = x12.tokenise(HEAD + GS + b"ST*214*1~SE*2*1~ST*214*1~SE*2*1~GE*2*7~IEA*1*101~")
    assert (["214", "214"], {"duplicate_control"}) == ([s.code for s in sets(document)], codes(document))


def test_an_interchange_may_follow_one_that_never_ended_with_other_delimiters() -> None:
    """A lost trailer must not swallow the next interchange, whatever its separators are."""
    second = (HEAD + GS).replace(b"*", b"|").replace(b"~", b"'") + b"ST|997|2'SE|2|2'GE|1|7'IEA|1|101'"
    document = x12.tokenise(HEAD + GS + b"ST*214*1~\n" + second)
    assert [one.code for one in sets(document)] == ["214", "997"]
    assert {"missing_trailer"} == codes(document)


@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b" \r\n", "\u2026".encode(), b"|", b"\x1c"])
def test_any_sign_may_end_a_segment(ends: bytes) -> None:
    """Newline, blank and newline, an ellipsis that somebody's editor made of three dots."""
    body = (HEAD + GS + b"ST*214*1~\nB10*A*B*C~\nSE*3*1~\nGE*1*7~\nIEA*1*101~\n").replace(b"~\n", ends)
    document = x12.tokenise(body)
    assert (
        [s.elements for s in sets(document)[0].segments],
        document.findings,
    ) == ([["ST", "214", "1"], ["B10", "A", "B", "C"], ["SE", "3", "1"]], [])


def test_text_around_the_interchanges_is_left_aside_with_a_finding() -> None:
    """Mail gateways and mainframes put lines before and after."""
    body = b"VISA*X\n$$ADD ID=1\n" + HEAD + GS + b"ST*214*1~SE*2*1~GE*1*7~IEA*1*101~\nEND OF FILE\n"
    document = x12.tokenise(body)
    assert [f.where for f in document.findings if f.code == "stray_text"] == ["before the first ISA", "after an IEA"]
    assert len(sets(document)) == 1


def test_one_set_alone_is_a_message_with_its_envelope(field_data: Path) -> None:
    """A rejected set is replayed from these bytes."""
    document = x12.tokenise(edi_samples.field_file(field_data / "x12", "canadapost_214_19sets.txt"))
    interchange = document.interchanges[0]
    again = x12.tokenise(x12.alone(interchange, interchange.groups[0], interchange.groups[0].sets[18]))
    assert [s.elements for s in sets(document)[18].segments] == [s.elements for s in sets(again)[0].segments]
    assert (interchange.control, "000001644", []) == (
        again.interchanges[0].control,
        again.interchanges[0].groups[0].value(6),
        again.findings,
    )


@pytest.mark.parametrize(
    "piece",
    [b"AT7*D1*NS***20261119*0830*ET~", b"BIN*900000*x~", b"ISA*", b"ST*214*1~", b"GS*QM~", b"\n", b"AT7\nX~"],
    ids=["AT7", "BIN", "ISA", "ST", "GS", "newline", "wrapped"],
)
def test_a_large_file_costs_its_size_and_not_its_square(piece: bytes) -> None:
    """Ten times the bytes may cost ten times the time (measured with room to spare), never a hundred times."""

    def seconds(n: int) -> float:
        body = HEAD + GS + piece * (n // len(piece))
        gc.collect()
        gc.disable()
        start = time.process_time()
        try:
            x12.tokenise(body)
        except BadPayload:
            assert piece.startswith(b"ISA")
        took = time.process_time() - start
        gc.enable()
        return took

    small = max(min(seconds(50_000) for _ in range(2)), 0.005)
    assert min(seconds(500_000) for _ in range(2)) < 70 * small


SIGNS = st.text("*~\nISAGSTE>BIN0199 ", max_size=200).map(str.encode)


@given(st.binary(max_size=300) | st.builds(bytes.__add__, st.just(HEAD), SIGNS))
def test_no_bytes_crash_the_tokenizer(body: bytes) -> None:
    """Whatever arrives is a document of sets, or a BadPayload."""
    with contextlib.suppress(BadPayload):
        assert all(one.segments[0].tag == "ST" for one in sets(x12.tokenise(body)))
