"""
The demo after its anchor: nothing is said twice or forgotten, whatever is restarted, and only through the real doors.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Signal
from typing import Any

import orjson
import pytest

from collectors.demo import live
from collectors.demo.cast import NIGHTLY_FEED, SYSTEM_SOURCES
from collectors.demo.doors import Doors, envelope
from collectors.demo.edi import interchange
from collectors.demo.live import EVERY_S, Agenda, Live, Position
from collectors.demo.orders import Wish, plan
from collectors.demo.rows import Rows
from collectors.demo.stories import tell
from collectors.demo.telling import Call, Said
from collectors.demo.world import World
from collectors.formats import cloudevents, x12_214
from collectors.message import Context, Decoded, Message, Source
from schema.errors import SourceUnavailable
from schema.governance import Catalogue
from tests.collectors.intake import OTLP, Intake

ANCHOR = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
START = int(ANCHOR.timestamp())
HOUR = 3600
Key = tuple[str, int, int]


@pytest.fixture(scope="module")
def world(catalogue: Catalogue) -> World:
    return World(7, ANCHOR, 3, catalogue=catalogue)


def key(said: Said) -> Key:
    return said.event_id, said.version, said.said_at


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Heard(Doors):
    """Doors that only remember, and are closed as often as they are told to."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Said]] = []
        self.batches: list[str] = []
        self.calls: list[Call] = []
        self.n_closed = 0
        self.on_closed: Callable[[], None] = lambda: None

    def say(self, source: str, said: Any, now: int) -> None:
        if self.n_closed:
            self.n_closed -= 1
            self.on_closed()
            raise SourceUnavailable("closed")
        self.batches.append(source)
        self.said += [(source, one) for one in said]

    def trace(self, calls: Any) -> None:
        self.calls += calls


# --- what is due ----------------------------------------------------------------------------------------------------------
def test_history_and_live_part_hold_every_statement_once(world: World) -> None:
    """What history left out because it was not received yet is what the live part says, and nothing else."""
    rows, n = Rows(world.anchor), 0
    for story in world.stories():
        later = sum(isinstance(item, Said) for _, item in live.due(story, world.anchor))
        n += len(story.said)
        assert rows.take(story.said) + later == len(story.said)
    assert n > 10_000


def test_a_restart_says_what_was_due_in_between_and_nothing_twice(world: World) -> None:
    """Two sessions with a pause say together what one would have said of the orders that it knew."""
    whole = Agenda(world, Position(START), START)
    at_once = {key(s) for s in whole.until(START + HOUR)[0]}

    first = Agenda(world, Position(START), START).until(START + 20 * 60)[0]
    again = Agenda(world, Position(START + 20 * 60, [[START, START + 20 * 60]]), START + 20 * 60 + EVERY_S)
    then = again.until(START + HOUR)[0]

    assert {key(s) for s in first}.isdisjoint(key(s) for s in then)
    assert {key(s) for s in first} | {key(s) for s in then} == at_once


def test_orders_of_the_fast_lane_begin_only_while_somebody_is_there(world: World) -> None:
    """A demo that slept for a week does not come back with a hundred thousand orders."""
    later = START + 5 * HOUR
    agenda = Agenda(world, Position(START + 600, [[START, START + 600]]), later)

    fast = {s.object_id for s in agenda.until(later + 60)[0] if s.object_id.startswith("SX") and s.state == "received"}

    assert 0 < len(fast) <= 60 // EVERY_S + 1


def test_something_happens_every_few_seconds(world: World) -> None:
    """Nobody watches a demo in which an order comes every five minutes."""
    agenda = Agenda(world, Position(START), START)
    agenda.until(START + HOUR)

    n = [len(agenda.until(START + HOUR + minute * 60)[0]) for minute in range(1, 11)]

    assert all(5 * 60 <= each <= 20 * 60 for each in n), n


def test_the_fast_lane_keeps_away_from_what_is_broken(world: World) -> None:
    """The truth of the anchor stays the truth: its faults grow at the enterprise's own pace only."""
    stories = [live.express(world, k) for k in range(400)]
    cuts = {s.cuts for story in stories for s in story.said}

    assert not {(c.region, c.carrier) for c in cuts} & live.BROKEN
    assert not {c.warehouse for c in cuts} & set(live.BROKEN_HOUSES)
    assert not any(c.error and c.error != "503 Service Unavailable" for story in stories for c in story.calls)


# --- how it is said -------------------------------------------------------------------------------------------------------
def test_feeds_with_nothing_to_say_are_heard_all_the_same(world: World, tmp_path: Path) -> None:
    """A feed's silence must mean something; the one that is broken stays silent."""
    doors, clock = Heard(), Clock(START)
    going_on = Live(world, doors, tmp_path, clock)
    for minute in range(1, 4):
        clock.now = START + 70 * minute
        going_on.step()

    spoke = {source: doors.batches.count(source) for source in set(doors.batches)}
    assert all(spoke[source] >= 3 for source in SYSTEM_SOURCES if source != "carrier-ocln")
    assert "eta-brgt" not in spoke


def test_what_a_closed_door_did_not_take_is_said_when_it_opens(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doors answer 503 while the store is away, and the sender keeps its data."""
    doors, clock = Heard(), Clock(START)
    going_on = Live(world, doors, tmp_path, clock)
    doors.n_closed, clock.now = 1, START + 60
    going_on.step()

    expected = {key(s) for s in Agenda(world, Position(START), START).until(START + 60)[0]}
    assert {key(s) for _, s in doors.said} == expected


def test_what_no_door_took_until_the_end_is_said_in_the_next_session(world: World, tmp_path: Path) -> None:
    """The cursor moves only past what was taken."""
    stop, doors, clock = Signal(), Heard(), Clock(START)
    going_on = Live(world, doors, tmp_path, clock)
    doors.n_closed, doors.on_closed, clock.now = 10, stop.set, START + 60
    going_on.run(stop)

    assert Position.load(tmp_path, 0).cursor == START


def test_a_cloud_event_is_the_event_that_history_would_have_held(world: World, catalogue: Catalogue) -> None:
    """Identity and fields are the same by both ways, so that a correction finds the event that it corrects."""
    source = Source("erp", "webhook", "cloudevents")
    said = [s for story in _some(world) for s in story if s.teller.source == "erp"][:200]
    body = orjson.dumps([envelope(s) for s in said])
    got = cloudevents.decode(Message(body, ANCHOR), Context(source, catalogue))
    rows = Rows(2**40)
    rows.take(said)
    kept = rows.flush().to_pylist(maps_as_pydicts="strict")

    edges = {"received_at", "ingested_at", "source", "message_id"}
    assert not got.findings
    assert not got.rejects
    assert [_without(row, edges) for row in _block(got)] == [_without(row, edges) for row in kept]


def test_a_dropped_214_is_decoded_to_what_the_carrier_said(world: World, catalogue: Catalogue) -> None:
    """One carrier of the demo speaks real X12; its shipments must be those that the TMS planned."""
    order = plan(7, "SO0000001", START, Wish("EU-West", carrier="OCLN", is_single=True))
    said = [s for s in tell(order).said if s.teller.role == "carrier"]
    source = Source("carrier-ocln", "files", "x12_214", partner="OCLN", system_role="carrier")
    body = b"".join(interchange("OCLN", s) for s in said)
    got = x12_214.decode(Message(body, ANCHOR, name="x.edi"), Context(source, catalogue))

    assert not got.findings
    assert [(s.state, s.classifier, s.at, s.object_id) for s in said] == [
        (e.state, e.classifier, int(e.occurred_at.timestamp()), e.object_id) for e in got.events
    ]
    assert {r.object_id for e in got.events for r in e.related} == {order.number}
    again = x12_214.decode(Message(body + body, ANCHOR), Context(source, catalogue))
    assert {e.event_id for e in again.events} == {e.event_id for e in got.events}


def test_spans_and_events_go_through_the_intake(world: World, intake: Intake, tmp_path: Path) -> None:
    """The SDK's exporter and the batch door take what the live part brings, acknowledgement and all."""
    source = Source("portal", "webhook", "cloudevents", options={"path": "/v1/events/portal"})
    url = str(intake.start(OTLP, source).base_url).rstrip("/")
    story = live.express(world, 1)
    with Doors(url, tmp_path, world.deploys) as doors:
        doors.trace(story.calls)
        doors.say("portal", [s for s in story.said if s.teller.source == "portal"], START)
        doors.say("portal", [], START)

    assert [s.name for s, _ in intake.got] == ["otlp", "portal", "portal"]
    assert intake.got[2][1].body == b"[]"
    assert not intake.bugs


def test_an_intake_that_is_away_is_told_apart(world: World, tmp_path: Path) -> None:
    """Nobody listens: the caller must keep what it has."""
    with Doors("http://127.0.0.1:9", tmp_path, world.deploys) as doors, pytest.raises(SourceUnavailable):
        doors.say("portal", [], START)


def test_files_appear_whole_in_their_drop_folders(world: World, tmp_path: Path) -> None:
    """Written beside the pattern and renamed: what the collector finds can be taken."""
    said = [s for story in _some(world) for s in story if s.teller.source == "erp"][:3]
    with Doors("http://127.0.0.1:9", tmp_path, world.deploys) as doors:
        doors.say(NIGHTLY_FEED, said, START)
        doors.say("carrier-ocln", [], START)

    dropped = [p.name for p in (tmp_path / "drop").rglob("*") if p.is_file()]
    assert dropped == [f"{NIGHTLY_FEED}-{START}.json"]


def _some(world: World) -> list[list[Said]]:
    return [story.said for _, story in zip(range(60), world.stories(), strict=False)]


def _block(got: Decoded) -> list[dict[str, Any]]:
    return list(got.batches[0].block.to_pylist(maps_as_pydicts="strict"))


def _without(row: dict[str, Any], edges: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in edges}
