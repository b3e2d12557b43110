"""The inbox: episodes that open, update and close by themselves, and people's verbs over them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schema import exceptions, state
from schema.errors import BadConfig
from schema.events import Event
from schema.exceptions import Verb
from schema.governance import Catalogue
from schema.store import Store
from tests.schema import cases
from tests.schema.cases import Case
from tests.schema.test_state import store_events

START = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
CODES = ("SHP.STALE",)


def departed(id_: str, hours: float = 0, *, name: str = "departed", **more: Any) -> Event:
    return Event(
        event_id=f"{id_}-{name}-{hours}", event_type=f"shipment.{name}", occurred_at=START + timedelta(hours=hours),
        object_type="shipment", object_id=id_, state=name, system_role="carrier", carrier="ABCD", region="EU-West",
        mode="ftl", amount="1000", currency="EUR", **more,
    )  # fmt: skip


def tell(store: Store, *found: Event) -> None:
    store_events(store, found)
    state.refresh(store, since=state.EPOCH)


def detect(store: Store, hours: float) -> list[dict[str, Any]]:
    as_of = START + timedelta(hours=hours)
    exceptions.detect(store, as_of, CODES)
    return exceptions.find(store, as_of)


def test_an_exception_opens_updates_closes_by_itself_and_comes_back_as_a_new_episode(store: Store) -> None:
    """What cleared without a person stays in the ageing figures; what comes back is news."""
    tell(store, departed("S1"))
    assert detect(store, 3) == []
    opened = detect(store, 5)
    found = [(e["object_id"], e["status"], e["owner"], e["value"]) for e in opened]
    assert found == [("S1", "detected", "carrier_desk", 1000.0)]
    again = detect(store, 9)
    assert [e["detected_at"] for e in again] == [opened[0]["detected_at"]]
    assert again[0]["reason"] != opened[0]["reason"]
    tell(store, departed("S1", 9.5, name="in_transit"))
    assert detect(store, 10) == []
    assert exceptions.find(store, START + timedelta(hours=10), id_=opened[0]["id"])[0]["status"] == "cleared"
    back = detect(store, 15)
    assert len(back) == 1
    assert back[0]["id"] != opened[0]["id"]


def test_the_inbox_can_be_read_as_of_any_moment(store: Store) -> None:
    """Last Tuesday's meeting must find last Tuesday's inbox."""
    tell(store, departed("S1"))
    detect(store, 5)
    tell(store, departed("S1", 9.5, name="in_transit"))
    detect(store, 10)
    assert [e["is_open"] for e in exceptions.find(store, START + timedelta(hours=7))] == [True]
    assert exceptions.find(store, START + timedelta(hours=4)) == []


def test_verbs_are_an_append_only_audit_and_fold_into_a_status(store: Store) -> None:
    """Who took it, who gave it to whom and why it was put aside: rows, never updates."""
    tell(store, departed("S1"))
    id_ = detect(store, 5)[0]["id"]
    at = START + timedelta(hours=6)
    exceptions.act(store, Verb(id_, "acknowledge", "ann"), at=at)
    assert _status(store, id_, 6) == ("acknowledged", "carrier_desk")
    exceptions.act(store, Verb(id_, "assign", "ann", team="operations"), at=at + timedelta(minutes=1))
    assert _status(store, id_, 7) == ("assigned", "operations")
    until = at + timedelta(hours=3)
    exceptions.act(store, Verb(id_, "postpone", "bob", "carrier calls", until=until), at=at + timedelta(minutes=2))
    assert _status(store, id_, 8) == ("postponed", "operations")
    assert exceptions.incidents(store, START + timedelta(hours=8)) == []
    assert _status(store, id_, 10) == ("assigned", "operations")
    past = exceptions.history(store, id_, as_of=START + timedelta(hours=10))
    assert [(p["verb"], p["actor"]) for p in past] == [("acknowledge", "ann"), ("assign", "ann"), ("postpone", "bob")]


def _status(store: Store, id_: str, hours: float) -> tuple[str, str]:
    found = exceptions.find(store, START + timedelta(hours=hours), id_=id_)[0]
    return found["status"], found["owner"]


@pytest.mark.parametrize(
    ("verb", "says"),
    [
        (Verb("{id}", "delete", "ann"), "verb 'delete' is unknown; known: acknowledge, assign"),
        (Verb("{id}", "assign", "ann"), "assign needs a team"),
        (Verb("{id}", "postpone", "ann"), "postpone needs an end in the future"),
        (Verb("{id}", "acknowledge", ""), "a verb needs its actor"),
        (Verb("nobody", "acknowledge", "ann"), "no exception has the id 'nobody'"),
    ],
)
def test_a_verb_that_cannot_be_says_why(store: Store, verb: Verb, says: str) -> None:
    """A typing error in a script must not leave a half sentence in the audit."""
    tell(store, departed("S1"))
    id_ = detect(store, 5)[0]["id"]
    wanted = Verb(verb.id.format(id=id_), verb.verb, verb.actor, verb.comment, verb.team, verb.until)
    with pytest.raises(BadConfig, match=says):
        exceptions.act(store, wanted, at=START + timedelta(hours=6))
    assert store.value("SELECT count() FROM exception_verbs") == 0


def test_exceptions_of_one_place_are_one_incident_with_number_value_age_and_owner(store: Store) -> None:
    """Two hundred stale shipments of one carrier in one region are one problem, not two hundred rows."""
    tell(store, *(departed(f"S{i}", i / 10) for i in range(5)), departed("X1").model_copy(update={"region": "US-East"}))
    detect(store, 9)
    found = exceptions.incidents(store, START + timedelta(hours=9))
    assert [(i["n"], i["value"], i["region"], i["carrier"], i["owner"]) for i in found] == [
        (5, 5000.0, "EU-West", "ABCD", "carrier_desk"),
        (1, 1000.0, "US-East", "ABCD", "carrier_desk"),
    ]


def test_an_incident_names_the_interface_whose_failed_spans_carry_its_objects(store: Store) -> None:
    """The join of the two halves: the order number and the trace."""
    tell(store, departed("S1"))
    columns = (
        "at", "trace_id", "span_id", "interface", "service", "kind", "is_error", "attempt", "version", "object_types",
        "object_ids", "status_message",
    )  # fmt: skip
    way = ("carrier.ABCD.214", "hub", "Consumer")
    calls = [
        (START - timedelta(days=3), "a" * 32, "1" * 16, *way, 0, 1, "1.0", ["shipment"], ["S0"], ""),
        (START + timedelta(hours=1), "b" * 32, "2" * 16, *way, 1, 1, "1.1", ["shipment"], ["S1"], "no mapping"),
    ]
    store.insert("interface_calls", columns, calls)
    detect(store, 9)
    found = exceptions.incidents(store, START + timedelta(hours=9))[0]
    assert (found["cause_interface"], found["n_failed"], found["cause_message"]) == ("carrier.ABCD.214", 1, "no mapping")
    assert (found["cause_trace_id"], found["cause_version"], found["is_change_before"]) == ("b" * 32, "1.1", 1)


# --- causes ----------------------------------------------------------------------------------------------------------------
def test_a_round_keeps_the_causes_that_it_finds_and_lets_go_of_what_has_none(store: Store, catalogue: Catalogue) -> None:
    """What pages are told of now is what the statement says, and a cause that has gone is not told any more."""
    call = {"interface": "tms.status", "at": "2026-11-02T07:00:00Z", "objects": ["shipment S1"], "is_error": True}
    cases.load(store, catalogue, Case("INT.FAIL", "one", {"spans": [call]}, {}, []))
    tell(store, departed("S1"))
    as_of = START + timedelta(hours=20)
    exceptions.detect(store, as_of)
    (cause,) = exceptions.kept_causes(store).values()
    assert (cause["cause_interface"], cause["cause_how"], cause["n_failed"]) == ("tms.status", "spans", 1)
    assert exceptions.kept_causes(store) == exceptions.causes(store, as_of)
    assert exceptions.incidents(store, as_of)[0] | cause == exceptions.incidents(store, as_of)[0]
    store.command("TRUNCATE TABLE interface_calls")
    exceptions.detect(store, as_of)
    assert exceptions.kept_causes(store) == exceptions.causes(store, as_of) == {}
