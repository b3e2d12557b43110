"""
Attacks on the intake, each as somebody would carry it out, over real HTTP into a real store.

Why they stand together: each is held off by a part that has tests of its own; this file is the list that a reviewer reads.
HTML in text fields and pages by URL are the dashboard's.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import os
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import structlog

from collectors import formats, keys, signature
from collectors.config import MB, Limits, Settings, format_module, known
from collectors.door import gunzip
from collectors.kinds import files
from collectors.message import Context, Message, Source
from collectors.refused import Refused
from collectors.running import Means, Receipt
from collectors.sink import Sink
from schema.errors import BadConfig, BadPayload
from schema.events import MAX_TEXT, Event
from schema.governance import Catalogue
from schema.store import Store
from tests.collectors.intake import EVENTS, OTLP, PROTOBUF, STRUCTURED, Intake

Make = Callable[..., Any]
SIGNED = Source("hook", "webhook", "cloudevents", options={"hmac_env": "HOOK_HMAC", "hmac_timestamp_header": "X-Timestamp"})
BINARY = {
    "content-type": "application/json", "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/tms", "ce-type": "shipment.departed",
    "ce-time": "2026-11-23T08:00:00Z",
}  # fmt: skip
DATA = b'{"object_type":"shipment","object_id":"S1","state":"departed"}'


@pytest.fixture
def hook(intake: Intake, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> httpx.Client:
    """A webhook into the store of this test whose sender signs body and time."""
    monkeypatch.setenv("HOOK_HMAC", "s3cret")
    return intake.start(SIGNED, deliver=sink.deliver)


def signed(body: bytes, at: float, key: bytes = b"s3cret") -> dict[str, str]:
    """The headers of a signature over the time and the body."""
    said = str(int(at))
    return {"x-timestamp": said, "x-hub-signature-256": "sha256=" + hmac.new(key, f"{said}.".encode() + body, hashlib.sha256).hexdigest()}


# --- who sends -------------------------------------------------------------------------------------------------------------
def test_a_foreign_key_opens_no_other_door(intake: Intake, sink: Sink, tables: Store, cloud_event: Make) -> None:
    """A partner who has a key of its own, and knows another's address, writes nothing under the other's name."""
    client = intake.start(EVENTS, Source("acme", "webhook", "cloudevents"), deliver=sink.deliver)
    keys.add(intake.settings.keys_file, "events")
    _, theirs = keys.add(intake.settings.keys_file, "acme")
    body = orjson.dumps(cloud_event())
    answer = client.post("/v1/events", content=body, headers=STRUCTURED | {"x-api-key": theirs})
    assert (answer.status_code, "is not for source 'events'" in answer.json()["error"]) == (403, True)
    assert tables.value("SELECT count() FROM messages") == 0
    assert client.post("/hooks/acme", content=body, headers=STRUCTURED | {"x-api-key": theirs}).status_code == 200
    assert tables.query("SELECT source FROM events") == [{"source": "acme"}]


@pytest.mark.parametrize(("late_s", "status"), [(0, 200), (-250, 200), (250, 200), (400, 401), (-400, 401), (86400 * 365, 401)])
def test_an_expired_signature_is_refused(hook: httpx.Client, tables: Store, late_s: int, status: int) -> None:
    """A signed message out of a year-old log is not news, nor is one that was signed ahead of time for later use."""
    answer = hook.post("/hooks/hook", content=DATA, headers=BINARY | signed(DATA, time.time() - late_s))
    assert (answer.status_code, tables.value("SELECT count() FROM events")) == (status, status == 200)
    assert status == 200 or "300 s are allowed (hmac_window_s)" in answer.json()["error"]


@pytest.mark.parametrize("said", ["", "soon", "1e9", "-1", "９９", "1" * 30])
def test_a_time_of_signing_that_is_none_is_refused(hook: httpx.Client, tables: Store, said: str) -> None:
    """What cannot be read as a time has no age, and so cannot be too old."""
    headers = BINARY | signed(DATA, time.time()) | {"x-timestamp": said.encode()}
    answer = hook.post("/hooks/hook", content=DATA, headers=headers)
    assert (answer.status_code, tables.value("SELECT count() FROM messages")) == (401, 0)


def test_a_time_that_was_put_in_later_is_refused(hook: httpx.Client, tables: Store) -> None:
    """The time is part of what is signed: moving it to now breaks the signature."""
    old = signed(DATA, time.time() - 4000)
    answer = hook.post("/hooks/hook", content=DATA, headers=BINARY | old | {"x-timestamp": str(int(time.time()))})
    assert (answer.status_code, tables.value("SELECT count() FROM messages")) == (401, 0)


def test_a_replayed_signature_carries_no_other_event(hook: httpx.Client, tables: Store) -> None:
    """Headers are not signed: a listener may not make a new event of an old body by other CloudEvents headers."""
    headers = BINARY | signed(DATA, time.time())
    for changed in ({}, {"user-agent": "another"}):
        assert hook.post("/hooks/hook", content=DATA, headers=headers | changed).status_code == 200
    for changed in ({"ce-id": "2"}, {"ce-time": "2026-11-24T08:00:00Z"}, {"ce_subject": "S2"}, {"content-type": "application/cloudevents+json"}):
        answer = hook.post("/hooks/hook", content=DATA, headers=headers | changed)
        assert (answer.status_code, "already used" in answer.json()["error"]) == (401, True), changed
    assert tables.value("SELECT uniqExact(event_id) FROM events") == 1


def test_what_is_remembered_of_signatures_is_bounded_and_nothing_is_forgotten_early(
    hook: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A memory that forgets under load is an attack's first step; one that grows without end is the second."""
    monkeypatch.setattr(signature, "MAX_SEEN", 3)
    now = time.time()
    sent = [BINARY | signed(DATA, now - n) for n in (290, 0, 1)]
    for headers in sent:
        assert hook.post("/hooks/hook", content=DATA, headers=headers).status_code == 200
    full = hook.post("/hooks/hook", content=DATA, headers=BINARY | signed(DATA, now - 2))
    assert (full.status_code, 0 < int(full.headers["retry-after"]) <= 10) == (429, True)
    assert hook.post("/hooks/hook", content=DATA, headers=sent[0] | {"ce-id": "2"}).status_code == 401
    monkeypatch.setattr(signature.time, "time", lambda: now + 12)
    assert hook.post("/hooks/hook", content=DATA, headers=BINARY | signed(DATA, now - 2)).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8501", ""])
def test_a_foreign_origin_writes_nothing_at_any_door(intake: Intake, origin: str) -> None:
    """A page in the browser of somebody beside a Milepost on loopback; no answer invites it, not even to a preflight."""
    client = intake.start(EVENTS, OTLP)
    asked = {"origin": origin, "access-control-request-method": "POST"}
    answers = [
        client.post("/v1/events", content=b"{}", headers=STRUCTURED | {"origin": origin}),
        client.post("/v1/traces", content=b"", headers=PROTOBUF | {"origin": origin}),
        client.options("/v1/events", headers=asked),
        client.options("/v1/traces", headers=asked),
        client.get("/healthz", headers={"origin": origin}),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 200, 405, 200]
    assert [name for answer in answers for name in answer.headers if name.startswith("access-control")] == []
    assert intake.got == []


# --- what is sent ----------------------------------------------------------------------------------------------------------
def test_a_path_that_climbs_out_of_a_drop_folder_leads_nowhere(tmp_path: Path) -> None:
    """By a link, by a link to a folder, by the name of the folder or of the source: nothing outside is read, moved or deleted."""
    secret = tmp_path / "secret.txt"
    secret.write_text("s3cret", "utf-8")
    got: list[bytes] = []

    async def never(source: Source, message: Message) -> Receipt:
        raise AssertionError("a drop folder delivers from a thread")

    def deliver(source: Source, message: Message) -> Receipt:
        got.append(message.body)
        return Receipt(n_rows=1)

    means = Means(never, deliver, Settings(store="", data=tmp_path / "data"))
    running = files.start(Source("acme", "files", "cloudevents", options={"min_age_s": 0}), means)
    inbox = tmp_path / "data" / "drop" / "acme"
    (inbox / "link.json").symlink_to(secret)
    (inbox / "folder").symlink_to(tmp_path)
    os.mkfifo(inbox / "pipe")
    (inbox / "a..\\..\\secret.txt").write_text("kept as a name", "utf-8")
    assert running.poll is not None
    for _ in range(3):
        running.poll()
    assert got == [b"kept as a name"]
    assert secret.read_text("utf-8") == "s3cret"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "secret.txt"]
    for climbing in (Source("a", "files", "cloudevents", options={"path": "../up"}), Source("../../a", "files", "cloudevents")):
        with pytest.raises(BadConfig, match="must not climb out of the data folder"):
            files.start(climbing, means)


@pytest.mark.parametrize("path", ["/v1/../v1/events", "/v1/events/../../etc/passwd", "/v1/events%2f..%2f..", "//v1/events", "/v1/events/"])
def test_a_path_of_the_intake_port_is_a_route_or_nothing(intake: Intake, path: str) -> None:
    """No part of an address is ever a file's name; what is no route is 404."""
    link = HTTPConnection("127.0.0.1", intake.start(EVENTS).base_url.port)
    link.request("POST", path, b"{}", STRUCTURED)
    assert (link.getresponse().status, intake.got) == (404, [])


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY file SYSTEM "file:///etc/passwd">'
    + b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"&lol;" * 10) for n in range(10))
    + b"]><lolz>&l9;&file;</lolz>"
)
MAPPED = {"mapping": {"object_id": "no", "object_type": "= shipment", "occurred_at": "at"}}


@pytest.mark.parametrize("name", known(formats))
@pytest.mark.parametrize("content_type", ["application/xml", "text/plain", "application/json", "text/csv", ""])
def test_an_entity_bomb_unfolds_in_no_format(catalogue: Catalogue, name: str, content_type: str) -> None:
    """A kilobyte that an XML parser makes gigabytes of, and a file of ours that it would fetch: every format, also later ones."""
    context = Context(Source("s", "files", name, options=MAPPED if name == "records" else {}), catalogue)
    tracemalloc.start()
    try:
        said = repr(format_module(name).decode(Message(LAUGHS, datetime.now(UTC), content_type), context))
    except BadPayload as err:
        said = str(err)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 20 * MB
    assert len(said) < 20 * len(LAUGHS)
    assert "root:" not in said
    assert "lol" * 11 not in said


def test_an_entity_bomb_is_not_taken_by_a_source_of_no_xml_format(intake: Intake, sink: Sink, tables: Store) -> None:
    """By its media type it is turned away; under another it is rejected whole, and kept as the bytes that it is."""
    plain = Source("x12", "webhook", "x12_214")
    client = intake.start(EVENTS, plain, deliver=sink.deliver)
    for path in ("/v1/events", "/hooks/x12"):
        assert client.post(path, content=LAUGHS, headers={"content-type": "application/xml"}).status_code == 415
    assert client.post("/v1/events", content=LAUGHS, headers=STRUCTURED).status_code == 400
    assert client.post("/hooks/x12", content=LAUGHS, headers={"content-type": "text/plain"}).status_code == 400
    assert tables.value("SELECT count() FROM events") == 0
    assert tables.query("SELECT DISTINCT body FROM rejects FINAL") == [{"body": LAUGHS.decode()}]


def test_a_gzip_bomb_stops_at_the_limit_and_takes_no_more_room_than_that(intake: Intake) -> None:
    """Ten gigabytes in ten megabytes: what came into being is the limit and one step, and the answer names the limit."""
    bomb = gzip.compress(b"0" * 10_000_000) * 1000
    taken: list[int] = []
    with pytest.raises(Refused, match="max_decompressed_bytes"):
        list(gunzip(bomb, 5 * MB, taken.append))
    assert sum(taken) <= 5 * MB
    intake.settings = intake.settings.model_copy(update={"limits": Limits(max_decompressed_bytes=5 * MB)})
    answer = intake.start(EVENTS).post("/v1/events", content=bomb, headers=STRUCTURED | {"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["error"], intake.got) == (
        413, "the body is larger than 5,242,880 bytes (limits.max_decompressed_bytes)", [],
    )  # fmt: skip


SQL = (
    "'; DROP TABLE events; --", "1 OR 1=1", "\\'; TRUNCATE TABLE rejects; --", "{object_id:String}", "`events`", "%s %(x)s {x}",
    "x') FORMAT Null", "\"; SELECT * FROM url('http://x') --", "/* */ UNION ALL SELECT currentUser()", "\\N", "\t\\t\\n",
)  # fmt: skip
TEXTS = [name for name, field in Event.model_fields.items() if field.annotation is str and name not in ("currency", "trace_id", "span_id")]


def test_sql_in_every_text_field_is_stored_as_the_text_that_it_is(sink: Sink, tables: Store, message: Make, cloud_event: Make) -> None:
    """Values are bound or sent as data, never written into a statement: all come back as they were, and no table is missing."""
    assert {"object_id", "state", "customer", "correlation_id", "event_type"} <= set(TEXTS)
    before = tables.query("SELECT name, total_rows FROM system.tables WHERE database = currentDatabase() ORDER BY name")
    told = [
        {name: f"{text} {name}"[:MAX_TEXT].strip() for name in TEXTS}
        | {"event_id": f"{i}{text}", "keys": [text.strip() + "k"], "attributes": {text: text}}
        for i, text in enumerate(SQL)
    ]
    receipt = sink.deliver_now(
        Source("'; DROP TABLE messages; --", "webhook", "cloudevents"),
        message([cloud_event(n, data) for n, data in enumerate(told)], SQL[0], {SQL[0]: SQL[2]}, SQL[4]),
    )
    assert (receipt.n_rows, receipt.n_rejects) == (len(SQL), 0)
    for row in told:
        row["state"] = "unknown"  # no lifecycle knows it; what it said stands in the findings
    rows = tables.query(f"SELECT {', '.join(TEXTS)}, keys, attributes FROM events")
    assert sorted(rows, key=lambda row: row["event_id"]) == sorted(told, key=lambda row: str(row["event_id"]))
    after = tables.query("SELECT name, total_rows FROM system.tables WHERE database = currentDatabase() ORDER BY name")
    assert [row["name"] for row in before] == [row["name"] for row in after]
    assert tables.query("SELECT source, name FROM messages") == [{"source": "'; DROP TABLE messages; --", "name": SQL[4]}]


def test_sql_in_a_rejected_message_is_kept_as_its_bytes(sink: Sink, tables: Store, message: Make) -> None:
    """Rejects and findings repeat what the sender wrote, in their reasons too."""
    for text in SQL:
        sink.deliver_now(EVENTS, message({"specversion": text, "id": text, "source": text, "type": text}, text, {"ce-x": text}, text))
    rows = tables.query("SELECT content_type, headers, name, reason FROM rejects FINAL")
    assert {(row["content_type"], row["name"], row["headers"]["ce-x"]) for row in rows} == {(text, text, text) for text in SQL}
    assert all("specversion: got" in row["reason"] for row in rows)


# --- what is told ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """All that is logged, printed or written to stderr until it is asked for."""
    seen: list[str] = []

    def write(_: Any, method: str, said: dict[str, Any]) -> str:
        seen.append(repr(said))
        raise structlog.DropEvent

    structlog.configure(processors=[structlog.processors.format_exc_info, write])
    yield lambda: "".join((*seen, *capfd.readouterr()))
    structlog.reset_defaults()


def test_secrets_are_in_no_log_no_answer_and_no_table(
    intake: Intake, sink: Sink, tables: Store, cloud_event: Make, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    """Right keys and wrong ones, in every header, through acceptance, refusal, reject and a bug of ours."""
    monkeypatch.setenv("HOOK_HMAC", "hmac-s3cret")
    monkeypatch.setenv("ENV_KEY", "env-s3cret")
    with_env = Source("env", "webhook", "cloudevents", options={"api_key_env": "ENV_KEY", "hmac_env": "HOOK_HMAC", "hmac_header": "X-Seal"})
    _, token = keys.add(intake.settings.keys_file, "events")
    broken = False

    async def deliver(source: Source, message: Message) -> Receipt:
        if broken:
            raise KeyError("a bug")
        return await sink.deliver(source, message)

    client = intake.start(EVENTS, with_env, deliver=deliver)
    good, bad = orjson.dumps(cloud_event()), b"not json"
    said = []
    for body in (good, bad):
        seal = hmac.new(b"hmac-s3cret", body, hashlib.sha256).hexdigest()
        for one in (token, "wrong-s3cret", f"{token[:-1]}0"):
            for header in ({"authorization": f"Bearer {one}"}, {"x-api-key": one}, {"authorization": f"Basic {one}"}):
                said.append(client.post("/v1/events", content=body, headers=STRUCTURED | header))
        said.append(client.post("/hooks/env", content=body, headers=STRUCTURED | {"x-api-key": "env-s3cret", "x-seal": seal}))
        said.append(client.post("/hooks/env", content=body, headers=STRUCTURED | {"x-api-key": "env-s3cret", "x-seal": "wrong-s3cret"}))
    broken = True
    said.append(client.post("/v1/events", content=good, headers=STRUCTURED | {"x-api-key": token}))
    assert {answer.status_code for answer in said} == {200, 400, 401, 500}
    stored = repr([tables.query(f"SELECT * FROM {name}") for name in ("events", "messages", "findings", "rejects")])
    everything = logged() + stored + repr(intake.bugs) + "".join(f"{answer.text}{answer.headers}" for answer in said)
    seals = [hmac.new(b"hmac-s3cret", body, hashlib.sha256).hexdigest() for body in (good, bad)]
    assert [secret for secret in ("s3cret", token, token.split("_")[2][:-1], *seals) if secret in everything] == []
    assert "'event': 'refused'" in everything
