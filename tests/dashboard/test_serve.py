"""
What the pages' server adds to Streamlit's own: headers, Secure cookies, the way into kiosk mode, and JSON for mistaken senders.
"""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from dashboard import kept, serve, session
from schema.store import Store
from tests.dashboard.conftest import Open


def _page(_: Request) -> Response:
    answer = PlainTextResponse("page")
    answer.set_cookie("a", "1")
    return answer


@pytest.fixture(scope="module")
def client() -> TestClient:
    """The headers around a page that sets a cookie."""
    inner = Starlette(routes=[Route("/", _page), Route("/exceptions", _page), Route("/_stcore/health", _page)])
    return TestClient(serve.Headers(inner), base_url="https://pages.example", follow_redirects=False)


def test_nothing_from_elsewhere_may_run_or_frame_a_page(client: TestClient) -> None:
    """The policy names the front end's one inline script by its hash, and no `unsafe-inline` or `unsafe-eval` for scripts."""
    headers = client.get("/").headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["script-src"].startswith("'self' 'sha256-")
    assert "unsafe" not in policy["script-src"]
    assert headers["x-content-type-options"] == "nosniff"


def test_a_cookie_behind_tls_is_secure(client: TestClient) -> None:
    """Streamlit marks it only where it ends TLS itself; the login cookie must not go out in the clear."""
    assert client.get("/").headers["set-cookie"].endswith("; Secure")
    assert "strict-transport-security" in client.get("/").headers


def test_a_wall_is_sent_to_the_dark_and_bare_front_end(client: TestClient) -> None:
    """`?kiosk=1` alone is what people write on a wall's browser; what else the link says is kept."""
    answer = client.get("/exceptions?kiosk=1&region=EU-West")
    assert answer.status_code == 307
    assert answer.headers["location"] == "/exceptions?kiosk=1&region=EU-West&embed=true&embed_options=dark_theme"
    assert client.get(answer.headers["location"]).status_code == 200


@pytest.mark.parametrize("path", ["/?kiosk=0", "/_stcore/health?kiosk=1"])
def test_nobody_else_is_sent_anywhere(client: TestClient, path: str) -> None:
    """The front end's own calls carry the page's parameters too."""
    assert client.get(path).status_code == 200


def test_the_first_page_is_there_by_its_name_too() -> None:
    """What people type after having seen /exceptions; a dialog said that there is no such page."""
    pages = TestClient(Starlette(routes=[Route("/operations", serve._first_page)]), follow_redirects=False)
    assert pages.get("/operations?region=EU-West&region=US%2FEast").headers["location"] == "/?region=EU-West&region=US%2FEast"


def test_a_sender_that_mistakes_the_port_is_told_where_to_go() -> None:
    """Streamlit would answer 200 and a page to a mistyped OTLP address, which looks healthy."""
    app = Starlette(routes=[Route("/v1/{rest:path}", serve._not_here, methods=serve.METHODS)])
    answer = TestClient(app).post("/v1/traces")
    assert answer.status_code == 404
    assert "senders go to" in answer.json()["error"]


def test_what_the_first_page_asks_is_asked_before_it(filled: Store, filled_pages: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts Milepost opens a page first; over months of data he would wait for each of its statements in turn."""
    monkeypatch.setattr(kept, "REST", 1e9)
    serve._ask_first()
    asked: list[str] = []
    plain = filled.query
    monkeypatch.setattr(filled, "query", lambda sql, params=None: asked.append(sql) or plain(sql, params))  # type: ignore[func-returns-value]
    assert list(filled_pages("operations").exception) == []
    assert asked == []


def test_nothing_is_asked_first_of_a_store_that_is_away() -> None:
    """The server of the pages comes up all the same, and they say that the store is away."""
    session.close()
    serve._ask_first()
