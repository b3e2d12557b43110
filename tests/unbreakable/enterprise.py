"""A small share of the demo's enterprise as the batches that its systems send, and what anybody can read of a store of it."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

import orjson

from collectors.demo import telemetry
from collectors.demo.doors import envelope
from collectors.demo.rows import received_at
from collectors.demo.telling import Call, Said
from collectors.demo.world import World
from collectors.message import Message, Source
from schema import definitions, exceptions, governance, kpi, state
from schema.store import Store

ANCHOR = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
DAYS, SPANS = 2, 150
WINDOW: dict[str, Any] = {"start": ANCHOR - timedelta(days=DAYS), "end": ANCHOR, "as_of": ANCHOR}

Delivery = tuple[Source, Message]


@cache
def deliveries(every: int) -> tuple[Delivery, ...]:
    """Two days of every so-manieth story, in order of arrival."""
    world = World(7, ANCHOR, DAYS, catalogue=governance.load())
    said: dict[tuple[str, int], list[Said]] = defaultdict(list)
    calls: list[Call] = []
    for story in islice(world.stories(), 0, None, every):
        calls += world.happened(story)
        for one in story.said:
            if (at := received_at(one.teller.source, one.said_at)) <= world.anchor:
                said[one.teller.source, at].append(one)
    events = [
        (Source(source, "webhook", "cloudevents"), _message(at, orjson.dumps([envelope(one) for one in batch])))
        for (source, at), batch in said.items()
    ]
    calls.sort(key=lambda call: call.at)
    bodies = telemetry.bodies(calls, world.deploys, SPANS)
    spans = [(Source("hub", "otlp", "otlp_traces"), _message(world.anchor - 1, body)) for body, _ in bodies]
    return tuple(sorted([*events, *spans], key=lambda told: told[1].received_at))


def _message(at: int, body: bytes) -> Message:
    return Message(body, datetime.fromtimestamp(at, UTC))


def reading(store: Store) -> dict[str, list[Any]]:
    """
    All that anybody can read of a store at the anchor: every KPI by its first cut, state, what every detector says
    (divergences among them), the inbox, and the calls.
    """
    exceptions.detect(store, ANCHOR)
    found: dict[str, list[Any]] = {}
    for name, definition in definitions.kpis().items():
        by = definition.header.by[0]
        found[f"KPI {name} by {by}"] = [repr(point) for point in kpi.headline(store, name, by=by, **WINDOW)]
    found["state"] = store.query("SELECT * EXCEPT (ver, sign) FROM object_state FINAL ORDER BY object_type, object_id")
    found["sum of signs"] = store.query("SELECT object_type, sum(sign) AS n FROM object_state GROUP BY object_type ORDER BY 1")
    found["detected"] = store.query("SELECT * FROM detected ORDER BY code, fingerprint")
    found["exceptions"] = store.query("SELECT * EXCEPT ver FROM exceptions FINAL ORDER BY code, fingerprint")
    found["calls"] = store.query("SELECT * FROM interface_calls ORDER BY trace_id, span_id")
    assert state.drift(store) == []
    return found
