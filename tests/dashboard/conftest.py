"""
The pages as Streamlit runs them, over a store of the test's own, without a browser.

Why the cache is emptied around each test: answers are kept for all sessions of a process, and a test must not see another's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import session
from schema.governance import Catalogue
from schema.store import Store
from tests.dashboard import enterprise
from tests.dashboard.visitors import POLICY
from tests.parts.stock import Stock

APP = Path(dashboard.__file__).parent / "app.py"
Open = Callable[..., AppTest]
# Asked anew for each page that is drawn, it reads what every installed package says of itself: 0.12 s of CPU, always the same.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture
def pages(store: Store, catalogue: Catalogue) -> Iterator[Open]:
    """`pages("exceptions", region=["EU-West"])` is the page as it is first drawn, over an empty store."""
    yield from _opened(store, catalogue)


@pytest.fixture(scope="session")
def filled(stock: Stock) -> Iterator[Store]:
    """A store with the small enterprise in it, one for all modules, because to fill it takes seconds: read it only."""
    store = stock.take()
    enterprise.fill(store, datetime.now(UTC))
    yield store
    stock.give(store)


@pytest.fixture
def filled_pages(filled: Store, catalogue: Catalogue) -> Iterator[Open]:
    """The same over the small enterprise."""
    yield from _opened(filled, catalogue)


@pytest.fixture
def opened(filled: Store, catalogue: Catalogue) -> Iterator[Store]:
    """The small enterprise behind a login."""
    st.cache_data.clear()
    session.open(filled, catalogue, policy=POLICY)
    yield filled
    session.close()
    st.cache_data.clear()


def _opened(store: Store, catalogue: Catalogue) -> Iterator[Open]:
    st.cache_data.clear()
    session.open(store, catalogue, intake="http://intake.example:4318")
    yield open_page
    session.close()
    st.cache_data.clear()


def open_page(name: str = "operations", **params: Any) -> AppTest:
    """A page by its name, with these query parameters."""
    test = AppTest.from_file(str(APP), default_timeout=60)
    for key, value in params.items():
        test.query_params[key] = value
    return test.switch_page(f"app_pages/{name}.py").run()


def words(test: AppTest) -> str:
    """All that the page says in words."""
    said = [*test.markdown, *test.caption, *test.error, *test.warning, *test.info, *test.code]
    return "\n".join(str(element.value) for element in said)
