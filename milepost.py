"""
The front door: the command line, and the only module that knows all three rooms.

Why one process by default: an embedded store is held by one process, so pages (main thread), intake (a thread of its own)
and the clock live together; with a server DSN `collect` and `dashboard` are services of their own. Nothing else knows.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from collectors import cli as intake_cli
from collectors import config, replay, signon
from collectors.jobs import detect, heal, refresh, retain, snapshot
from collectors.journal import Journal
from collectors.keys_cli import keys_app
from collectors.runner import Runner
from collectors.sink import Sink
from collectors.watching import watch_ourselves
from dashboard import access
from schema import backup_cli, definitions, governance, migrate, state
from schema import cli as reading_cli
from schema.errors import BadConfig, BadDefinition, BadPayload, MilepostError, StoreUnavailable
from schema.governance import Catalogue
from schema.lease import Lease
from schema.store import Store, connect

console = Console()
CONFIG_HELP = "milepost.toml (default: MILEPOST_CONFIG, else ./milepost.toml)."
ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help=CONFIG_HELP)]

app = typer.Typer(
    help="Workflow observability and business state for logistics.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@dataclass(frozen=True, slots=True)
class House:
    """What a running Milepost has opened."""

    settings: config.Settings
    catalogue: Catalogue
    store: Store
    sink: Sink


@app.callback()
def _options(
    config_file: ConfigFile = None,
    store: Annotated[str, typer.Option("--store", help="DSN; over the file and MILEPOST_STORE.")] = "",
) -> None:
    if config_file:
        os.environ["MILEPOST_CONFIG"] = str(config_file)
    if store:
        os.environ["MILEPOST_STORE"] = store


@cache
def settings_and_catalogue() -> tuple[config.Settings, Catalogue]:
    """The configuration and the catalogue in force. Raises: BadConfig, which says which key of which file."""
    settings = config.load()
    overrides = (settings.governance,) if settings.governance else ()
    return settings, governance.load(*overrides)


def opened() -> tuple[Store, Catalogue]:
    """The store, migrated, for the commands that read."""
    settings, catalogue = settings_and_catalogue()
    store = connect(settings.store)
    migrate.migrate(store, catalogue)
    state.settle(store)
    return store, catalogue


@contextlib.contextmanager
def house(
    settings: config.Settings, catalogue: Catalogue, *, takes_in: bool = True, has_pages: bool = False
) -> Iterator[House]:
    """Open the store, bring it to this version, and close everything in order: intake first, store last."""
    loading = threading.Thread(target=_load_pages, daemon=True) if has_pages else None
    if loading:
        loading.start()
    store = connect(settings.store)
    try:
        if loading:
            loading.join()
        migrate.migrate(store, catalogue)
        state.settle(store)
        journal = Journal(settings.data / "journal" if takes_in else None)
        journal.recall(store)
        sink = Sink(store, catalogue, settings.limits, journal=journal)
        try:
            yield House(settings, catalogue, store, sink)
        finally:
            sink.close()
            journal.close()
    finally:
        store.close()


@contextlib.contextmanager
def running(home: House) -> Iterator[Runner]:
    """Sources, jobs and self-observation, until the block ends."""
    lease = None if home.store.is_embedded else Lease(home.store)
    runner = Runner(home.settings, home.store, home.catalogue, home.sink, lease=lease)
    store = home.store.for_jobs()
    round_ = refresh.Refresh(store, lambda: lease.term if lease else 0)
    runner.add_job(refresh.NAME, round_, refresh.EVERY_S, is_urgent=True)
    runner.add_job(heal.NAME, heal.Heal(store), heal.EVERY_S, after_s=heal.AFTER_S)
    runner.add_job(detect.NAME, partial(detect.run, store), detect.EVERY_S, after_s=detect.AFTER_S)
    runner.add_job(snapshot.NAME, partial(snapshot.run, store), snapshot.EVERY_S, after_s=snapshot.AFTER_S)
    runner.add_job(retain.NAME, partial(retain.run, store, home.catalogue), retain.EVERY_S, after_s=retain.AFTER_S)
    stop_watching = watch_ourselves(home.sink)
    runner.start()
    try:
        yield runner
    finally:
        runner.stop()
        stop_watching()


@app.command()
def up() -> None:
    """Start Milepost on your own data: intake, jobs and pages in one process."""
    settings, catalogue = settings_and_catalogue()
    login = _login(settings)
    with house(settings, catalogue, has_pages=True) as home, running(home):
        _say_addresses(home)
        _serve_pages(home, login, can_replay=True)


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="Another seed, another enterprise.")] = 7,
    days: Annotated[int, typer.Option(help="Days of history.", min=1, max=90)] = 30,
    data: Annotated[Path | None, typer.Option(help="Where the demo keeps its store.")] = None,
) -> None:
    """Start Milepost with a simulated enterprise: 30 days of history, then live."""
    from collectors.demo import enterprise

    settings, catalogue = enterprise.settings(config.load(), data)
    login = _login(settings)
    begun = enterprise.Beginning.of(settings.data, seed, days)
    with enterprise.telling(begun) as told, house(settings, catalogue, has_pages=True) as home:
        enterprise.history(home.store, settings, catalogue, begun, told, console)
        with running(home) as runner, enterprise.live(home.store, settings, catalogue, begun, runner):
            _say_addresses(home)
            _serve_pages(home, login, can_replay=True)


@app.command()
def collect() -> None:
    """Intake and jobs only: a service of its own, on a ClickHouse server."""
    settings, catalogue = settings_and_catalogue()
    with house(settings, catalogue) as home, running(home) as runner:
        if runner.server:
            console.print(f"Intake: http://{runner.server.host}:{runner.server.port}. Stop with Ctrl-C.")
        runner.wait()


@app.command()
def dashboard() -> None:
    """Pages only: a service of its own, on a ClickHouse server."""
    settings, catalogue = settings_and_catalogue()
    login = _login(settings)
    with house(settings, catalogue, takes_in=False, has_pages=True) as home:
        _say_addresses(home)
        _serve_pages(home, login)


@app.command(name="migrate")
def migrate_() -> None:
    """Bring the store to this version."""
    settings, catalogue = settings_and_catalogue()
    store = connect(settings.store)
    waiting = migrate.pending(store)
    migrate.migrate(store, catalogue)
    state.settle(store)
    console.print(f"{store.label}: {len(waiting)} migrations applied, {len(definitions.views())} views defined.")


@app.command()
def check(
    with_state: Annotated[bool, typer.Option("--state", help="Hold every state row against its events.")] = False,
) -> None:
    """Check configuration, governance, every KPI and detector file, and the store. Exit code 1 if the state has drifted."""
    settings, catalogue = settings_and_catalogue()
    definitions.check(catalogue)
    console.print(f"● configuration: {len(settings.sources)} sources; governance {catalogue.version} ({catalogue.digest})")
    console.print(f"● {len(definitions.kpis())} KPIs, {len(definitions.detectors())} detectors")
    store, _ = opened()
    n = store.value("SELECT count() FROM events")
    console.print(f"● store {store.label}, ClickHouse {store.version}, {n:,} events")
    if not with_state:
        return
    store = store.for_jobs()
    state.refresh(store)
    drifted = state.drift(store)
    for row in drifted[:20]:
        console.print(f"■ {row['object_type']} {row['object_id']}: kept {row['kept']}, from events {row['scratch']}")
    if drifted:
        console.print(f"■ {len(drifted)} objects differ from their events")
        raise typer.Exit(1)
    console.print("● every state row equals the one computed from its events")


@app.command()
def decode(
    format_: Annotated[str, typer.Argument(metavar="FORMAT")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE…")],
    source: Annotated[str, typer.Option(help="Decode as this configured source would.")] = "",
) -> None:
    """Dry run: one JSON object a line for every event and finding. Exit code 1 if a file was rejected."""
    settings, catalogue = settings_and_catalogue()
    if intake_cli.decode_files(intake_cli.source_for(settings, format_, source), catalogue, files):
        raise typer.Exit(1)


@app.command()
def load(
    format_: Annotated[str, typer.Argument(metavar="FORMAT")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…")],
    source: Annotated[str, typer.Option(help="Load as this configured source would.")] = "",
) -> None:
    """Files and folders into the store. May be interrupted and run again. Exit code 1 if a file was rejected."""
    settings, catalogue = settings_and_catalogue()
    with house(settings, catalogue) as home:
        named = intake_cli.source_for(settings, format_, source)
        n, rows, rejected = intake_cli.load_files(home.sink, named, paths)
        state.refresh(home.store)
    console.print(f"{n} files, {rows:,} rows stored, {rejected} files rejected (bytes are kept: see Intake, or `replay`).")
    if rejected:
        raise typer.Exit(1)


@app.command(name="replay")
def replay_(
    source: Annotated[str, typer.Option(help="Only rejects of this source.")] = "",
    limit: Annotated[int, typer.Option(min=1)] = 10_000,
) -> None:
    """Deliver what was rejected once more, after its cause was mended. Exit code 1 if something was rejected again."""
    settings, catalogue = settings_and_catalogue()
    with house(settings, catalogue) as home:
        sources = {s.name: s for s in settings.sources}
        done = replay.replay(home.store, home.sink, sources, source=source, limit=limit)
        state.refresh(home.store)
    console.print(f"{done.n} replayed, {done.n_stored} stored, {done.n_skipped} skipped (their source is not configured).")
    if done.n_stored + done.n_skipped < done.n:
        raise typer.Exit(1)


_kpi, _exceptions, _object = reading_cli.readers(opened)
app.add_typer(_kpi, name="kpi")
app.add_typer(_exceptions, name="exceptions")
app.command(name="object")(_object)
backup_cli.add(app, opened)
app.add_typer(keys_app(config.load), name="keys")


def _load_pages() -> None:
    """
    Import what the pages need, while the store is opened: that is the engine's work and not the interpreter's.

    Pandas last, and nothing is written meanwhile: the driver asks for pandas when it inserts, and whatever looks for a
    half-imported one (Plotly does, as Streamlit imports it) fails on it.
    """
    for module in ("dashboard.serve", "pandas"):
        import_module(module)


def _login(settings: config.Settings) -> access.Login | None:
    """Who may see the pages. Raises: BadConfig, before anything is opened, which says what is missing."""
    auth, listen = settings.auth, settings.listen
    login = None
    if auth:
        policy = access.policy(auth.groups, auth.scopes, claim=auth.groups_claim, session_h=auth.session_h)
        login = access.Login(signon.section(auth), policy)
    access.only_on_loopback(listen.host, login, allow_without_login=listen.allow_without_login)
    return login


def _serve_pages(home: House, login: access.Login | None, *, can_replay: bool = False) -> None:
    """The pages until Ctrl-C. They may replay where the collectors run beside them; elsewhere they tell the command."""
    from dashboard import serve

    listen = home.settings.listen
    intake = f"http://{listen.host}:{listen.intake}"
    lent = replay.lend(home.store, home.sink, {s.name: s for s in home.settings.sources}) if can_replay else None
    serve.server(
        home.store, home.catalogue, host=listen.host, port=listen.pages, intake=intake, login=login,
        allow_without_login=listen.allow_without_login, replay=lent,
    ).run()  # fmt: skip


def _say_addresses(home: House) -> None:
    listen = home.settings.listen
    console.print(f"\n  Milepost   [bold]http://{listen.host}:{listen.pages}[/]")
    console.print(f"  Intake     http://{listen.host}:{listen.intake}   (OTLP /v1/traces, CloudEvents /v1/events)")
    console.print(f"  Store      {home.store.label}\n\n  Stop with Ctrl-C.\n")


def _end_cleanly() -> None:
    """Ctrl-C and SIGTERM end by unwinding, so that intake, sink and store close in order and the exit code is 0."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))


def _logging() -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a round that is skipped because the last still runs is no news
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def main() -> None:
    """Run the command line: errors of ours are one sentence and an exit code, never a traceback."""
    _logging()
    _end_cleanly()
    try:
        app()
    except MilepostError as err:
        Console(stderr=True).print(f"milepost: {err}", markup=False, style="red")
        wrong = isinstance(err, (BadConfig, BadDefinition, BadPayload))
        raise SystemExit(2 if wrong else 3 if isinstance(err, StoreUnavailable) else 1) from err


if __name__ == "__main__":
    main()
