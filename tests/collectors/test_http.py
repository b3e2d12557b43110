"""The intake port as a sender meets it: real sockets and servers, and what is said when something is wrong."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from google.rpc.status_pb2 import Status

from collectors.http import Server, app
from collectors.message import Source
from collectors.sink import Overloaded, Sink
from schema.errors import BadConfig, StoreUnavailable
from schema.store import Store
from tests.collectors.intake import EVENTS, OTLP, PROTOBUF, STRUCTURED, Intake

Make = Callable[..., Any]


# --- what is said when something is wrong on our side ------------------------------------------------------------------------
@pytest.mark.parametrize(("err", "status"), [(StoreUnavailable("the store is away"), 503), (Overloaded("too much waits"), 429)])
def test_our_trouble_is_told_with_retry_after_in_the_callers_encoding(intake: Intake, err: Exception, status: int) -> None:
    """OTLP exporters retry on exactly these, and only if they understand the answer."""
    intake.answer = err
    client = intake.start(EVENTS, OTLP)
    plain = client.post("/v1/events", content=b"{}", headers=STRUCTURED)
    assert (plain.status_code, plain.json(), plain.headers["retry-after"]) == (status, {"error": str(err)}, "5")
    otlp = client.post("/v1/traces", content=b"", headers=PROTOBUF)
    assert (otlp.status_code, otlp.headers["content-type"], otlp.headers["retry-after"]) == (
        status,
        PROTOBUF["content-type"],
        "5",
    )
    assert Status.FromString(otlp.content).message == str(err)


def test_a_bug_is_500_in_json_and_told_to_the_runner(intake: Intake) -> None:
    """The sender keeps its data, the log has the traceback, and the answer gives nothing of our insides away."""
    intake.answer = KeyError("inside")
    answer = intake.start(EVENTS).post("/v1/events", content=b"{}", headers=STRUCTURED)
    assert (answer.status_code, "inside" in answer.text, intake.bugs) == (500, False, ["/v1/events 'inside'"])


def test_health_says_whether_the_store_answers(intake: Intake) -> None:
    """What a load balancer and a container's health check ask."""
    client = intake.start(EVENTS)
    assert client.get("/healthz").json() == {"status": "ok", "store": True, "waiting": {"messages": 0, "bytes": 0}}
    intake.is_there = False
    assert (client.get("/healthz").status_code, client.get("/healthz").json()["status"]) == (503, "store away")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "/v1/trace", 404), ("GET", "/v1/traces", 405), ("GET", "/", 404)]
)
def test_whatever_is_no_route_is_told_in_json(intake: Intake, method: str, path: str, status: int) -> None:
    """A mistyped address that answers 200 and a page is how telemetry gets lost for a week."""
    answer = intake.start(EVENTS, OTLP).request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"].endswith("is not served here; known: /v1/events, /v1/logs, /v1/metrics, /v1/traces")


def test_two_sources_on_one_path_stop_the_start(intake: Intake) -> None:
    """The second would never get a message, and nobody would know."""
    with pytest.raises(BadConfig, match="two sources want the path /v1/events"):
        intake.start(EVENTS, Source("other", "webhook", "cloudevents", options={"path": "/v1/events"}))


def test_a_taken_port_is_told_at_the_start(intake: Intake) -> None:
    """Before anything else runs, with the key of the configuration that mends it."""
    port = intake.start(EVENTS).base_url.port
    with pytest.raises(BadConfig, match="another program listens there"):
        Server(app([], ping=lambda: True, depth=dict, on_error=lambda p, e: None), "127.0.0.1", port or 0)


# --- with the real sink ------------------------------------------------------------------------------------------------------
def test_events_are_in_the_store_when_the_answer_comes(intake: Intake, sink: Sink, tables: Store, cloud_event: Make) -> None:
    """The whole way by curl: a batch with one wrong event, and the counts that the sender is told."""
    curl = shutil.which("curl")
    if not curl:
        pytest.skip("needs curl")
    url = str(intake.start(EVENTS, deliver=sink.deliver).base_url) + "/v1/events"
    body = orjson.dumps([cloud_event(1), cloud_event(2, {"object_type": "truck"}), cloud_event(3, {"colour": "red"})])
    done = subprocess.run(
        [curl, "-sS", "--noproxy", "*", "-w", "\n%{http_code}", "-H", "content-type: application/cloudevents-batch+json",
         "--data-binary", "@-", url],
        input=body, capture_output=True, check=True,
    )  # fmt: skip
    told, status = done.stdout.rsplit(b"\n", 1)
    text = "field 'colour' is not one of an event; kept in attributes"
    findings = [{"code": "unknown_field", "text": text, "where": "event 3"}]
    assert (status, orjson.loads(told)) == (b"200", {"stored": 2, "rejected": 1, "findings": findings})
    assert tables.query("SELECT object_id FROM events ORDER BY object_id") == [{"object_id": "S1"}, {"object_id": "S3"}]
    assert tables.value("SELECT JSONExtractArrayRaw(body)[1] LIKE '%truck%' FROM rejects")


def test_a_body_of_which_nothing_can_be_stored_is_400_and_stands_in_rejects(intake: Intake, sink: Sink, tables: Store) -> None:
    """The sender is told that sending it again cannot help; we keep the bytes."""
    client = intake.start(EVENTS, deliver=sink.deliver)
    answer = client.post("/v1/events", content=b'{"specversion":"1.0"}', headers=STRUCTURED)
    assert (answer.status_code, answer.json()) == (
        400, {"error": "id: required, a non-empty string (got 'None')", "stored": 0, "rejected": 1},
    )  # fmt: skip
    assert tables.value("SELECT body FROM rejects") == '{"specversion":"1.0"}'
