"""Allowances: what a sender may bring in a second, by its key, and what is said of who brought more."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors import gate as gates
from collectors import keys
from collectors.config import Limits, Settings
from collectors.gate import Gate
from collectors.refused import Refused
from tests.collectors.intake import OTLP, PROTOBUF, Intake


class Clock:
    """A clock that stands until it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def gate(folder: Path, clock: Clock, **limits: int) -> Gate:
    return Gate(Settings(store="", data=folder, limits=Limits(**limits)), clock)


def test_a_sender_that_brings_more_than_its_bytes_a_second_waits_until_they_are_worked_off(tmp_path: Path, clock: Clock) -> None:
    """A body of any size gets in once; the Retry-After is the debt, so that a sender that obeys never meets 429 twice."""
    mine = gate(tmp_path, clock, max_bytes_per_s=1000)
    with mine.passing("s", "key1"):
        mine.charge("key1", 6500)
    with pytest.raises(Refused, match=r"1,000 bytes a second are allowed \(limits\.max_bytes_per_s\)") as err, mine.passing("s", "key1"):
        pass
    assert (err.value.status, err.value.headers) == (429, {"Retry-After": "6"})
    with mine.passing("s", "key2"):
        clock.now += 6
    with mine.passing("s", "key1"):
        pass


def test_requests_are_counted_by_key_and_not_more_than_a_second_is_saved_up(tmp_path: Path, clock: Clock) -> None:
    """A sender that slept an hour may not send an hour's requests in one second."""
    mine = gate(tmp_path, clock, max_requests_per_s=3)
    clock.now += 3600
    n = 0
    with contextlib.suppress(Refused):
        while True:
            with mine.passing("s", "key1"):
                n += 1
    assert n == 3
    clock.now += 1
    with mine.passing("s", "key1"), mine.passing("s", "key2"):
        pass


def test_zero_is_no_limit(tmp_path: Path, clock: Clock) -> None:
    """Behind a gateway that limits already, ours can be off."""
    mine = gate(tmp_path, clock, max_requests_per_s=0, max_bytes_per_s=0)
    for _ in range(1000):
        with mine.passing("s", "k"):
            mine.charge("k", 10**9)


def test_the_doors_of_a_source_share_its_allowance_and_keys_do_not(intake: Intake) -> None:
    """A limit that each of the three doors of OTLP counts anew is none; a partner's flood is not its neighbour's."""
    intake.settings = intake.settings.model_copy(update={"limits": Limits(max_bytes_per_s=100)})
    _, one = keys.add(intake.settings.keys_file, "otlp")
    _, two = keys.add(intake.settings.keys_file, "otlp")
    client = intake.start(OTLP)

    def post(path: str, token: str) -> httpx.Response:
        return client.post(path, content=b"\x0a" * 30_000, headers=PROTOBUF | {"x-api-key": token})

    assert post("/v1/traces", one).status_code == 200
    refused = post("/v1/logs", one)
    assert (refused.status_code, int(refused.headers["retry-after"]) > 250) == (429, True)
    assert post("/v1/logs", two).status_code == 200


def test_who_is_turned_away_is_logged_once_a_minute_with_a_count_and_without_its_token(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of wrong keys must be seen, and must not become a flood of the log."""
    logged: list[dict[str, Any]] = []
    monkeypatch.setattr(gates.log, "warning", lambda event, **said: logged.append(said))
    mine = gate(tmp_path, clock)
    for _ in range(500):
        mine.tell("acme", Refused(401, "this API key is not known here"))
    mine.tell("acme", Refused(415, "not taken"))
    clock.now += 61
    mine.tell("acme", Refused(401, "this API key is not known here"))
    told = {"source": "acme", "status": 401, "reason": "this API key is not known here"}
    assert logged == [{**told, "n": 1}, {**told, "n": 500}]
