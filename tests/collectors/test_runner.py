"""The runner: everything starts, everything stops, and one that fails stays alone with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors import runner as runners
from collectors.config import Listen, Settings
from collectors.message import Source
from collectors.runner import Health, Runner
from collectors.running import Done
from collectors.sink import Sink
from schema.errors import BadConfig, SourceUnavailable, StoreUnavailable
from schema.governance import Catalogue
from schema.store import Store
from tests.parts.wait import until

Make = Callable[..., Any]
EVENTS = Source("events", "webhook", "cloudevents", options={"path": "/v1/events"})
FILES = Source("acme", "files", "cloudevents", options={"min_age_s": 0, "every_s": 0.02})
Run = tuple[str, bool, Done]


@pytest.fixture
def make(tables: Store, catalogue: Catalogue, sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Runners over the store of this test, with the rows of their jobs in a list; stopped when it ends."""
    monkeypatch.setattr(runners, "tame_collector", lambda: None)  # freezing would keep every object of the test session
    made: list[Runner] = []

    def build(*sources: Source, runs: list[Run] | None = None) -> Runner:
        def record(job: str, started_at: datetime, duration_ms: int, ok: bool, done: Done) -> None:
            if runs is not None:
                runs.append((job, ok, done))

        settings = Settings(store="", data=tmp_path, listen=Listen(intake=0), sources=sources)
        made.append(Runner(settings, tables, catalogue, sink, record=record))
        return made[-1]

    yield build
    for one in made:
        one.stop()


def test_a_listener_and_a_drop_folder_run_side_by_side(
    make: Make, tables: Store, cloud_event: Make, message: Make, tmp_path: Path
) -> None:
    """Two doors of different kinds into one sink, by nothing but the configuration."""
    runner = make(EVENTS, FILES)
    runner.start()
    (tmp_path / "drop" / "acme" / "a.json").write_bytes(message(cloud_event(1)).body)
    url = f"http://127.0.0.1:{runner.server.port}/v1/events"
    assert httpx.post(url, json=cloud_event(2), trust_env=False, timeout=60).status_code == 200
    until((tmp_path / "drop" / "acme" / "done" / "a.json").exists)
    assert tables.query("SELECT object_id, source FROM events ORDER BY object_id") == [
        {"object_id": "S1", "source": "acme"}, {"object_id": "S2", "source": "events"},
    ]  # fmt: skip
    runner.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.post(url, json={}, trust_env=False)


def test_a_job_runs_on_its_clock_and_every_run_is_recorded(make: Make) -> None:
    """A job that silently stopped would look like a quiet day; `job_runs` is what tells the difference."""
    runs: list[Run] = []
    runner = make(runs=runs)
    runner.add_job("detect", lambda: Done(3, detail="3 new"), 0.02)
    runner.start()
    until(lambda: len(runs) >= 2)
    assert set(runs) == {("detect", True, Done(3, detail="3 new"))}


def test_a_job_with_a_bug_is_recorded_and_the_others_go_on(make: Make) -> None:
    """One broken detector must not stop the alerts of all the others."""
    runs: list[Run] = []
    runner = make(runs=runs)

    def broken() -> Done:
        raise KeyError("a bug")

    runner.add_job("broken", broken, 0.02)
    runner.add_job("sound", Done, 0.02)
    runner.start()
    until(lambda: {name for name, _, _ in runs} == {"broken", "sound"} and runs)
    assert {run for run in runs if run[0] == "broken"} == {("broken", False, Done(detail="KeyError: 'a bug'"))}
    assert (runner.health["job broken"].status, runner.health["job sound"].status) == ("failed", "ok")


def test_jobs_take_turns_and_an_urgent_one_waits_for_none(make: Make) -> None:
    """Two looks through everything at once would take the core that people's next round of the state needs."""
    runs: list[Run] = []
    runner, go_on, begun = make(runs=runs), threading.Event(), list[str]()

    def slow(name: str) -> Done:
        begun.append(name)
        assert go_on.wait(60)
        return Done()

    runner.add_job("detect", partial(slow, "detect"), 60)
    runner.add_job("snapshot", partial(slow, "snapshot"), 60)
    runner.add_job("state", Done, 0.02, is_urgent=True)
    runner.start()
    until(lambda: len(runs) > 5)
    assert len(begun) == 1
    go_on.set()
    until(lambda: {name for name, _, _ in runs} == {"detect", "snapshot", "state"})


def test_a_job_that_waits_for_its_turn_is_left_out_when_milepost_stops(make: Make) -> None:
    """A stop waits for what is under way; to begin another look through everything then would take a kill -9."""
    runs: list[Run] = []
    runner, go_on = make(runs=runs), threading.Event()

    def slow() -> Done:
        assert go_on.wait(60)
        return Done()

    runner.add_job("detect", slow, 60)
    runner.add_job("snapshot", slow, 60, after_s=0.1)
    runner.start()
    time.sleep(0.3)
    leaving = threading.Thread(target=runner.stop)
    leaving.start()
    until(lambda: runner._is_leaving)
    go_on.set()
    leaving.join(60)
    assert [name for name, _, _ in runs] == ["detect"]


def test_an_urgent_job_that_is_late_does_not_wait_for_its_next_tick(make: Make) -> None:
    """A round of the state of 2.1 s, each 2 s, would be one each 4 s, and every page as much older."""
    runs: list[Run] = []
    runner, ends = make(runs=runs), list[float]()

    def late() -> Done:
        time.sleep(1.1)
        ends.append(time.monotonic())
        return Done()

    runner.add_job("state", late, 1, is_urgent=True)
    runner.start()
    until(lambda: len(ends) > 3)
    assert min(b - a for a, b in pairwise(ends)) < 1.5  # by its ticks alone it is 2, and never less


def test_runs_are_recorded_in_the_table_if_nobody_says_otherwise(store: Store, catalogue: Catalogue, tmp_path: Path) -> None:
    """The columns that the runner writes are those that the migration makes."""
    sink = Sink(store, catalogue)
    Runner(Settings(store="", data=tmp_path), store, catalogue, sink).run_job("detect", lambda: Done(3, detail="3 new"))
    sink.close()
    assert store.query("SELECT job, ok, n, detail FROM job_runs") == [{"job": "detect", "ok": True, "n": 3, "detail": "3 new"}]


@pytest.mark.parametrize(
    ("err", "status"),
    [(SourceUnavailable("share away"), "waiting"), (StoreUnavailable("store away"), "waiting"), (KeyError("bug"), "failed")],
)
def test_a_source_in_trouble_is_marked_and_waits_before_it_is_asked_again(make: Make, err: Exception, status: str) -> None:
    """Asking a partner's dead server every second is an attack on it; and the page must say what is the matter."""
    runner = make()
    asked: list[int] = []

    def act() -> None:
        asked.append(1)
        raise err

    runner.guarded("acme", act)
    runner.guarded("acme", act)
    assert (len(asked), runner.health["acme"].status) == (1, status)
    assert "away" in runner.health["acme"].reason or "bug" in runner.health["acme"].reason
    runner.health["acme"].resume_at = 0
    runner.guarded("acme", lambda: None)
    assert (runner.health["acme"].status, runner.health["acme"].pause_s) == ("ok", 0)


def test_the_pause_doubles_up_to_a_limit_and_differs_between_sources() -> None:
    """Without jitter, everything that failed together would come back together."""
    health = Health()
    pauses = []
    for _ in range(12):
        health.ill("waiting", SourceUnavailable("away"))
        pauses.append(health.pause_s)
    assert pauses[:4] == [1, 2, 4, 8]
    assert pauses[-1] == runners.MAX_PAUSE_S
    others = [Health() for _ in range(20)]
    for one in others:
        one.ill("waiting", SourceUnavailable("away"))
    assert len({one.resume_at for one in others}) > 1
    assert health.since is not None
    assert health.since <= datetime.now(UTC)


def test_a_source_that_cannot_start_stops_the_start_before_anything_listens(make: Make) -> None:
    """Half an intake that looks whole is worse than none with a sentence."""
    bad = Source("bad", "files", "cloudevents", options={"path": "../up"})
    runner = make(EVENTS, bad)
    with pytest.raises(BadConfig, match=r"sources\.bad"):
        runner.start()
    assert runner.server is None


def test_a_bug_behind_the_http_edge_marks_the_route_and_the_next_message_is_taken(
    make: Make, monkeypatch: pytest.MonkeyPatch, cloud_event: Make
) -> None:
    """A listener cannot be paused for one sender's message; it is marked, and serves the others."""
    runner = make(EVENTS)
    runner.start()
    url = f"http://127.0.0.1:{runner.server.port}/v1/events"

    def broken(name: str) -> Any:
        raise KeyError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr("collectors.sink.format_module", broken)
        assert httpx.post(url, json=cloud_event(), trust_env=False, timeout=60).status_code == 500
    assert runner.health["/v1/events"].status == "failed"
    assert httpx.post(url, json=cloud_event(), trust_env=False, timeout=60).status_code == 200
