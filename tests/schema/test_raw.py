"""A second opinion on what pages show: each answer from raw events, by SQL that knows the rules and none of the folds."""

from __future__ import annotations

from datetime import UTC, datetime

from schema import exceptions, state
from schema.store import Store
from tests.bench import refreshes
from tests.bench.refreshes import NAMES, arrive, kept_answer, raw, rows_of

ORDERS = 500


def test_after_contradictory_arrivals_each_kept_answer_is_that_of_the_raw_events(store: Store) -> None:
    """Late, repeated, retracted and contradictory events are a normal day: what is kept must be what they say in the end."""
    enterprise = refreshes.HERE.joinpath("enterprise.sql").read_text("utf-8")
    until = datetime.now(UTC).replace(microsecond=0)
    store.command(enterprise, {"first": 0, "n": ORDERS, "total": ORDERS, "days": 6, "until": until})
    state.rebuild(store)
    done = arrive(store, 900, lambda said: None, a_round=300)
    assert done.changed > 500, "a comparison after refreshes that change nothing proves little"
    assert state.drift(store) == []
    as_of = datetime.now(UTC)
    exceptions.detect(store, as_of)
    refreshes.make_views(store)
    for answer in NAMES:
        asked = refreshes.asked_of(store, answer, as_of)
        kept = kept_answer(store, answer, asked)
        assert kept, f"{answer}: nothing to compare"
        assert kept == rows_of(store.arrow(raw(answer), asked)), answer
