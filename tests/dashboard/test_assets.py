"""
The front end's files: packed for whoever takes them so, as they are for others, and the first page's modules named with its HTML.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from streamlit.runtime import Runtime

from dashboard import assets, serve
from dashboard.assets import FIRST, FRONT_END

SCRIPTS = FRONT_END / "static" / "js"
ENTRY = next(SCRIPTS.glob("index.*.js"))


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """The pages' application, whose runtime is one of a process: as if no other test had made one, and leaving none behind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runtime, "_instance", None)
        yield TestClient(serve.application(), base_url="http://127.0.0.1:8501")


def test_a_script_comes_packed_and_is_what_streamlit_has(client: TestClient) -> None:
    """A first visit is 5 MB of text; over a line of 20 Mbit a second that is two seconds before anything is seen."""
    path = f"/static/js/{ENTRY.name}"
    packed = client.get(path, headers={"accept-encoding": "gzip, br"})
    assert (packed.status_code, packed.headers["content-encoding"], packed.headers["vary"]) == (200, "gzip", "accept-encoding")
    assert int(packed.headers["content-length"]) < ENTRY.stat().st_size / 2
    assert packed.content == ENTRY.read_bytes()
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for name in ("content-type", "cache-control", "content-security-policy", "x-content-type-options"):
        assert packed.headers[name] == plain.headers[name], name


@pytest.mark.parametrize(
    "path", ["/static/js/../../../app.py", "/static/js/%2e%2e/index.html", "/static/js/none.js", "/static/"]
)
def test_only_the_front_ends_own_files_are_served(client: TestClient, path: str) -> None:
    """What is packed is found by its name among the files that are there, so that no address leads out of the folder."""
    answer = client.get(path, headers={"accept-encoding": "gzip"})
    assert "import streamlit" not in answer.text
    assert answer.status_code >= 400 or answer.headers["content-type"].startswith("text/html")


def test_the_html_names_the_modules_that_the_first_page_draws_with_and_all_that_they_import(client: TestClient) -> None:
    """A module that is named without what it imports would be waited for all the same."""
    answer = client.get("/", headers={"accept": "text/html"})
    named = set(re.findall(r'</static/js/([\w.-]+)>; rel="modulepreload"', answer.headers["link"]))
    assert {name.split(".")[0] for name in named} >= set(FIRST)
    in_html = set(re.findall(r"static/js/([\w.-]+\.js)", answer.text))
    assert not named & in_html
    for name in named:
        text = (SCRIPTS / name).read_text("utf-8")
        assert set(re.findall(r'(?:from|import)"\./([\w.-]+\.js)"', text)) <= named | in_html, name
    assert "link" not in client.get(f"/static/js/{ENTRY.name}").headers


def test_another_streamlit_without_these_files_is_served_all_the_same(tmp_path: Path) -> None:
    """The names are Streamlit's own affair; without them a page opens as it did before."""
    scripts = tmp_path / "static" / "js"
    scripts.mkdir(parents=True)
    (tmp_path / "index.html").write_text("<html>", "utf-8")
    (scripts / "Metric.x.js").write_text('import{a}from"./gone.js";', "utf-8")
    assert assets._links(tmp_path) == '</static/js/Metric.x.js>; rel="modulepreload"; crossorigin; fetchpriority="low"'
    assert gzip.decompress(assets._pack(scripts / "Metric.x.js")) == b'import{a}from"./gone.js";'
