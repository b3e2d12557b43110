"""Exports as systems write them: which rows become which events, and what one wrong row or one wrong column does."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from collectors import tables
from collectors.formats import records
from collectors.message import Context, Decoded
from schema import events
from schema.errors import BadPayload
from schema.governance import Catalogue

Make = Callable[..., Any]
SAMPLES = Path(__file__).parents[2] / "samples" / "records"
SHIPMENTS = {
    "mapping": {"object_id": "no", "object_type": "= shipment", "state": "status", "occurred_at": "at", "amount": "value"},
    "key": ["no", "status"],
}


@pytest.fixture
def decode(catalogue: Catalogue, source: Make, message: Make) -> Callable[..., Decoded]:
    """Decode a body with the options of a source."""

    def run(body: Any, options: dict[str, Any], **said: Any) -> Decoded:
        context = Context(source("wms", "records", "files", options=options, **said), catalogue)
        return records.decode(message(body), context)

    return run


def test_a_csv_of_a_german_erp_is_read_as_it_is_written(decode: Make) -> None:
    """Semicolons, a decimal comma, Windows-1252, local times over the end of summer time, a 12-hour clock: all in one file."""
    options = orjson.loads((SAMPLES / "erp_de.options.json").read_bytes())
    found = decode((SAMPLES / "erp_de.csv").read_bytes(), options, zone="Europe/Berlin", system="erp", system_role="erp")
    golden = orjson.loads((SAMPLES / "erp_de.golden.json").read_bytes())
    kept = ("object_type", "object_id", "event_type", "state", "source_code", "occurred_at", "amount", "customer", "attributes")
    assert [orjson.loads(orjson.dumps({key: getattr(e, key) for key in kept}, default=str)) for e in found.events] == golden
    assert [f.code for f in found.findings] == ["encoding_guessed"]


def test_a_wrong_row_is_rejected_with_its_line_and_the_others_are_stored(decode: Make) -> None:
    """One typing error in a file of ten thousand must cost one row, and be found without counting lines."""
    body = "no,status,at,value\nS1,departed,2026-11-23T08:00:00Z,1\nS2,departed,soon,1\n\nS3,departed,2026-11-23T08:00:00Z\n"
    body += 'S4,"dep\narted",2026-11-23T08:00:00Z,x\nS5,loaded,2026-11-23T07:00:00Z,3\n'
    found = decode(body, SHIPMENTS)
    assert [e.object_id for e in found.events] == ["S1", "S5"]
    assert [r.reason for r in found.rejects] == [
        "line 3: occurred_at: 'soon' is no time; allowed: ISO 8601, YYYYMMDD, YYYYMMDDHHMMSS (or set time_formats)",
        "line 5: 3 cells, the header has 4",
        "line 6: amount: 'x' is no number (decimal = '.')",
    ]
    assert found.rejects[0].body == b"no,status,at,value\nS2,departed,soon,1\n"
    assert found.rejects[1].body == b"no,status,at,value\nS3,departed,2026-11-23T08:00:00Z\n"


def test_a_rejected_row_alone_is_rejected_for_the_same_reason(decode: Make) -> None:
    """What stands in `rejects` must be a message of the format, or it could never be replayed."""
    body = "no,status,at,value\nS1,departed,2026-11-23T08:00:00Z,1\nS2,departed,soon,1\n"
    (reject,) = decode(body, SHIPMENTS).rejects
    with pytest.raises(BadPayload, match="no row can be stored; line 2: occurred_at: 'soon' is no time"):
        decode(reject.body, SHIPMENTS)
    assert decode(reject.body.replace(b"soon", b"2026-11-23T08:00:00Z"), SHIPMENTS).events[0].object_id == "S2"


def test_a_column_that_is_gone_fails_the_whole_file(decode: Make) -> None:
    """A mapping that drifted makes every row wrong the same way: one reject that says so, not ten thousand."""
    with pytest.raises(BadPayload, match="column 'at' of occurred_at is not in the header; it has: no, status, time, value"):
        decode("no,status,time,value\nS1,departed,2026-11-23T08:00:00Z,1\n", SHIPMENTS)


def test_identity_comes_from_the_key_columns_or_else_the_whole_row(decode: Make) -> None:
    """Tomorrow's export holds today's rows in another order and another file; they must be the same events."""
    head, one, two = "no,status,at,value\n", "S1,departed,2026-11-23T08:00:00Z,1\n", "S2,loaded,2026-11-23T07:00:00Z,2\n"
    first, again = decode(head + one + two, SHIPMENTS).events, decode(head + two + one, SHIPMENTS).events
    assert {e.event_id for e in first} == {e.event_id for e in again}
    assert first[0].event_id == events.event_id("wms", "S1", "departed")
    whole = {"mapping": SHIPMENTS["mapping"]}
    assert decode(head + one + one, whole).events[0].event_id == decode(head + one, whole).events[0].event_id
    assert len({e.event_id for e in decode(head + one + two, whole).events}) == 2


def test_json_is_read_by_expressions_as_array_as_lines_and_as_one_record(decode: Make) -> None:
    """Three spellings of the same rows; JMESPath reaches what is nested, and numbers need no decimal sign."""
    options = {"mapping": {"object_id": "ship.no", "object_type": "= shipment", "occurred_at": "at", "amount": "value",
                           "related.order": "orders[0]", "event_type": "shipment.{kind}",
                           "attributes.dock": "dock"}}  # fmt: skip
    row = {"ship": {"no": 17}, "at": "2026-11-23T08:00:00Z", "value": 12.5, "orders": ["O1"], "kind": "seen", "dock": 7}
    array = decode([row, row | {"ship": {"no": 18}}], options | {"decimal": ","}).events
    lines = decode(orjson.dumps(row) + b"\n" + orjson.dumps(row | {"ship": {"no": 18}}) + b"\n", options).events
    assert array == lines
    assert (array[0].object_id, array[0].amount, array[0].event_type) == ("17", Decimal("12.5"), "shipment.seen")
    assert (array[0].related[0].object_id, array[0].attributes) == ("O1", {"dock": "7"})
    assert decode(row, options).events == array[:1]
    assert decode({"page": {"items": [row]}}, options | {"rows": "page.items"}).events == array[:1]


def test_a_broken_line_among_json_lines_is_rejected_alone(decode: Make) -> None:
    """A writer that was killed in the middle of a line leaves exactly this."""
    options = {"mapping": {"object_id": "no", "object_type": "= order", "occurred_at": "at"}}
    found = decode('{"no":"1","at":"2026-11-23T08:00:00Z"}\n{"no":"2","a\n[]\n', options | {"shape": "jsonl"})
    assert [e.object_id for e in found.events] == ["1"]
    assert [(r.body, r.reason.split(":")[0]) for r in found.rejects] == [(b'{"no":"2","a', "line 2"), (b"[]", "line 3")]


@pytest.mark.parametrize("depth", [300, 900, 1015])
@pytest.mark.parametrize("shape", ["one a line", "an array"])
@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("note", {"mapping": SHIPMENTS["mapping"]}),
        ("no", SHIPMENTS),
        ("note", {"mapping": SHIPMENTS["mapping"], "key": ["no", "note"]}),
        ("note", {"mapping": {**SHIPMENTS["mapping"], "attributes.note": "note"}, "key": ["no"]}),
        ("", SHIPMENTS),
    ],
    ids=["the identity", "a field", "a key", "an attribute", "the row"],
)
def test_a_row_that_is_nested_without_end_is_rejected_alone_and_kept_whole(
    decode: Make, depth: int, shape: str, field: str, options: dict[str, Any]
) -> None:
    """What can be read and not written again would be an error of ours: the sender sends the whole batch again, for ever."""
    good = b'{"no":"S1","status":"loaded","at":"2026-11-23T07:00:00Z"}'
    deep = b"[" * depth + b"]" * depth
    row = good.replace(b"S1", b"S2").replace(b'"S2"' if field == "no" else b"}", deep if field == "no" else b',"note":' + deep + b"}")
    row = row if field else deep
    found = decode(good + b"\n" + row if shape == "one a line" else b"[" + good + b"," + row + b"]", options)
    assert [e.object_id for e in found.events] == ["S1"]
    assert [r.body for r in found.rejects] == [row]
    with pytest.raises(BadPayload):
        decode(found.rejects[0].body, options)


def test_codes_of_the_source_come_before_the_catalogue_and_what_neither_knows_is_counted(decode: Make) -> None:
    """The source's own table is the more specific word; a code that maps to nothing is still an event."""
    options = {
        "mapping": {"object_id": "no", "occurred_at": "at", "source_code": "code"},
        "codes": {"10": "loaded", "90": {"object_type": "order", "state": "closed", "event_type": "order.closed"}},
    }
    rows = [f"{no},2026-11-23T08:00:00Z,{code}\n" for no, code in (("A", "10"), ("B", "90"), ("C", "AF"), ("D", "??"))]
    body = "no,at,code\n" + "".join(rows)
    said = {"object_type": "shipment", "code_list": "X12", "code_element": "1650"}
    found = decode(body, options, defaults=said)
    assert [(e.object_type, e.state, e.event_type) for e in found.events] == [
        ("shipment", "loaded", "shipment.loaded"), ("order", "closed", "order.closed"),
        ("shipment", "departed", "shipment.AF"), ("shipment", "unknown", "shipment.??"),
    ]  # fmt: skip
    assert [(f.code, f.where) for f in found.findings] == [("unmapped_code", "line 5")]


@pytest.mark.parametrize(
    ("told", "formats", "expected"),
    [
        ("2026-11-23T08:00:00Z", (), datetime(2026, 11, 23, 8, tzinfo=UTC)),
        ("2026-11-23 08:00:00.5+00:00", (), datetime(2026, 11, 23, 8, 0, 0, 500000, tzinfo=UTC)),
        ("2026-07-01 08:00", (), datetime(2026, 7, 1, 6, tzinfo=UTC)),
        ("20260326081257", (), datetime(2026, 3, 26, 7, 12, 57, tzinfo=UTC)),
        ("20260326240000", (), datetime(2026, 3, 26, 23, tzinfo=UTC)),
        (20260326, (), datetime(2026, 3, 25, 23, tzinfo=UTC)),
        ("03/26/2026 1:05 PM", ("%d.%m.%Y", "%m/%d/%Y %I:%M %p"), datetime(2026, 3, 26, 12, 5, tzinfo=UTC)),
        ("00000000", (), None),
        ("00000000081257", (), None),
        ("", (), None),
    ],
)
def test_times_are_read_as_enterprises_write_them(told: Any, formats: tuple[str, ...], expected: datetime | None) -> None:
    """A zone that is wrong by an hour is a KPI that is wrong by an hour; all zeros are SAP's way to say "none"."""
    assert tables.moment(told, formats, "Europe/Berlin", "occurred_at") == expected


@pytest.mark.parametrize("told", ["20261399", "2026-13-01", "soon", "12345"])
def test_an_impossible_time_is_refused(told: str) -> None:
    """Python would read some of these as something; a guess at a time is worse than a reject."""
    with pytest.raises(BadPayload, match="is no time"):
        tables.moment(told, (), "UTC", "occurred_at")


@pytest.mark.parametrize(
    ("told", "decimal", "expected"),
    [("1.234,56", ",", "1234.56"), ("1,234.56", ".", "1234.56"), ("5200.00-", ".", "-5200.00"), (12.5, ",", "12.5"),
     ("1 234,5", ",", "1234.5"), ("-3", ".", "-3")],
)  # fmt: skip
def test_numbers_are_read_with_the_sign_and_the_separators_of_the_source(told: Any, decimal: str, expected: str) -> None:
    """A decimal comma that is read as a thousands separator multiplies an invoice by a hundred."""
    assert tables.number(told, decimal, "amount") == Decimal(expected)


@pytest.mark.parametrize("told", ["NaN", "Infinity", "12,5x", ""])
def test_what_is_no_number_is_refused(told: str) -> None:
    """NaN in a sum makes the whole tile NaN."""
    with pytest.raises(BadPayload):
        tables.number(told, ".", "amount")


# --- files of the field ---------------------------------------------------------------------------------------------------
def test_a_real_event_log_of_a_municipality_becomes_events(decode: Make, field_data: Path) -> None:
    """Columns with colons, times with a zone, thousands of rows: counted against a plain reading of the file."""
    path = field_data / "event-logs" / "receipt_even.csv"
    options = {
        "mapping": {"object_id": "case:concept:name", "object_type": "= order", "event_type": "concept:name",
                    "occurred_at": "time:timestamp", "attributes.by": "org:resource"},
        "key": ["case:concept:name", "concept:instance"],
    }  # fmt: skip
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = decode(path.read_bytes(), options)
    assert (len(found.events), found.rejects, found.findings) == (len(rows), (), ())
    assert Counter(e.event_type for e in found.events) == Counter(row["concept:name"] for row in rows)
    assert len({e.event_id for e in found.events}) == len({(r["case:concept:name"], r["concept:instance"]) for r in rows})
    assert found.events[0].occurred_at == datetime(2011, 10, 11, 13, 45, 40, 276000, tzinfo=UTC)


def test_a_real_sap_document_flow_becomes_orders_shipments_and_invoices(decode: Make, field_data: Path) -> None:
    """VBFA: the code says what the document is, DATS and TIMS when, in the plant's zone; other codes are found and counted."""
    path = field_data / "event-logs" / "vbfa_sap_document_flow.csv"
    options = {
        "mapping": {"object_id": "VBELN", "occurred_at": "{ERDAT}{ERZET}", "source_code": "VBTYP_N", "amount": "RFWRT",
                    "currency": "WAERS", "quantity": "RFMNG", "unit": "MEINS", "related.order": "VBELV"},
        "key": ["VBELV", "POSNV", "VBELN", "POSNN", "VBTYP_N"],
        "codes": {"J": {"object_type": "shipment", "state": "planned"}, "M": {"object_type": "invoice", "state": "created"},
                  "C": {"object_type": "order", "state": "received"}},
    }  # fmt: skip
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = decode(path.read_bytes(), options, zone="Europe/Berlin", system="erp", defaults={"object_type": "order"})
    codes = Counter(row["VBTYP_N"] for row in rows)
    states = Counter((e.object_type, e.state) for e in found.events)
    assert (len(found.events) + len(found.rejects), states["invoice", "created"]) == (len(rows), codes["M"])
    assert states["shipment", "planned"] == codes["J"]
    assert found.events[0].occurred_at == datetime(2020, 3, 26, 7, 12, 57, tzinfo=UTC)
    assert found.events[0].amount == Decimal("5200.0")
    assert {f.code for f in found.findings} == {"unmapped_code"}


def test_the_orders_of_another_erp_are_read_as_csv_and_as_json(decode: Make, field_data: Path) -> None:
    """The CSV's rows lack a cell that its header names, as delivered; the JSON's date is midnight in the source's zone."""
    folder = field_data / "csv-json-erp"
    mapping = {"object_id": "PONumberLM", "object_type": "= order", "customer": "custcode", "event_type": "= order.received"}
    with pytest.raises(BadPayload, match="no row can be stored; line 2: 10 cells, the header has 11"):
        decode((folder / "blueseer_ACME_CSV_order.csv").read_bytes(), {"mapping": mapping})
    options = {"mapping": {"object_id": "order.orderid", "object_type": "= order", "occurred_at": "order.orderdate",
                           "currency": "order.currency", "event_type": "= order.received",
                           "quantity": "sum(order.items.item[].orderquantity)"}}  # fmt: skip
    (event,) = decode((folder / "blueseer_ACME_JSON_order.txt").read_bytes(), options, zone="Europe/Berlin").events
    assert (event.object_id, event.currency) == ("po12345", "USD")
    assert event.occurred_at == datetime(2021, 1, 5, 23, tzinfo=UTC)
    assert event.quantity == sum(i["orderquantity"] for i in orjson.loads(
        (folder / "blueseer_ACME_JSON_order.txt").read_bytes())["order"]["items"]["item"])  # fmt: skip
