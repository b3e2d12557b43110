"""Two readers of one definition: what is read fast must be what Event makes of it, and Event has the last word."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from collectors import arrow, canonical
from collectors.formats import cloudevents, cloudevents_plain
from collectors.message import Context, Decoded, Message, Source
from collectors.plain import Plain, plain
from schema import events, governance
from schema.errors import BadPayload
from schema.events import Event
from tests.collectors.conftest import RECEIVED
from tests.parts.rows import event_rows

EVENT = TypeAdapter(Event)
SHIPPED = governance.load()
TMS = Context(Source("events", "webhook", "cloudevents", system="tms", system_role="tms", defaults={"region": "EU-West"}), SHIPPED)
BLANKS = " \t\n\x1c\x85\u00a0\u2003\u3000\u200b\ufeff"


def block(found: list[Any]) -> Any:
    return arrow.block(found, source="s", message="m", received_at=RECEIVED)


def test_a_plain_event_has_the_fields_of_an_event_and_their_defaults() -> None:
    """A field that one of them lacks would be refused by the other, or stored as something else."""
    least = {"event_id": "1", "event_type": "t", "occurred_at": RECEIVED, "object_type": "order", "object_id": "O1"}
    assert Plain.__struct_fields__ == tuple(Event.model_fields)
    assert msgspec.structs.asdict(Plain(**least)) == vars(Event(**least))  # type: ignore[arg-type]


def test_a_block_holds_what_a_row_says(message: Callable[..., Message], cloud_event: Callable[..., dict[str, Any]]) -> None:
    """Columns are put together from many events at once, and one that slips would give each event the next one's value."""
    related = [{"object_type": "order", "object_id": "O1"}, {"object_type": "invoice", "object_id": "I1"}]
    said = [
        cloud_event(1, {"related": related, "keys": ["K1", "K2"], "attributes": {"a": "1", "b": "2"}, "amount": 12.345}),
        cloud_event(2, {"recorded_at": "2026-11-23T08:30:00+01:00", "quantity": 2, "is_retracted": True, "event_version": 3}),
        cloud_event(3, {"related": related[:1]}),
    ]
    told = message(said)
    found = cloudevents.decode(told, TMS)
    expected = event_rows(found.events, source="events", message=told.id, received_at=RECEIVED)
    (batch,) = found.batches
    rows = [row | {"attributes": dict(row["attributes"])} for row in batch.block.to_pylist()]
    named = [dict(zip(events.COLUMNS, row, strict=True)) for row in expected]
    assert rows == [{name: row[name] for name in rows[0]} | {"amount": round(row["amount"], 2)} for row in named]
    assert rows[0].keys() == set(events.COLUMNS) - {"ingested_at"}


# --- fields ----------------------------------------------------------------------------------------------------------------
words = st.text(max_size=6) | st.sampled_from(["", "EUR", "EU-West", "x" * 512, "x" * 513, *(f"a{blank}" for blank in BLANKS), " ", "a b"])
odd = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | words | st.lists(words, max_size=2)
dates = st.datetimes(datetime(1969, 12, 1), datetime(9999, 12, 31), timezones=st.timezones() | st.just(UTC))  # noqa: DTZ001
times = (
    dates.map(lambda at: at.isoformat()) | dates.map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%f000%z")) | dates
    | st.from_regex(r"20[0-9]{2}-[01][0-9]-[0-3][0-9][Tt _][0-2][0-9]:[0-5][0-9](:[0-6][0-9](\.[0-9]{1,9})?)?([Zz]|[+-][01][0-9]:?[0-5][0-9])?", fullmatch=True)
)  # fmt: skip
numbers = (
    st.floats() | st.integers(-(10**16), 10**16) | st.decimals()
    | st.from_regex(r"-?[0-9]{0,15}\.?[0-9]{0,4}(e[0-9])?", fullmatch=True)
    | st.sampled_from(["NaN", "1_000", " 1 ", "10", "1e14", "100000000000000.01", 0.125, 1.005])
)  # fmt: skip
others = st.lists(st.fixed_dictionaries({"object_type": st.sampled_from(["order", "truck"]), "object_id": words}), max_size=2)
KINDS: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(Event.model_fields, words) | {
    "occurred_at": times, "recorded_at": times | st.none(), "amount": numbers, "quantity": numbers,
    "event_version": st.integers(-1, 2**64), "classifier": st.sampled_from(["PLN", "ACT", "MAYBE"]),
    "object_type": st.sampled_from(["order", "shipment", "truck"]), "is_retracted": st.booleans() | st.sampled_from(["true", 1]),
    "related": others, "keys": st.lists(words, max_size=2), "attributes": st.dictionaries(words, words, max_size=2),
    "trace_id": st.from_regex(r"\A[0-9a-f]{32}\Z") | st.sampled_from(["", "0" * 32 + "\n", "F" * 32]),
    "span_id": st.from_regex(r"\A[0-9a-f]{16}\Z") | st.just("0" * 17),
}  # fmt: skip
NEEDED = {"event_id": "e1", "event_type": "t", "occurred_at": "2026-11-23T08:00:00Z", "object_type": "order", "object_id": "O1"}
LEAST = block([EVENT.validate_python(NEEDED)])


def told(draw: st.DrawFn, kinds: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    """A few fields, most of them of their kind."""
    names = draw(st.lists(st.sampled_from(sorted(kinds)), max_size=5, unique=True))
    return {name: draw(odd if draw(st.integers(0, 9)) == 0 else kinds[name]) for name in names}


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Any]:
    return NEEDED | told(draw, KINDS)


@given(said=fields())
def test_what_is_plain_is_stored_as_event_would_have_it(said: dict[str, Any]) -> None:
    """A fast reader that is a little more generous, or rounds a little otherwise, is wrong in one of a million events."""
    (fast,) = plain([said])
    right, wrong = canonical.validate([said])
    try:
        event = EVENT.validate_python(said)
    except ValidationError:
        assert (fast, right, [*wrong]) == (None, [], [0])
        return
    assert wrong == {}
    try:
        expected = block([event])
    except BadPayload:
        return
    assert block(right).equals(expected)
    assert expected.schema.equals(LEAST.schema), "blocks of any messages join"
    assert fast is None or block([fast]).equals(expected)


# --- batches ---------------------------------------------------------------------------------------------------------------
ENVELOPE: dict[str, st.SearchStrategy[Any]] = {
    "specversion": st.sampled_from(["0.3", "2.0"]), "id": words, "source": words, "type": words | st.just("x.order.done"),
    "time": times.map(str), "subject": words, "datacontenttype": st.sampled_from(["application/json", "text/json", "", "a/b"]),
    "traceparent": st.sampled_from(["00-" + "a" * 32 + "-" + "B" * 16 + "-01", "00-" + "0" * 32 + "-" + "b" * 16 + "-01", "x"]),
    "correlationid": words, "tracestate": words, "partitionkey": words, "dataschema": words,
}  # fmt: skip
DATA = KINDS | {"state": st.sampled_from(["departed", "delivered", "teleported", "", " departed"]), "colour": words,
                "source_code": st.sampled_from(["", "A7", "ZZ"]), "code_list": st.just("X12"), "region": words}  # fmt: skip


@st.composite
def batches(draw: st.DrawFn) -> bytes:
    """A batch as some serializer writes it, and at times with a few bytes of it changed."""
    found = []
    for i in range(draw(st.integers(1, 3))):
        data = {"object_type": "shipment", "object_id": f"S{i}", "state": "departed"} | told(draw, DATA)
        for name in draw(st.lists(st.sampled_from(["object_type", "object_id", "state"]), max_size=1)):
            data.pop(name)
        envelope = {"specversion": "1.0", "id": f"e{i}", "source": "/tms/1", "type": "shipment.departed", "time": "2026-11-23T08:00:00Z"}
        found.append(envelope | told(draw, ENVELOPE) | {"data": data})
    body = json.dumps(found, default=str, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    raw = body.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 3)):
        return raw
    at, junk = draw(st.integers(0, len(raw))), draw(st.binary(max_size=2) | st.sampled_from([b'"', b"}", b"\\", b"9", b".", b"-"]))
    return raw[:at] + junk + raw[at + draw(st.integers(0, 2)) :]


def said_of(body: bytes) -> tuple[Any, ...]:
    """All that a decode says of a body, in a form that can be compared."""
    try:
        found: Decoded = cloudevents.decode(Message(body, RECEIVED), TMS)
    except BadPayload as err:
        return (str(err),)
    return [batch.block for batch in found.batches], found.findings, found.rejects


@given(body=batches())
def test_a_batch_is_the_same_whether_its_plain_events_are_read_fast_or_not(body: bytes) -> None:
    """Which events are stored, as what, and the words of each refusal must not depend on how good its neighbours are."""
    fast = said_of(body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cloudevents_plain, "read", lambda body, canonical: [])
        patch.setattr(canonical, "plain", lambda found: [None] * len(found))
        assert said_of(body) == fast


def test_good_events_are_read_fast_beside_bad_ones(cloud_event: Callable[..., dict[str, Any]]) -> None:
    """Were nothing plain, all of the above would hold and nothing be fast; and one sender's slip must not cost its whole batch."""
    said = [cloud_event(n, {"carrier": "ACME", "amount": "10.50"}) for n in range(3)]
    said.insert(1, cloud_event(9, {"classifier": "MAYBE"}))
    found = cloudevents_plain.read(orjson.dumps(said), canonical.Canonical(TMS))
    assert [one and (one.object_id, one.region) for one in found] == [("S0", "EU-West"), None, ("S1", "EU-West"), ("S2", "EU-West")]


def test_nesting_without_end_is_no_bug(message: Callable[..., Message]) -> None:
    """Each reader has its own depth at which it gives up, and a sender may send either."""
    for depth in (300, 900, 1100, 100_000):
        deep = b'{"a":' * depth + b"1" + b"}" * depth
        for body in (b"[" * depth, deep, b'{"specversion":"1.0","id":"1","source":"s","type":"t","data":' + deep + b"}"):
            with pytest.raises(BadPayload):
                cloudevents.decode(message(body), TMS)


@pytest.mark.parametrize("depth", [300, 900])
def test_an_event_that_is_nested_without_end_is_rejected_alone_and_kept_whole(
    message: Callable[..., Message], cloud_event: Callable[..., dict[str, Any]], depth: int
) -> None:
    """What can be read and not written again stays one sender's slip, among others' events."""
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    good = orjson.dumps(cloud_event(1))
    found = cloudevents.decode(message(b"[" + good + b"," + deep + b"]"), TMS)
    assert [e.object_id for e in found.events] == ["S1"]
    assert [r.body for r in found.rejects] == [b"[" + deep + b"]"]


def test_what_a_source_gives_and_others_depend_on_takes_the_long_way(cloud_event: Callable[..., dict[str, Any]]) -> None:
    """A default state or type is looked at after the envelope; read into the event at once it would count before."""
    context = dataclasses.replace(TMS, source=dataclasses.replace(TMS.source, defaults={"object_type": "order"}))
    assert cloudevents_plain.read(orjson.dumps([cloud_event()]), canonical.Canonical(context)) == []
