"""
Which requests reach the pages: foreign sites and foreign names are turned away, and the way back from the login leads nowhere else.

Why over the whole application of the pages and not over the gate alone: what Streamlit would answer by itself is part of the
question, and it has routes that nobody thinks of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from streamlit import config as streamlit_config

from dashboard import access, gate, serve
from schema.errors import BadConfig
from tests.dashboard.visitors import POLICY

HERE = "http://127.0.0.1:8501"
STREAM = "ws://127.0.0.1:8501/_stcore/stream"
PUBLIC = "https://pages.example"
LOGIN = access.Login({"redirect_uri": f"{PUBLIC}/oauth2callback"}, POLICY)
ANSWERS = (
    "/", "/exceptions", "/healthz", "/v1/traces", "/no/such/page.js", "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics",
    "/auth/login", "/auth/logout", "/oauth2callback?code=1&state=2", "/media/none.png", "/../../etc/passwd", "/component/x/y", "//evil.example",
)  # fmt: skip


@pytest.fixture(scope="module")
def local() -> Iterator[TestClient]:
    """The pages without login, as the front door serves them on loopback."""
    with TestClient(serve.application(), base_url=HERE, follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize("path", ANSWERS)
def test_every_kind_of_answer_carries_the_policy_and_no_word_of_the_machine(local: TestClient, path: str) -> None:
    """Pages, files, errors, redirects and refusals: one that lacks the headers is the one that is used."""
    answer = local.get(path)
    assert "script-src 'self' 'sha256-" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert (answer.headers["x-content-type-options"], answer.headers["referrer-policy"]) == ("nosniff", "same-origin")
    assert "access-control-allow-origin" not in answer.headers
    assert not {"Traceback", "site-packages"} & set(answer.text.split())
    assert answer.status_code < 500


def test_an_error_is_a_type_on_the_page_and_no_more(local: TestClient) -> None:
    """A message or a traceback would tell a visitor paths, statements and values."""
    assert streamlit_config.get_option("client.showErrorDetails") == "type"


def test_the_counters_of_streamlit_are_nobodys(local: TestClient) -> None:
    """Sessions and memory by page are told to everybody by default."""
    assert local.get("/_stcore/metrics").status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "192.0.2.7:8501", "localhost.evil.example", ""])
def test_a_foreign_name_for_this_machine_is_refused(local: TestClient, host: str) -> None:
    """DNS rebinding: the attacker's page is of one origin with the pages once his name points here."""
    answer = local.get("/", headers={"host": host})
    assert (answer.status_code, "allow_without_login" in answer.json()["error"]) == (421, True)
    with pytest.raises(WebSocketDisconnect), local.websocket_connect(STREAM, headers={"host": host}):
        pass


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost:8501", "[::1]:8501", "LOCALHOST"])
def test_this_machine_by_its_own_names_is_served(local: TestClient, host: str) -> None:
    """Also through a tunnel, which ends here."""
    assert local.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:3000", "http://localhost:9999", "null", "http://127.0.0.1:8501.evil.example"]
)
def test_a_foreign_origin_opens_no_connection(local: TestClient, origin: str) -> None:
    """Another site, and another program on this machine, would read the pages with the visitor's own cookies."""
    with pytest.raises(WebSocketDisconnect) as refused, local.websocket_connect(STREAM, headers={"origin": origin}):
        pass
    assert (refused.value.code, refused.value.reason) == (1008, "Another site may not open these pages' connection.")


def test_the_pages_own_origin_opens_it(local: TestClient) -> None:
    """And the test above would fail on a connection that nobody can open."""
    with local.websocket_connect(STREAM, headers={"origin": HERE}, subprotocols=["streamlit"]):
        pass


def test_behind_a_proxy_the_public_address_is_no_foreign_origin() -> None:
    """Where the provider sends people back to is where they see the pages, whatever name the proxy uses inside."""
    reached: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["type"])
        await send({"type": "websocket.close", "code": 1000})

    client = TestClient(gate.Gate(inner, address=LOGIN.address), base_url="http://inside:8501")
    for origin, is_let_in in ((PUBLIC, True), ("https://evil.example", False)):
        reached.clear()
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("ws://inside:8501/_stcore/stream", headers={"origin": origin}):
            pass
        assert bool(reached) == is_let_in


# --- the way back from the login ---------------------------------------------------------------------------------------------
def _login(request: Request) -> Response:
    return RedirectResponse("https://login.example/authorize", 302)


def _callback(_: Request) -> Response:
    return RedirectResponse("/", 302)


@pytest.fixture
def signing_in() -> TestClient:
    """The two routes that Streamlit answers, behind the gate and the headers."""
    inner = Starlette(routes=[Route("/auth/login", _login), Route("/oauth2callback", _callback), Route("/", lambda _: PlainTextResponse("home"))])
    app = serve.Headers(gate.Gate(inner, address=LOGIN.address), is_tls=True)
    return TestClient(app, base_url=PUBLIC, follow_redirects=False)


def test_a_deep_link_survives_the_login(signing_in: TestClient) -> None:
    """A view is sent as a link; who must sign in first still lands on it, once."""
    link = "/exceptions?window=7d&region=EU-West&region=EU%20North"
    cookie = signing_in.get("/auth/login", headers={"referer": PUBLIC + link}).headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Max-Age=600", "; Secure"))
    assert signing_in.get("/oauth2callback?code=1").headers["location"] == link
    assert signing_in.get("/oauth2callback?code=1").headers["location"] == "/"


@pytest.mark.parametrize(
    "referer",
    ["https://evil.example/exceptions", f"{PUBLIC}//evil.example/", f"{PUBLIC}/\\evil.example", "", "javascript:alert(1)", PUBLIC + "/" + "x" * 3000],
)
def test_a_foreign_page_is_not_where_the_login_leads_back_to(signing_in: TestClient, referer: str) -> None:
    """An open redirect behind a login is the phisher's favourite."""
    assert "set-cookie" not in signing_in.get("/auth/login", headers={"referer": referer}).headers


@pytest.mark.parametrize("planted", ["https://evil.example", "//evil.example", "/\\evil.example", "/ evil", "/%0d%0aset-cookie: a=b", "evil"])
def test_a_planted_way_back_is_not_followed(signing_in: TestClient, planted: str) -> None:
    """A cookie can be set by a neighbour of the domain: only a path of these pages is followed."""
    headers = {"cookie": f"{gate.COOKIE}={quote(planted, safe='%')}"}
    assert signing_in.get("/oauth2callback?code=1", headers=headers).headers["location"] == "/"


# --- the start ---------------------------------------------------------------------------------------------------------------
def test_the_server_itself_refuses_the_network_without_login() -> None:
    """Whoever starts the pages, by whatever command: the last door before the socket."""
    with pytest.raises(BadConfig, match="open to the network"):
        serve.server(None, None, host="0.0.0.0")  # type: ignore[arg-type]
    access.only_on_loopback("0.0.0.0", LOGIN)
    access.only_on_loopback("::1", None)
