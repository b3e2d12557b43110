"""CloudEvents as SDKs, brokers and people send them: which become which rows, and which are refused with which words."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from cloudevents.core.bindings import http as sdk
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from collectors.formats import cloudevents
from collectors.message import Context, Decoded, Message, Source
from schema import events, governance
from schema.errors import BadPayload
from schema.governance import Catalogue
from tests.collectors.conftest import RECEIVED

Make = Callable[..., Any]
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLES = Path(__file__).parents[2] / "samples" / "cloudevents"


@pytest.fixture
def decode(catalogue: Catalogue, source: Make) -> Callable[[Message], Decoded]:
    """Decode with the shipped catalogue, for a TMS."""
    context = Context(source(system="tms", system_role="tms", defaults={"region": "EU-West"}), catalogue)
    return lambda message: cloudevents.decode(message, context)


def test_a_structured_event_is_one_whole_row(decode: Make, message: Make) -> None:
    """Every column is either what the sender said or what the source adds; nothing is made up."""
    said = {
        "specversion": "1.0", "id": "e1", "source": "/tms/1", "type": "shipment.departed", "subject": "S1",
        "time": "2026-11-23T09:00:00+01:00", "traceparent": f"00-{TRACE}-{SPAN}-01", "correlationid": "c1", "partitionkey": "p",
        "data": {"object_type": "shipment", "state": "departed", "carrier": "ACME", "amount": 12.5, "currency": "EUR",
                 "related": [{"object_type": "order", "object_id": "O1"}], "keys": ["K1"], "attributes": {"dock": 7}},
    }  # fmt: skip
    told = message(said, "application/cloudevents+json; charset=utf-8")
    found = decode(told)
    (batch,) = found.batches
    (row,) = batch.block.to_pylist()
    row |= {"attributes": dict(row["attributes"]), "ingested_at": RECEIVED}
    golden = orjson.loads((SAMPLES / "structured.golden.json").read_bytes())
    assert orjson.loads(orjson.dumps(row, default=str)) == golden | {"message_id": told.id}
    assert (found.findings, found.rejects) == ((), ())


def test_identity_is_the_envelopes_source_and_id_and_nothing_of_ours(decode: Make, message: Make, cloud_event: Make) -> None:
    """A replay through another door, at another time, in another batch must be the same event."""
    alone = decode(message(cloud_event(1))).events[0]
    among = decode(message([cloud_event(2), cloud_event(1)])).events[1]
    assert alone.event_id == among.event_id == events.event_id("/tms/1", "e1")
    assert decode(message(cloud_event(1, source="/tms/2"))).events[0].event_id != alone.event_id


def test_binary_mode_takes_its_attributes_from_headers(decode: Make, message: Make) -> None:
    """HTTP percent-encodes values, the JS SDK sends raw UTF-8, and both must be read as the same text."""
    headers = {
        "ce-specversion": "1.0", "ce-id": "e1", "ce-source": "/wms/K%C3%B6ln", "ce-type": "shipment.departed",
        "ce-time": "2026-11-23T08:00:00Z", "ce-subject": '"S 1"', "traceparent": f"00-{TRACE}-{SPAN}-01",
    }  # fmt: skip
    body = {"object_type": "shipment", "state": "departed"}
    (event,) = decode(message(body, "application/json", headers)).events
    assert (event.object_id, event.trace_id, event.span_id) == ("S 1", TRACE, SPAN)
    raw = headers | {"ce-source": "/wms/Köln"}
    assert decode(message(body, "application/json", raw)).events[0].event_id == event.event_id


def test_the_python_sdk_is_understood_in_both_modes(decode: Make, message: Make) -> None:
    """The SDK's own bytes, not ours: what it writes today is what senders send."""
    attributes = {"id": "e1", "source": "/tms/1", "type": "shipment.departed", "specversion": "1.0"}
    data = {"object_type": "shipment", "object_id": "S1", "state": "departed", "occurred_at": "2026-11-23T08:00:00Z"}
    event = CloudEvent(attributes=attributes, data=data)
    found = []
    for write in (sdk.to_structured_event, sdk.to_binary_event):
        sent = write(event)
        headers = {key.lower(): value for key, value in sent.headers.items()}
        body = sent.body if isinstance(sent.body, bytes) else sent.body.encode()
        found.append(decode(message(body, headers.get("content-type", ""), headers)).events[0])
    assert found[0].event_id == found[1].event_id == events.event_id("/tms/1", "e1")
    assert found[0].object_id == found[1].object_id == "S1"


@pytest.mark.parametrize("version", ["1.0", "0.3"])
def test_base64_data_is_read_as_each_version_writes_it(decode: Make, message: Make, cloud_event: Make, version: str) -> None:
    """1.0 has data_base64; 0.3 has data and datacontentencoding. Mixing them up loses the data."""
    event = cloud_event(specversion=version)
    packed = base64.b64encode(orjson.dumps(event.pop("data"))).decode()
    event |= {"data_base64": packed} if version == "1.0" else {"data": packed, "datacontentencoding": "base64"}
    assert decode(message(event)).events[0].object_id == "S1"


def test_a_wrong_event_in_a_batch_is_rejected_alone_and_can_be_replayed(decode: Make, message: Make, cloud_event: Make) -> None:
    """The 199 good events of a batch are not held back, and the bad one is kept as a message that stands by itself."""
    wrong = cloud_event(2, {"classifier": "MAYBE"})
    found = decode(message([cloud_event(1), wrong, "no event", cloud_event(3)]))
    assert [e.object_id for e in found.events] == ["S1", "S3"]
    assert [r.reason for r in found.rejects] == [
        "event 2: data.classifier: Input should be 'PLN', 'EST' or 'ACT' (got 'MAYBE')",
        "event 3: a CloudEvent is a JSON object (got 'no event')",
    ]
    assert orjson.loads(found.rejects[0].body) == [wrong]
    assert decode(message(found.rejects[0].body)).rejects[0].body == found.rejects[0].body


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, "id: required, a non-empty string (got '')"),
        ({"specversion": "2.0"}, "specversion: got '2.0'; allowed: 1.0, 0.3"),
        ({"data": "text"}, "data: a JSON object with the fields of an event (got 'text')"),
        ({"datacontenttype": "application/xml", "data": "<a/>"}, "datacontenttype: got 'application/xml'; allowed: "),
        ({"data_base64": "!"}, "data_base64: no base64: Only base64 data is allowed"),
        ({"time": "yesterday"}, "data.occurred_at: Input should be a valid datetime or date"),
        ({"time": "2026-11-23T08:00:00"}, "data.occurred_at: Input should have timezone info (got '2026-11-23T08:00:00')"),
        ({"data": {"object_type": "truck", "object_id": "T1"}}, "data.object_type: Input should be 'order', 'shipment'"),
        ({"data": {"object_type": "shipment"}}, "data.object_id: Field required"),
    ],
)  # fmt: skip
def test_a_wrong_event_is_refused_with_the_field_what_was_got_and_what_is_allowed(
    decode: Make, message: Make, cloud_event: Make, change: dict[str, Any], reason: str
) -> None:
    """The sender's developer reads this in a log and has nothing else."""
    with pytest.raises(BadPayload) as err:
        decode(message(cloud_event() | change))
    assert str(err.value).startswith(reason)


def test_an_unknown_field_is_kept_as_an_attribute_and_found(decode: Make, message: Make, cloud_event: Make) -> None:
    """A field that a sender adds is drift to be seen, not a reason to lose its events."""
    found = decode(message(cloud_event(1, {"colour": {"hue": 3}, "attributes": {"dock": "7"}})))
    assert found.events[0].attributes == {"colour": '{"hue":3}', "dock": "7"}
    assert [(f.code, f.text) for f in found.findings] == [
        ("unknown_field", "field 'colour' is not one of an event; kept in attributes")
    ]


def test_a_code_is_mapped_by_the_catalogue_and_an_unknown_one_is_kept(decode: Make, message: Make, cloud_event: Make) -> None:
    """An unmapped code is counted and stays readable; guessing, or dropping the event, would falsify the state."""
    code = {"state": "", "code_list": "X12", "code_element": "1650"}
    known = decode(message(cloud_event(1, {**code, "source_code": "A7"})))
    assert (known.events[0].state, known.events[0].exception_code, known.findings) == ("refused", "SHP.REFUSED", ())
    unknown = decode(message(cloud_event(1, {**code, "source_code": "ZZ"})))
    assert (unknown.events[0].state, unknown.events[0].source_code) == ("unknown", "ZZ")
    assert [f.code for f in unknown.findings] == ["unmapped_code"]


def test_a_state_outside_the_lifecycle_becomes_unknown_and_stays_readable(
    decode: Make, message: Make, cloud_event: Make
) -> None:
    """A word that no lifecycle knows has no rank: taken as it is, the object would vanish from every funnel."""
    found = decode(message(cloud_event(1, {"state": "teleported"})))
    assert (found.events[0].state, found.events[0].source_code) == ("unknown", "teleported")
    assert [f.code for f in found.findings] == ["unknown_state"]


def test_overlays_and_what_clears_them_are_states_that_may_be_said(decode: Make, message: Make, cloud_event: Make) -> None:
    """A hold is reported by the same field as a milestone; so is its end."""
    for state in ("credit_block", "credit_block_cleared"):
        found = decode(message(cloud_event(1, {"object_type": "order", "state": state})))
        assert (found.events[0].state, found.findings) == (state, ())


FIELD_FILES = {
    "npmsdk_structured.json": "data.location: Input should be a valid string",
    "npmsdk_structured_base64.json": "datacontenttype: got 'application/pdf'; allowed: application/json",
    "npmsdk_kafka_structured.json": "data.object_id: Field required",
    "sdkjava_v1_json_data.json": "data.object_type: Field required",
    "sdkjava_v1_json_data_with_ext.json": "data.object_type: Field required",
    "sdkjava_v1_base64_json_data.json": "data.object_type: Field required",
    "sdkjava_v1_min.json": "data.occurred_at: Field required; object_type: Field required; object_id: Field required",
    "sdkjava_v1_text_data.json": "datacontenttype: got 'text/plain'; allowed: application/json",
    "sdkjava_v1_xml_data.json": "datacontenttype: got 'application/xml'; allowed: application/json",
    "sdkjava_v1_json_data.proto.json": "specversion: required, a non-empty string (got 'None')",
    "sdkjava_xml_v1_json_data.xml": "the body is not JSON",
    "sdkjava_xml_v1_with_extensions.xml": "the body is not JSON",
    "sdkjava_xml_bad_bad_missing_specver.xml": "the body is not JSON",
    "conformance_v1.yaml": "the body is not JSON",
    "google_LogEntryData-pubsubCreateTopic.json": "specversion: required, a non-empty string (got 'None')",
    "google_MessagePublishedData-text.json": "specversion: required, a non-empty string (got 'None')",
    "google_StorageObjectData-simple.json": "specversion: required, a non-empty string (got 'None')",
}


def test_every_file_of_the_field_is_refused_with_its_own_reason(decode: Make, message: Make, field_data: Path) -> None:
    """
    None of these carries our event: the envelopes of the SDKs are read, and what is missing in their data is named; XML,
    YAML and protobuf formats, and payloads without an envelope, are no CloudEvents JSON.
    """
    found = {}
    for path in sorted((field_data / "cloudevents").iterdir()):
        body = orjson.loads(path.read_bytes()) if path.name.startswith("npmsdk") else None
        told = body.get("body") or body.get("value") if body else path.read_bytes()
        with pytest.raises(BadPayload) as err:
            decode(message(told, "application/cloudevents+json"))
        found[path.name] = str(err.value)
    assert found.keys() == FIELD_FILES.keys()
    assert {name: reason for name, reason in found.items() if not reason.startswith(FIELD_FILES[name])} == {}


@pytest.mark.parametrize("name", ["npmsdk_structured.json", "sdkjava_v1_json_data_with_ext.json"])
def test_the_envelopes_of_the_field_decode_once_their_data_is_ours(
    decode: Make, message: Make, field_data: Path, name: str
) -> None:
    """The SDKs' own envelopes, extensions and times included, with only the data replaced."""
    told = orjson.loads((field_data / "cloudevents" / name).read_bytes())
    event = orjson.loads(told["body"]) if "body" in told else told
    event["data"] = {"object_type": "shipment", "state": "departed"}
    (found,) = decode(message(event)).events
    assert found.object_id == event["subject"]
    assert found.event_type == event["type"]
    assert set(found.attributes) == {"partitionkey"} or set(found.attributes) == {"astring", "aboolean", "anumber"}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20) | st.integers(-(2**53), 2**53),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([*events.Event.model_fields, "specversion", "id", "source", "type", "time", "subject", "traceparent"])


SHIPPED = governance.load()


@given(envelope=st.dictionaries(FIELDS, JSON, max_size=6), data=st.dictionaries(FIELDS, JSON, max_size=8))
def test_whatever_comes_is_an_event_or_a_reject_and_never_a_bug(envelope: dict[str, Any], data: dict[str, Any]) -> None:
    """An exception that is not BadPayload would fail the source for what one sender wrote."""
    good = {"specversion": "1.0", "id": "e", "source": "/s", "type": "shipment.departed", "time": "2026-11-23T08:00:00Z"}
    event = good | envelope | {"data": {"object_type": "shipment", "object_id": "S1"} | data}
    context = Context(Source("events", "webhook", "cloudevents"), SHIPPED)
    found = cloudevents.decode(Message(orjson.dumps([event]), RECEIVED), context)
    assert len(found.events) + len(found.rejects) == 1
