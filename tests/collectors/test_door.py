"""What every door asks before bytes become a message: who sends, how much, in which wrapping."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import socket
from collections.abc import Callable
from typing import Any

import pytest

from collectors.config import Listen, kind_module
from collectors.message import Source
from collectors.running import Means, Receipt
from schema.errors import BadConfig
from tests.collectors.intake import EVENTS, STRUCTURED, Intake

Make = Callable[..., Any]


def test_a_body_arrives_as_a_message_with_its_headers_but_without_secrets(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers go to `rejects` with the bytes; a key that stood among them would be readable by everybody who works there."""
    monkeypatch.setenv("HOOK_KEY", "s3cret")
    source = Source("hook", "webhook", "cloudevents", options={"api_key_env": "HOOK_KEY"})
    headers = {"authorization": "Bearer s3cret", "x-api-key": "s3cret", "cookie": "s3cret", "ce-subject": "Köln".encode()}
    answer = intake.start(source).post("/hooks/hook", content=b"{}", headers={**STRUCTURED, **headers})
    assert answer.status_code == 200
    ((_, message),) = intake.got
    assert (message.body, message.content_type, message.name) == (b"{}", "application/cloudevents+json", "POST /hooks/hook")
    assert message.headers["ce-subject"] == "Köln"
    assert "s3cret" not in repr(message)


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic s3cret"}, {"x-api-key": ""}]
)
def test_without_the_key_nobody_comes_in(intake: Intake, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]) -> None:
    """And the body of a stranger is not even read."""
    monkeypatch.setenv("HOOK_KEY", "s3cret")
    client = intake.start(Source("hook", "webhook", "cloudevents", options={"api_key_env": "HOOK_KEY"}))
    answer = client.post("/hooks/hook", content=b"{}", headers=STRUCTURED | headers)
    assert (answer.status_code, answer.headers["www-authenticate"], intake.got) == (401, "Bearer", [])
    assert client.post("/hooks/hook", content=b"{}", headers=STRUCTURED | {"x-api-key": "s3cret"}).status_code == 200


def test_a_signature_is_checked_over_the_raw_bytes(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """As GitHub signs: of the body as it went over the wire, compressed or not."""
    monkeypatch.setenv("HOOK_HMAC", "s3cret")
    client = intake.start(Source("hook", "webhook", "cloudevents", options={"hmac_env": "HOOK_HMAC"}))
    body = gzip.compress(b'{"a":1}')
    signed = "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    headers = {**STRUCTURED, "content-encoding": "gzip", "x-hub-signature-256": signed}
    assert client.post("/hooks/hook", content=body, headers=headers).status_code == 200
    assert intake.got[0][1].body == b'{"a":1}'
    assert client.post("/hooks/hook", content=body + b" ", headers=headers).status_code == 401
    assert client.post("/hooks/hook", content=body, headers={**headers, "x-hub-signature-256": ""}).status_code == 401
    assert len(intake.got) == 1


def test_without_a_key_only_loopback_is_listened_on(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open port without a key is how strangers write into a dashboard; the start says what to set."""
    monkeypatch.setenv("HOOK_KEY", "k")
    for host, is_open in (("0.0.0.0", False), ("::1", True), ("localhost", True), ("127.0.0.9", True)):
        settings = intake.settings.model_copy(update={"listen": Listen(host=host)})
        means = Means(intake.deliver, lambda s, m: Receipt(), settings)
        if is_open:
            assert kind_module("webhook").start(EVENTS, means).routes
            continue
        with pytest.raises(BadConfig, match=r"sources\.events has no key.*api_key_env.*allow_without_keys"):
            kind_module("webhook").start(EVENTS, means)
        keyed = Source("e", "webhook", "cloudevents", options={"api_key_env": "HOOK_KEY"})
        assert kind_module("webhook").start(keyed, means).routes


def test_a_web_page_cannot_write_through_its_visitors_browser(intake: Intake) -> None:
    """Loopback without a key is safe only if a page that the user happens to open is refused, and no CORS header invites it."""
    answer = intake.start(EVENTS).post("/v1/events", content=b"{}", headers=STRUCTURED | {"origin": "https://evil.example"})
    assert (answer.status_code, intake.got) == (403, [])
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"content-type": "text/plain"}, "allowed: application/cloudevents+json, application/cloudevents-batch"),
        ({}, "Content-Type '' is not taken"),
        ({**STRUCTURED, "content-encoding": "deflate"}, "Content-Encoding 'deflate' is not taken; allowed: gzip, identity"),
        ({**STRUCTURED, "content-encoding": "br"}, "allowed: gzip, identity"),
    ],
)  # fmt: skip
def test_another_wrapping_is_refused_with_what_is_allowed(intake: Intake, headers: dict[str, str], said: str) -> None:
    """Bytes that would be misread later are better refused where the sender still reads the answer."""
    answer = intake.start(EVENTS).post("/v1/events", content=b"{}", headers=headers)
    assert (answer.status_code, intake.got) == (415, [])
    assert said in answer.json()["error"]


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_over_the_limit_is_refused_whether_it_says_its_length_or_not(intake: Intake, is_chunked: bool) -> None:
    """A limit that trusts Content-Length is none."""
    body = b"x" * 20_001
    content: Any = iter([body[:10_000], body[10_000:]]) if is_chunked else body
    answer = intake.start(EVENTS).post("/v1/events", content=content, headers=STRUCTURED)
    assert (answer.status_code, answer.json()) == (
        413,
        {"error": "the body is larger than 20,000 bytes (limits.max_body_bytes)"},
    )


def test_a_zip_bomb_never_unfolds(intake: Intake) -> None:
    """Twelve kilobytes that become twelve megabytes: refused after the first fifty thousand bytes."""
    body = gzip.compress(b"0" * 12_000_000)
    answer = intake.start(EVENTS).post("/v1/events", content=body, headers={**STRUCTURED, "content-encoding": "gzip"})
    assert (len(body) < 20_000, answer.status_code) == (True, 413)
    assert "max_decompressed_bytes" in answer.json()["error"]


# A time of zero: a worker that reads this a second later must name its tests as the other does.
@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"{}" * 100, mtime=0)[:-9], b"\x1f\x8b"])
def test_a_broken_gzip_body_is_refused(intake: Intake, body: bytes) -> None:
    """A proxy that cuts a body leaves a gzip that decodes halfway: half a message is not a message."""
    answer = intake.start(EVENTS).post("/v1/events", content=body, headers={**STRUCTURED, "content-encoding": "gzip"})
    assert (answer.status_code, intake.got) == (400, [])


def test_gzip_members_end_to_end_are_one_body(intake: Intake) -> None:
    """Some senders append members; reading the first alone would lose the rest in silence."""
    body = gzip.compress(b"[") + gzip.compress(b"]")
    assert intake.start(EVENTS).post("/v1/events", content=body, headers={**STRUCTURED, "content-encoding": "gzip"}).is_success
    assert intake.got[0][1].body == b"[]"


def test_a_sender_that_hangs_up_midway_delivers_nothing(intake: Intake) -> None:
    """Half a body on a closed connection must not become a message, nor take room for ever."""
    client = intake.start(EVENTS)
    with socket.create_connection(("127.0.0.1", client.base_url.port or 0)) as sock:
        sock.sendall(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    assert client.get("/healthz").status_code == 200
    assert (intake.got, intake.bugs) == ([], [])
