"""
The engines, the data and the outside parts that tests ask for by name.

Why both engines: the same SQL must hold embedded and on a server, so every test that asks for a store runs on each
(`--engine embedded|server|both`, the engine stands in the test's name). One engine a worker process and session, a
database of its own a test (emptied and used again, see parts/stock.py): no test sees another's rows. A part starts when
the first test asks for it, so that a run of unit tests starts neither a server nor a browser.

    store         a migrated database, for this test only     shared_store  the same for a whole module: read it only
    bare_store    a database without tables                   server_dsn    a database on the real server, not made yet
    cluster       two servers that are two shards; `--engine cluster` runs any test of the store there
    browser, page, node, field_data, catalogue                what the names say
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from schema import governance
from schema.governance import Catalogue
from schema.migrate import migrate
from schema.store import Store, connect
from tests.parts import chromium
from tests.parts import node as nodes
from tests.parts.clickhouse_server import ClickHouseCluster, ClickHouseServer
from tests.parts.shares import Shares
from tests.parts.stock import Stock, drop

ENGINES = {"embedded": ["embedded"], "server": ["server"], "both": ["embedded", "server"], "cluster": ["cluster"]}
FIELD_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
OF_PROCESSES = re.compile(r"test_(browser|login|kills|store_faults|one_scheduler|fairness|cluster|readme|demo_live|kinds_files)")
VIEWPORT: ViewportSize = {"width": 1600, "height": 1100}
_count = itertools.count(1)

# No deadline: a slow moment of a shared machine is not a falsified property.
settings.register_profile("milepost", deadline=None)
settings.load_profile("milepost")


@dataclass(frozen=True, slots=True)
class Engine:
    """One of the engines; `dsn` names a database on it."""

    name: str
    dsn: Callable[[str], str]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=list(ENGINES), default="both", help="run tests of the store on this engine only")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Shares | None:
    """Workers share the tests as parts/shares.py says, unless another way was asked for."""
    return Shares(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        names = getattr(metafunc.module, "RUNS_ON", ENGINES[metafunc.config.getoption("--engine")])
        metafunc.parametrize("engine", names, indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    A test that drives a browser or several processes is tried a second time: on a busy machine one of some thousand waits is
    too short now and then. What fails twice fails, and what needed the second time is told at the end.
    """
    for item in items:
        if OF_PROCESSES.search(item.nodeid):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """
    With a failed test of a page stands what the page and the demo behind it said: on a machine that nobody can look at, it is all
    there is.
    """
    report = yield
    page, demo = (getattr(item, "funcargs", {}).get(name) for name in ("page", "demo"))
    if report.failed and page is not None and not page.is_closed():
        said = page.locator("body").inner_text(timeout=5_000)
        report.sections.append(("the page", f"{page.url}\n{said[:6000]}"))
    if report.failed and demo is not None:
        report.sections.append(("the demo's log", demo.log()[-6000:]))
    return report


# --- engines -----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Engine:
    """The engine of this test; the parts start here at the latest."""
    return Engine(request.param, request.getfixturevalue(f"{request.param}_engine"))


@pytest.fixture(scope="session")
def embedded_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """chDB over a folder of this session. A handle stays open, or the engine would stop and start between tests."""
    folder = tmp_path_factory.mktemp("embedded")
    anchor = connect(f"chdb://{folder}?database=anchor")
    yield lambda database: f"chdb://{folder}?database={database}"
    _close_stock("embedded")
    anchor.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server_engine(clickhouse: ClickHouseServer) -> Iterator[Callable[[str], str]]:
    """The real server as an engine."""
    yield clickhouse.dsn
    _close_stock("server")


@pytest.fixture(scope="session")
def clickhouse(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    """A real ClickHouse server of this session."""
    if request.config.getoption("--engine") == "embedded":
        pytest.skip("needs the ClickHouse server, and --engine embedded was asked for")
    folder = tmp_path_factory.mktemp("server")
    with ClickHouseServer(folder) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster_engine(cluster: ClickHouseCluster) -> Iterator[Callable[[str], str]]:
    """Two shards as an engine."""
    yield cluster.dsn
    _close_stock("cluster")


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseCluster]:
    """Two real ClickHouse servers of this session, as two shards."""
    if request.config.getoption("--engine") == "embedded":
        pytest.skip("needs ClickHouse servers, and --engine embedded was asked for")
    folder = tmp_path_factory.mktemp("cluster")
    with ClickHouseCluster(folder) as both:
        yield both
    shutil.rmtree(folder, ignore_errors=True)


# --- stores ------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def stock(engine: Engine, catalogue: Catalogue) -> Stock:
    """Migrated databases of the engine of this test."""
    return _stock(engine.name, engine.dsn, catalogue)


@pytest.fixture
def store(stock: Stock) -> Iterator[Store]:
    """A migrated database with the shipped catalogue and no rows, for this test only."""
    taken = stock.take()
    yield taken
    stock.give(taken)


@pytest.fixture(scope="module")
def shared_store(stock: Stock) -> Iterator[Store]:
    """A migrated database for the tests of one module: fill it in a module fixture, then only read."""
    taken = stock.take()
    yield taken
    stock.give(taken)


@pytest.fixture
def bare_store(engine: Engine) -> Iterator[Store]:
    """A database without tables, for tests of the store and of migrations."""
    fresh = connect(engine.dsn(_name()))
    yield fresh
    drop(fresh)
    fresh.close()


@pytest.fixture
def server_dsn(clickhouse: ClickHouseServer) -> Iterator[str]:
    """The DSN of a database on the real server; connecting makes it, and it is dropped after the test."""
    dsn = clickhouse.dsn(_name())
    yield dsn
    left = connect(dsn)
    drop(left)
    left.close()


_stocks: dict[str, Stock] = {}


def _stock(engine: str, dsn: Callable[[str], str], catalogue: Catalogue) -> Stock:
    """One stock an engine, whatever the order in which pytest takes the engines."""
    if engine not in _stocks:
        name = "two" if engine == "cluster" else ""
        _stocks[engine] = Stock(dsn, _name, lambda store: migrate(store, catalogue), cluster=name)
    return _stocks[engine]


def _close_stock(engine: str) -> None:
    if engine in _stocks:
        _stocks.pop(engine).close()


def _name() -> str:
    return f"t_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{next(_count)}"


# --- what else tests ask for -------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The shipped governance catalogue."""
    return governance.load()


@pytest.fixture(scope="session")
def field_data() -> Path:
    """Samples of what the field sends, beside the repository."""
    if not FIELD_DATA.is_dir():
        pytest.skip("the samples of the field are not here: they lie in `shared/data` beside the repository")
    return FIELD_DATA


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """
    A Chromium with a fresh profile. Ask it for `new_page()` or `new_context()`, and close what you opened.

    Why a module's and not the session's: while Playwright is open, its event loop counts as running in this thread, and
    every `asyncio.run` of a later test would fail.
    """
    path = chromium.find()
    if not path:
        pytest.fail("no Chromium that runs: `make test` gets it, or `python tests/parts/setup.py`")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=list(chromium.ARGS))
        yield running
        running.close()


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    """The tab of a module; a test asks for `page`."""
    context = browser.new_context(viewport=VIEWPORT, accept_downloads=True)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(request: pytest.FixtureRequest, browser: Browser, tab: Page) -> Iterator[Page]:
    """
    A page without cookies and without what another test kept in it, of the module's VIEWPORT.

    Why one tab for all tests of a module: a new one reads and compiles the whole front end again, which costs more than
    what a test does with it. A test that is tried a second time gets a new one.
    """
    is_second = getattr(request.node, "execution_count", 1) > 1
    context = browser.new_context(accept_downloads=True) if is_second else tab.context
    found = context.new_page() if is_second else tab
    found.set_viewport_size(getattr(request.module, "VIEWPORT", VIEWPORT))
    found.emulate_media(color_scheme="light")
    yield found
    # Where it is it stays: from an empty page the next test would come into a new process, which compiles all of it again.
    found.evaluate("try { localStorage.clear(); sessionStorage.clear() } catch { /* what was never opened keeps nothing */ }")
    context.clear_cookies()
    if is_second:
        context.close()


@pytest.fixture(scope="session")
def node() -> nodes.Node:
    """Node with the OpenTelemetry SDK of JavaScript: `subprocess.run([node.path, script], env=node.env)`."""
    found = nodes.find()
    if not found:
        pytest.fail("node's packages are missing: `make test` gets them, or `python tests/parts/setup.py`")
    return found
