"""
Starts the listeners, gives pollers and jobs to the clock, and keeps one failing source from stopping the others.

Why here alone stands `except Exception`: a bug in one kind, format or job must cost that one, and be seen. It is logged
with its traceback, the source is marked failed, and it is tried again later, for most bugs are of one message.

Why a lease where many processes share a store: jobs work on scratch tables that are one round's, so one process runs them.

Why jobs take turns, but for the urgent one: each looks through everything for seconds, and two at once take the core that the
next round of the state needs. Why an urgent job that is late goes on at once: people wait for it, and a round of 2.1 s that
waited for the next tick of 2 s would be one each 4 s.

Why backoff with jitter: when a partner's server or the store comes back, not all pollers should meet it in the same second.
"""

from __future__ import annotations

import gc
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from starlette.routing import Route

from collectors.config import Settings, format_module, kind_module
from collectors.gate import Gate
from collectors.http import Server, app
from collectors.message import Source
from collectors.running import Done, Means, Running
from collectors.sink import Sink
from schema import observe, state
from schema.errors import SourceUnavailable, StoreUnavailable
from schema.governance import Catalogue
from schema.lease import Lease
from schema.store import Store, first_line

log = structlog.get_logger(__name__)
SOON_S = 0.05
FIRST_PAUSE_S = 1.0
MAX_PAUSE_S = 300.0
JOB_RUNS = ("job", "started_at", "duration_ms", "ok", "n", "mark", "detail")

Job = Callable[[], Done]
Record = Callable[[str, datetime, int, bool, Done], None]


@dataclass(slots=True)
class Health:
    """How a source or a job is: `ok`, `waiting` (the other side is away) or `failed` (a bug), since when, and why."""

    status: str = "ok"
    since: datetime | None = None
    reason: str = ""
    pause_s: float = 0.0
    resume_at: float = 0.0

    def well(self) -> None:
        self.status, self.reason, self.pause_s, self.resume_at = "ok", "", 0.0, 0.0

    def ill(self, status: str, err: Exception) -> None:
        """Twice the last pause, up to five minutes, and up to half of it again at random."""
        if self.status != status:
            self.since = datetime.now(UTC)
        self.status, self.reason = status, first_line(err)
        self.pause_s = min(MAX_PAUSE_S, self.pause_s * 2 or FIRST_PAUSE_S)
        self.resume_at = time.monotonic() + self.pause_s * (1 + random.random() / 2)  # noqa: S311 (no secret)


class Runner:
    """Everything that runs without a person: intake, drop folders, jobs."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        catalogue: Catalogue,
        sink: Sink,
        *,
        record: Record | None = None,
        lease: Lease | None = None,
    ) -> None:
        self.settings, self.store, self.catalogue, self.sink = settings, store, catalogue, sink
        self._lease = lease
        self.health: dict[str, Health] = {}
        self.server: Server | None = None
        self._record = record or self._record_run
        self._is_leaving = False
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={name: ThreadPoolExecutor(n) for name, n in (("default", 8), ("turns", 1), ("lease", 1))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """
        Start every source and the clock.

        Raises: BadConfig, before anything listens, if a source cannot start as it is configured.
        """
        gate = Gate(self.settings)
        running = {source.name: self._start_source(source, gate) for source in self.settings.sources}
        routes = [route for one in running.values() for route in one.routes]
        if routes:
            self.server = self._serve(routes)
        for name, one in running.items():
            if one.poll:
                self._every(f"source {name}", partial(self.guarded, name, one.poll), one.every_s)
        if self._lease:
            self.attempt("lease", self._lease.renew)
            renew = partial(self.attempt, "lease", self._lease.renew)
            self._scheduler.add_job(renew, "interval", seconds=self._lease.ttl_s / 4, id="lease", executor="lease")
        tame_collector()
        self._scheduler.start()

    def stop(self) -> None:
        """
        Take nothing more, let what is under way end, and what takes minutes be left at its next pause. The sink and the store
        are closed by who opened them.
        """
        if self.server:
            self.server.stop()
        if self._scheduler.running:
            self._is_leaving = True
            with state.leaving():
                self._scheduler.shutdown(wait=True)
        if self._lease:
            self.attempt("lease", self._lease.release)

    def wait(self) -> None:
        """Block until a signal to stop: for a process that has no pages."""
        stop = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: stop.set())
        stop.wait()

    def add_job(self, name: str, fn: Job, every_s: float, *, after_s: float = SOON_S, is_urgent: bool = False) -> None:
        """
        Run a job every so many seconds, one at a time, first after `after_s`; what it returns is its row in `job_runs`.

        Jobs take turns; an urgent one waits for no other, and goes on at once where a round took longer than its interval.
        """
        self.health[f"job {name}"] = Health()
        act = partial(self.run_job, name, fn)
        if is_urgent:
            self._every(f"job {name}", partial(self._catching_up, f"job {name}", act, every_s), every_s, after_s)
        else:
            self._every(f"job {name}", act, every_s, after_s, executor="turns")

    def guarded(self, name: str, act: Callable[[], None]) -> None:
        """One act of a source, unless it is still paused by an error of the last."""
        if time.monotonic() >= self.health.setdefault(name, Health()).resume_at:
            self.attempt(name, act)

    def run_job(self, name: str, fn: Job) -> None:
        """
        One run of a job, recorded whatever becomes of it. None while another process holds the lease of the jobs, nor of a job
        that waited for its turn when Milepost was stopped.
        """
        if self._is_leaving or (self._lease and not self._lease.is_held):
            return
        started_at, began, done = datetime.now(UTC), time.perf_counter(), [Done()]
        with observe.span(f"job.{name}"):
            err = self.attempt(f"job {name}", lambda: done.append(fn()))
        last = Done(detail=f"{type(err).__name__}: {first_line(err)}") if err else done[-1]
        duration_ms = int((time.perf_counter() - began) * 1000)
        self.attempt("job_runs", partial(self._record, name, started_at, duration_ms, err is None, last))

    def attempt(self, name: str, act: Callable[[], None]) -> Exception | None:
        """An act whose error marks its name and stays here; the error, if there was one."""
        health = self.health.setdefault(name, Health())
        try:
            act()
        except (SourceUnavailable, StoreUnavailable) as err:
            health.ill("waiting", err)
            log.warning("waits", source=name, reason=str(err), pause_s=health.pause_s)
            return err
        except Exception as err:  # noqa: BLE001 (the one place of the house)
            self._failed(name, err)
            return err
        health.well()
        return None

    def _start_source(self, source: Source, gate: Gate) -> Running:
        means = Means(
            self.sink.deliver,
            self.sink.deliver_now,
            self.settings,
            getattr(format_module(source.format), "CONTENT_TYPES", ()),
            gate,
        )
        self.health[source.name] = Health()
        running: Running = kind_module(source.kind).start(source, means)
        return running

    def _serve(self, routes: list[Route]) -> Server:
        application = app(routes, ping=self._is_well, depth=lambda: self.sink.depth, on_error=self._failed)
        server = Server(application, self.settings.listen.host, self.settings.listen.intake)
        server.start()
        return server

    def _is_well(self) -> bool:
        """Whether the store answers, and took the last row of our own: on a full disk, or read-only, it answers too."""
        own = self.health.get("lease" if self._lease else "job_runs", Health())
        return own.status != "waiting" and self.store.ping()

    def _every(
        self, name: str, act: Callable[[], None], every_s: float, after_s: float = SOON_S, *, executor: str = "default"
    ) -> None:
        first = datetime.now(UTC) + timedelta(seconds=after_s)
        self._scheduler.add_job(act, "interval", seconds=every_s, id=name, name=name, next_run_time=first, executor=executor)

    def _catching_up(self, name: str, act: Callable[[], None], every_s: float) -> None:
        """A round, and soon the next one if it took longer than until its next tick, which the clock has left out."""
        began = time.monotonic()
        act()
        if time.monotonic() - began > every_s and not self._is_leaving:
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC) + timedelta(seconds=SOON_S))

    def _failed(self, name: str, err: Exception) -> None:
        self.health.setdefault(name, Health()).ill("failed", err)
        log.error("failed", source=name, exc_info=err)

    def _record_run(self, job: str, started_at: datetime, duration_ms: int, ok: bool, done: Done) -> None:
        self.store.insert("job_runs", JOB_RUNS, [(job, started_at, duration_ms, ok, done.n, done.mark, done.detail)])


def tame_collector() -> None:
    """What is loaded by now stays; measured, 2.7 times as many events a second are validated so."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
