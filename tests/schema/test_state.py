"""The state fold: a pure function of the set of events, kept incrementally equal to what is computed from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema import events, state, waits
from schema.events import Event, Related
from schema.store import Store
from tests.parts.rows import INGESTED_AT, event_rows

START = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
RECEIVED = START + timedelta(days=3)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def shipment(id_: str, hours: float, state_: str, **more: Any) -> Event:
    said = {"object_type": "shipment", "object_id": "S1", "state": state_, "system_role": "carrier"}
    return Event(event_id=id_, event_type=f"shipment.{state_ or 'status'}", occurred_at=at(hours), **(said | more))


def store_events(
    store: Store, found: Sequence[Event], *, ingested_at: datetime | None = None, received_at: datetime = RECEIVED
) -> None:
    rows = event_rows(found, source="test", message="m", received_at=received_at)
    stamp = ingested_at or datetime.now(UTC)
    stamped = [(*r[: INGESTED_AT], stamp, *r[INGESTED_AT + 1 :]) for r in rows]
    store.insert("events", events.COLUMNS, stamped)


def row(store: Store, type_: str = "shipment", id_: str = "S1") -> dict[str, Any]:
    found = store.query(
        "SELECT * FROM object_state FINAL WHERE object_type = {t:String} AND object_id = {i:String}", {"t": type_, "i": id_}
    )
    assert len(found) == 1
    return found[0]


def all_rows(store: Store) -> list[dict[str, Any]]:
    return store.query("SELECT * EXCEPT (ver, sign) FROM object_state FINAL ORDER BY object_type, object_id")


def test_state_is_the_highest_rank_and_a_late_earlier_milestone_fills_history(store: Store) -> None:
    """An operator must never see a delivered shipment fall back to in transit because a file came late."""
    store_events(store, [shipment("a", 0, "departed"), shipment("c", 20, "delivered")])
    state.refresh(store)
    store_events(store, [shipment("b", 9, "in_transit"), shipment("d", 22, "in_transit")])
    state.refresh(store)
    assert row(store)["h_state"] == ["departed", "in_transit", "delivered"]
    assert row(store)["h_at"] == [at(0), at(9), at(20)]


def test_a_reversal_goes_back_and_what_follows_counts_from_there(store: Store) -> None:
    """A failed delivery is the one honest way from out for delivery back to in transit."""
    told = [("a", 0, "out_for_delivery"), ("b", 2, "delivery_failed"), ("c", 5, "in_transit"), ("d", 9, "delivered")]
    store_events(store, [shipment(*t) for t in told])
    state.refresh(store)
    assert row(store)["h_state"] == ["out_for_delivery", "delivery_failed", "in_transit", "delivered"]


def test_a_retraction_takes_its_event_away_and_every_earlier_version(store: Store) -> None:
    """A carrier that withdraws a delivery must reopen the shipment, whatever version it withdraws."""
    twice = [shipment("b", 5, "delivered"), shipment("b", 6, "delivered", event_version=2)]
    store_events(store, [shipment("a", 0, "departed"), *twice])
    state.refresh(store)
    assert row(store)["h_state"] == ["departed", "delivered"]
    store_events(store, [shipment("b", 6, "delivered", event_version=3, is_retracted=True)])
    state.refresh(store)
    assert row(store)["h_state"] == ["departed"]


def test_a_correction_replaces_the_earlier_version(store: Store) -> None:
    """The same event with a later version is the truth, even when the first version arrives after it."""
    store_events(store, [shipment("b", 6, "delivered", event_version=2)])
    store_events(store, [shipment("b", 3, "delivered")])
    state.refresh(store)
    assert row(store)["h_at"] == [at(6)]


def test_only_the_system_of_record_moves_a_state_that_names_its_roles(store: Store) -> None:
    """A portal that believes a shipment delivered is an assertion, not the canonical state."""
    store_events(store, [shipment("a", 0, "departed"), shipment("b", 5, "delivered", system_role="portal")])
    state.refresh(store)
    found = row(store)
    assert found["h_state"] == ["departed"]
    assert dict(zip(found["a_role"], found["a_state"], strict=True)) == {"carrier": "departed", "portal": "delivered"}


def test_plans_and_estimates_never_move_state_and_the_last_recorded_plan_counts(store: Store) -> None:
    """An ETA that is sent again must not make a stale shipment look fresh."""
    plans = [
        shipment("p1", 30, "delivered", classifier="PLN", recorded_at=at(0)),
        shipment("p2", 40, "delivered", classifier="PLN", recorded_at=at(1)),
        shipment("e1", 45, "delivered", classifier="EST", recorded_at=at(2)),
    ]
    store_events(store, [shipment("a", 0, "departed"), *plans])
    state.refresh(store)
    found = row(store)
    assert (found["h_state"], found["p_at"], found["e_at"]) == (["departed"], [at(40)], [at(45)])
    assert found["progress_at"] == [at(0)]


def test_the_same_place_again_is_no_progress(store: Store) -> None:
    """A carrier that sends its receive time as event time must not look fresh: only a new place or state is progress."""
    places = ("Bremen", "Bremen", "Kassel", "Kassel")
    store_events(store, [shipment(str(i), i, "in_transit", location=p) for i, p in enumerate(places)])
    state.refresh(store)
    assert row(store)["progress_at"] == [at(0), at(2)]


def test_an_overlay_is_an_interval_from_where_it_is_set_to_what_clears_it(store: Store) -> None:
    """'In transit, delayed' is two facts; the delay ends with the delivery."""
    told = [("a", 0, "departed"), ("b", 3, "delayed"), ("c", 4, "delayed"), ("d", 9, "delivered")]
    store_events(store, [shipment(*t) for t in told])
    state.refresh(store)
    found = row(store)
    assert (found["hold_name"], found["hold_from"], found["hold_to"]) == (["delayed"], [at(3)], [at(9)])


def test_an_unmapped_code_is_mapped_by_todays_catalogue_when_the_state_is_refreshed(store: Store) -> None:
    """A code map that is mended heals what was stored before: nothing is lost by being unknown for a while."""
    known = {"source_code": "D1", "code_list": "X12", "code_element": "1650"}
    store_events(store, [shipment("a", 0, "unknown", **known)])
    state.refresh(store)
    assert row(store)["h_state"] == ["delivered"]


def test_an_object_that_only_others_name_is_a_shell_until_it_speaks(store: Store) -> None:
    """An invoice that comes before its order must not be lost, nor invent an order's state."""
    store_events(store, [shipment("a", 0, "departed", related=(Related(object_type="order", object_id="O1"),))])
    state.refresh(store)
    assert (row(store, "order", "O1")["n_events"], row(store, "order", "O1")["h_state"]) == (0, [])
    order = Event(
        event_id="o", event_type="order.received", occurred_at=at(-1), object_type="order", object_id="O1", state="received",
        customer="ACME", amount="250", currency="EUR",
    )  # fmt: skip
    store_events(store, [order])
    state.refresh(store)
    assert row(store, "order", "O1")["n_events"] == 1
    assert (row(store)["customer"], float(row(store)["value"])) == ("ACME", 250.0)


def test_a_guard_is_met_when_every_object_that_it_looks_at_meets_it(store: Store) -> None:
    """An invoice over two shipments waits for both proofs of delivery."""
    both = (Related(object_type="shipment", object_id="S1"), Related(object_type="shipment", object_id="S2"))
    invoice = Event(
        event_id="i", event_type="invoice.not_ready", occurred_at=at(1), object_type="invoice", object_id="I1",
        state="not_ready", related=both,
    )  # fmt: skip
    store_events(store, [invoice, shipment("a", 2, "delivered"), shipment("b", 5, "pod_received")])
    state.refresh(store)
    assert _guards(store) == {"delivery confirmation": state.EPOCH, "proof of delivery": state.EPOCH}
    store_events(store, [shipment("c", 4, "delivered", object_id="S2"), shipment("d", 7, "pod_received", object_id="S2")])
    state.refresh(store)
    assert _guards(store) == {"delivery confirmation": at(4), "proof of delivery": at(7)}


def _guards(store: Store) -> dict[str, datetime]:
    found = row(store, "invoice", "I1")
    named = zip(found["guard_name"], found["guard_at"], strict=True)
    return {name: met for name, met in named if name in ("delivery confirmation", "proof of delivery")}


def test_a_time_ahead_of_our_clock_is_held_back_to_when_it_was_received(store: Store) -> None:
    """A sender whose clock is a year ahead must not freeze its shipment in the future."""
    store_events(store, [shipment("a", 24 * 400, "departed")])
    state.refresh(store)
    assert row(store)["h_at"] == [RECEIVED]


def test_a_correction_is_held_against_when_it_was_received_itself(store: Store) -> None:
    """Two hours late after all, says the carrier once it has left: that is no clock gone wrong, and not to be held back."""
    store_events(store, [shipment("a", 1, "departed")], received_at=at(1))
    store_events(store, [shipment("a", 3, "departed", event_version=2)], received_at=at(3.5))
    store_events(store, [shipment("b", 9, "delivered", event_version=2)], received_at=at(5))
    store_events(store, [shipment("b", 9, "delivered", event_version=2)], received_at=at(10))
    state.refresh(store)
    assert row(store)["h_at"] == [at(3), at(5)]


def test_a_refresh_that_died_between_its_steps_is_healed_by_the_first_round_after_the_start(store: Store) -> None:
    """An INSERT into one table is not atomic with the next: what derives from events heals itself from events."""
    store_events(store, [shipment("a", 0, "departed")])
    state.refresh(store)
    store_events(store, [shipment("b", 5, "delivered")])
    store.command("TRUNCATE TABLE touched")
    store.command("INSERT INTO touched VALUES (0, 'shipment', 'S1')")
    store.command(state._fill(state._sql("own"), {"{own}": "object_own", "{ids}": state.BY_TOUCHED}), {"ver": 10**16})
    state.refresh(store)
    assert row(store)["h_state"] == ["departed"], "an ordinary round sees nothing new"
    state.refresh(store, is_redo=True)
    assert row(store)["h_state"] == ["departed", "delivered"]
    assert state.drift(store) == []


def test_waits_that_a_crash_has_torn_are_healed_by_the_first_round_after_the_start(store: Store) -> None:
    """An INSERT is not atomic with its view: the state may be there without its waits, or with those of the row before."""
    store_events(store, [shipment("a", 0, "departed"), shipment("c", 0, "departed", object_id="S2")])
    state.refresh(store)
    store.command("DROP VIEW object_waits_mv")
    store_events(store, [shipment("b", 5, "in_transit"), shipment("d", 9, "delivered", object_id="S3")])
    state.refresh(store)
    waits.define(store)
    assert sorted(str(d["object_id"]) for d in state.drift(store)) == ["S1", "S3"]
    state.refresh(store, is_redo=True)
    assert state.drift(store) == []


def test_drift_names_the_object_whose_row_is_wrong(store: Store) -> None:
    """`milepost check --state` is worth nothing if it cannot fail."""
    store_events(store, [shipment("a", 0, "departed"), shipment("b", 0, "departed", object_id="S2")])
    state.refresh(store)
    store.command("INSERT INTO object_state SELECT * REPLACE (toInt8(-1) AS sign) FROM object_state WHERE object_id = 'S2'")
    assert [d["object_id"] for d in state.drift(store)] == ["S2"]
    state.rebuild(store)
    assert state.drift(store) == []


IDS = st.sampled_from(["1", "2", "3"])
STATES = {
    "order": ["received", "confirmed", "credit_block", "credit_block_cleared", "released", "shipped", "cancelled"],
    "shipment": ["planned", "departed", "in_transit", "at_hub", "delayed", "delivery_failed", "delivered", "pod_received"],
    "invoice": ["not_ready", "invoice_ready", "created", "posted", "rejected"],
}


@st.composite
def some_event(draw: st.DrawFn) -> Event:
    type_ = draw(st.sampled_from(sorted(STATES)))
    other = draw(st.sampled_from(sorted(STATES)))
    related = (Related(object_type=other, object_id=draw(IDS)),) if draw(st.booleans()) else ()
    version = draw(st.integers(1, 3))
    return Event(
        event_id=draw(st.sampled_from([f"e{i}" for i in range(40)])),
        event_version=version,
        event_type=f"{type_}.x",
        occurred_at=START + timedelta(minutes=draw(st.integers(0, 600))),
        recorded_at=START + timedelta(minutes=draw(st.integers(0, 600))),
        classifier=draw(st.sampled_from(["ACT", "ACT", "ACT", "PLN", "EST"])),
        object_type=type_,
        object_id=draw(IDS),
        state=draw(st.sampled_from([*STATES[type_], "unknown"])),
        system_role=draw(st.sampled_from(["erp", "wms", "tms", "carrier", "portal"])),
        related=related,
        region=draw(st.sampled_from(["", "EU", "US"])),
        carrier=draw(st.sampled_from(["", "ABCD"])),
        location=draw(st.sampled_from(["", "Bremen", "Kassel"])),
        amount=draw(st.sampled_from(["0", "10.50"])),
        currency=draw(st.sampled_from(["", "EUR", "USD", "XXX"])),
        is_retracted=draw(st.integers(0, 9)) == 0,
    )


@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(found=st.lists(some_event(), min_size=1, max_size=40), order=st.randoms(use_true_random=False), cuts=st.integers(1, 6))
def test_order_copies_and_rounds_cannot_change_a_row(store: Store, found: list[Event], order: Any, cuts: int) -> None:
    """
    The heart of the product: whatever the order of arrival, the copies and the rounds in between, the kept rows are those
    computed from scratch from the set of events.
    """
    for table in ("events", "object_own", "object_state", "object_waits", "links", "job_runs"):
        store.command(f"TRUNCATE TABLE {table}")
    shuffled = found + order.sample(found, k=len(found) // 2)
    order.shuffle(shuffled)
    for i in range(cuts):
        store_events(store, shuffled[i::cuts])
        state.refresh(store, since=state.EPOCH)
    assert state.drift(store) == []
    kept = all_rows(store)
    for table in ("events", "object_own", "object_state", "object_waits", "links"):
        store.command(f"TRUNCATE TABLE {table}")
    store_events(store, found)
    state.rebuild(store)
    assert all_rows(store) == kept


@pytest.mark.parametrize("n", [0, 1])
def test_the_sum_of_signs_is_one_for_every_object(store: Store, n: int) -> None:
    """Sums over signs replace FINAL where a page sums: one object must count once after any number of rounds."""
    for i in range(3 + n):
        store_events(store, [shipment(f"a{i}", i, "in_transit", location=str(i))])
        state.refresh(store)
    assert store.query("SELECT object_id, sum(sign) AS n FROM object_state GROUP BY object_id") == [{"object_id": "S1", "n": 1}]


def test_a_round_recomputes_only_what_was_touched(store: Store) -> None:
    """The cost of a round is what came, not what is stored."""
    store_events(store, [shipment(f"a{i}", i, "departed", object_id=f"S{i}") for i in range(50)])
    first = state.refresh(store, since=state.EPOCH)
    store_events(store, [shipment("z", 60, "delivered", object_id="S7")])
    second = state.refresh(store, since=state.EPOCH)
    assert (replace(first, mark=START), replace(second, mark=START)) == (state.Round(50, 50, START), state.Round(1, 1, START))
