"""Clocks that are wrong: the senders', the partners' wall clocks at the two hours of a year, and our own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from collectors.formats import cloudevents, edifact_iftsta, records, x12_214
from collectors.jobs.refresh import Refresh
from collectors.message import Context, Message, Source
from collectors.sink import Sink
from schema import exceptions, state
from schema.events import Event
from schema.governance import Catalogue
from schema.store import Store
from tests.schema.test_state import all_rows, at, shipment, store_events

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class OurClock:
    """Our clock, set by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOON
        monkeypatch.setattr(state, "_now", lambda store: self.now)
        monkeypatch.setattr("time.time_ns", lambda: int(self.now.timestamp() * 1e9))

    def tick(self, by: timedelta) -> datetime:
        self.now += by
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> OurClock:
    return OurClock(monkeypatch)


def note(store: Store, done: Any) -> None:
    """As the runner notes a round."""
    store.insert("job_runs", ("job", "started_at", "ok", "n", "mark"), [(state.JOB, done.mark, True, done.n, done.mark)])


# --- our own ------------------------------------------------------------------------------------------------------------
def test_what_comes_after_our_clock_was_set_back_reaches_the_state(store: Store, clock: OurClock) -> None:
    """
    An hour back, and everything stored in that hour lies before the watermark; the rows of the state made before bear versions
    from the future. For an hour nothing that happens would be seen.
    """
    job = Refresh(store)
    store_events(store, [shipment("a", 0, "departed")], ingested_at=clock.now)
    note(store, job())
    clock.tick(-HOUR)
    for hours, id_, word, object_id in ((5, "b", "in_transit", "S1"), (6, "c", "at_hub", "S2"), (9, "d", "delivered", "S1")):
        store_events(store, [shipment(id_, hours, word, object_id=object_id)], ingested_at=clock.tick(timedelta(minutes=1)))
        note(store, job())
    assert [row["h_state"] for row in all_rows(store)] == [["departed", "in_transit", "delivered"], ["at_hub"]]
    assert state.drift(store) == []


def test_a_start_after_our_clock_was_set_back_sees_what_was_stored_since(store: Store, clock: OurClock) -> None:
    """The next process knows only the latest mark, and that lies an hour ahead of it."""
    store_events(store, [shipment("a", 0, "departed")], ingested_at=clock.now)
    note(store, Refresh(store)())
    later = [shipment("b", 5, "delivered"), shipment("c", 5, "delivered", object_id="S2")]
    store_events(store, later, ingested_at=clock.tick(-HOUR))
    note(store, Refresh(store)())
    assert [row["h_state"] for row in all_rows(store)] == [["departed", "delivered"], ["delivered"]]


def test_a_round_after_the_clock_was_set_back_is_small_again(store: Store, clock: OurClock) -> None:
    """To look at everything once is the price of the step, not of the hour after it."""
    job = Refresh(store)
    store_events(store, [shipment("a", 0, "departed")], ingested_at=clock.now)
    note(store, job())
    clock.tick(-HOUR)
    for _ in range(2):
        note(store, job())
        clock.tick(timedelta(seconds=2))
    assert state._looked_from(job._since or state.EPOCH, clock.now, state.OVERLAP) > clock.now - timedelta(minutes=1)


def test_what_took_long_to_become_readable_reaches_the_state_within_a_minute(store: Store, clock: OurClock) -> None:
    """A collector whose clock is two minutes behind ours, or an INSERT that a slow disk held up: its stamp is old when it is seen."""
    job = Refresh(store)
    note(store, job())
    store_events(store, [shipment("a", 0, "departed")], ingested_at=clock.now - timedelta(minutes=2))
    for _ in range(30):
        clock.tick(timedelta(seconds=2))
        note(store, job())
    assert [row["h_state"] for row in all_rows(store)] == [["departed"]]


def test_an_exception_closes_though_our_clock_was_set_back(store: Store, clock: OurClock) -> None:
    """It must neither stay open for ever nor have lasted minus an hour."""
    columns = ("code", "fingerprint", "detected_at", "began_at", "object_type", "object_id", "ver")
    row = ("SHP.STALE", "S1", clock.now, clock.now - HOUR, "shipment", "S1", int(clock.now.timestamp() * 1e6))
    store.insert("exceptions", columns, [row])
    exceptions.detect(store, clock.tick(-HOUR), ("SHP.STALE",))
    found = store.query("SELECT detected_at, closed_at FROM exceptions FINAL")
    assert found == [{"detected_at": NOON, "closed_at": NOON}]


# --- the senders' -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("skew_h", [-24 * 365 * 30, -1, 1, 24 * 365 * 30])
def test_a_sender_whose_clock_is_wrong_spoils_only_its_own_times(store: Store, skew_h: int) -> None:
    """Thirty years off or one hour: others keep their state, and what lies ahead of us is held back to when we heard of it."""
    store_events(store, [shipment("a", 0, "departed"), shipment("b", 2, "departed", object_id="S2")])
    store_events(store, [shipment("c", 3 + skew_h, "in_transit", object_id="S2")])
    state.refresh(store)
    right, skewed = all_rows(store)
    assert right["h_state"] == ["departed"]
    assert max(skewed["h_at"]) <= max(at(72), at(3 + min(skew_h, 0)))
    assert state.drift(store) == []


@pytest.mark.parametrize("time", ["1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2300-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_time_outside_of_what_can_be_stored_is_rejected_and_not_bent(time: str, store: Store, catalogue: Catalogue) -> None:
    """A table that wraps around would make of the year 2300 a day in 1970, and nobody would ever know."""
    body = {
        "specversion": "1.0", "id": "e", "source": "/t", "type": "shipment.departed", "time": time,
        "data": {"object_type": "shipment", "object_id": "S1", "state": "departed"},
    }  # fmt: skip
    sink = Sink(store, catalogue)
    receipt = sink.deliver_now(Source("t", "webhook", "cloudevents"), Message(orjson.dumps(body), NOON))
    sink.close()
    stored = store.query("SELECT toString(occurred_at) AS at FROM events")
    assert bool(receipt.rejected) == (not stored)
    assert [row["at"] for row in stored] in ([], [time.replace("T", " ").replace("Z", ".000")])


# --- wall clocks --------------------------------------------------------------------------------------------------------
CHICAGO = {"zone": "America/Chicago"}
BACK, FORWARD = "20261101", "20260308"  # in Chicago 01:30 is shown twice on the one day, 02:30 never on the other
X12 = (
    "ISA*00*          *00*          *ZZ*ACME           *ZZ*US             *{date:.6}*0900*U*00401*000000001*0*P*>~"
    "GS*QM*ACME*US*{date}*0900*1*X*004010~ST*214*0001~B10*1*S1*ACME~LX*1~AT7*X1*NS***{date}*{time}*{zone}~SE*4*0001~GE*1*1~"
    "IEA*1*000000001~"
)
IFTSTA = (
    "UNB+UNOC:3+ACME+US+{date:.6}:0900+1'UNH+1+IFTSTA:D:01B:UN'BGM+23+1+9'CNI+1+S1'STS+1+21'DTM+334:{date}{time}:203'"
    "UNT+5+1'UNZ+1+1'"
)
RECORDS = {"mapping": {"object_id": "id", "object_type": "= shipment", "state": "= delivered", "occurred_at": "at"}}


def spoken(format_: str, date: str, time: str, catalogue: Catalogue, zone: str = "") -> tuple[datetime, list[str]]:
    """When the event that a partner in Chicago writes with this wall clock happened, and the codes of what was odd."""
    body, module, options = {
        "x12_214": (X12.format(date=date, time=time, zone=zone), x12_214, {}),
        "edifact_iftsta": (IFTSTA.format(date=date, time=time), edifact_iftsta, {}),
        "records": (f"id,at\nS1,{date}{time}00\n", records, RECORDS),
    }[format_]
    source = Source("acme", "files", format_, options=options, **CHICAGO)
    decoded = module.decode(Message(body.encode(), NOON), Context(source, catalogue))
    (event,) = decoded.events
    assert isinstance(event, Event)
    return event.occurred_at, [finding.code for finding in decoded.findings if finding.code == "doubtful_time"]


@pytest.mark.parametrize("format_", ["x12_214", "edifact_iftsta", "records"])
@pytest.mark.parametrize(
    ("date", "time", "hour", "minute", "codes"),
    [
        (BACK, "0030", 5, 30, []),
        (BACK, "0130", 6, 30, ["doubtful_time"]),
        (BACK, "0230", 8, 30, []),
        (FORWARD, "0130", 7, 30, []),
        (FORWARD, "0230", 8, 30, ["doubtful_time"]),
        (FORWARD, "0330", 8, 30, []),
    ],
)
def test_a_wall_clock_is_read_and_its_two_doubtful_hours_are_told(
    format_: str, date: str, time: str, hour: int, minute: int, codes: list[str], catalogue: Catalogue
) -> None:
    """No statement may move by an hour without a word; which hour is meant nobody can know, so the same one counts in every replay."""
    found, said = spoken(format_, date, time, catalogue)
    assert (found.hour, found.minute, said) == (hour, minute, codes)


@pytest.mark.parametrize(("zone", "hour"), [("CD", 6), ("CS", 7), ("UT", 1)])
def test_a_zone_code_leaves_no_doubt(zone: str, hour: int, catalogue: Catalogue) -> None:
    """A partner who writes CD or CS has said which of the two half past ones it is."""
    found, said = spoken("x12_214", BACK, "0130", catalogue, zone)
    assert (found.hour, said) == (hour, [])


def test_cloudevents_without_a_zone_do_not_depend_on_the_machine(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 3339 asks for a zone. Whatever is made of a time without one, it must be the same on every machine."""
    body = orjson.dumps({
        "specversion": "1.0", "id": "e", "source": "/t", "type": "shipment.departed", "time": "2026-11-01T01:30:00",
        "data": {"object_type": "shipment", "object_id": "S1", "state": "departed"},
    })  # fmt: skip
    found = set()
    for zone in ("UTC", "America/Chicago"):
        monkeypatch.setenv("TZ", zone)
        try:
            decoded = cloudevents.decode(Message(body, NOON), Context(Source("t", "webhook", "cloudevents"), catalogue))
            found.add(str([event.occurred_at for event in decoded.events] or decoded.rejects))
        except Exception as err:  # noqa: BLE001 (the outcome is what is compared)
            found.add(str(err))
    assert len(found) == 1
