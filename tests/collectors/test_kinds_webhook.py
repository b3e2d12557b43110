"""What a webhook says beyond what every door says: where it listens, and the handshake of CloudEvents senders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.config import Settings
from collectors.kinds import webhook
from collectors.message import Finding, Message, Source
from collectors.running import Means, Receipt


async def deliver(source: Source, message: Message) -> Receipt:
    """All of it stored, with more findings than an answer should carry."""
    return Receipt(n_rows=2, findings=tuple(Finding("odd", f"text {n}") for n in range(50)))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    """A webhook for CSV at a path of its own, and one at the usual place."""
    settings = Settings(store="", data=tmp_path)
    mapping = {"mapping": {"object_id": "no"}}
    routes = [
        *webhook.start(
            Source("a", "webhook", "records", options={"path": "/in/a", "content_types": ["text/x-mine"], **mapping}),
            Means(deliver, lambda s, m: Receipt(), settings),
        ).routes,
        *webhook.start(
            Source("b", "webhook", "records", options=mapping), Means(deliver, lambda s, m: Receipt(), settings)
        ).routes,
    ]
    with TestClient(Starlette(routes=routes)) as client:
        yield client


def test_a_source_may_name_its_path_and_its_media_types(client: httpx.Client) -> None:
    """Partners cannot always change what they send, or where to."""
    assert client.post("/in/a", content="x", headers={"content-type": "text/x-mine; a=b"}).status_code == 200
    assert client.post("/in/a", content="x", headers={"content-type": "text/csv"}).status_code == 415
    assert client.post("/hooks/b", content="x", headers={"content-type": "text/csv"}).status_code == 200


def test_the_answer_carries_few_of_many_findings(client: httpx.Client) -> None:
    """A sender reads the first; the rest stand in the table of findings."""
    told = client.post("/hooks/b", content="x", headers={"content-type": "text/csv"}).json()
    assert (told["stored"], told["rejected"], len(told["findings"])) == (2, 0, webhook.MAX_FINDINGS)


def test_a_sender_that_asks_first_is_told_yes(client: httpx.Client) -> None:
    """Azure Event Grid and others send OPTIONS before the first event, and give up for good if it is not answered."""
    asked = client.options(
        "/hooks/b", headers={"webhook-request-origin": "eventemitter.example", "webhook-request-rate": "120"}
    )
    assert (asked.status_code, asked.headers["allow"]) == (200, "POST, OPTIONS")
    assert asked.headers["webhook-allowed-origin"] == "eventemitter.example"
    assert asked.headers["webhook-allowed-rate"] == "120"
    assert not [name for name in asked.headers if name.startswith("access-control")]
