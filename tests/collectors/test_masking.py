"""What must not be stored is not: not in events, nor in what is kept of a message that was wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from collectors import config
from collectors.masking import masked
from collectors.message import Source
from collectors.replay import Replayed, replay
from collectors.sink import Sink
from schema.errors import BadConfig
from schema.store import Store

Make = Callable[..., Any]
EMAIL = "ann@example.com"


def shop(*mask: str, **said: Any) -> Source:
    return Source("shop", "webhook", "cloudevents", mask=mask, **said)


@pytest.mark.parametrize(
    ("mask", "body", "kept"),
    [
        (["email"], {"email": "a", "data": [{"email": {"to": "b"}, "n": 1}]}, {"email": "***", "data": [{"email": "***", "n": 1}]}),
        (["data.email"], {"email": "a", "data": {"email": "b", "x": {"email": "c"}}}, {"email": "a", "data": {"email": "***", "x": {"email": "c"}}}),
        (["data.email"], [{"data": {"email": "b"}}], [{"data": {"email": "***"}}]),
        (["mail"], {"email": "a", "mail2": "b"}, {"email": "a", "mail2": "b"}),
        (["phone"], {"phone": None, "Phone": 1}, {"phone": "***", "Phone": 1}),
    ],
)  # fmt: skip
def test_a_rule_is_a_key_or_the_end_of_a_path(message: Make, mask: list[str], body: Any, kept: Any) -> None:
    """As a person who reads the sender's JSON would write it; lists on the way do not count."""
    done, reason = masked(shop(*mask), message(body))
    assert (orjson.loads(done.body), reason) == (kept, None)
    assert masked(shop(*mask), done) == (done, None)


def test_a_masked_value_is_in_no_table(sink: Sink, tables: Store, message: Make, cloud_event: Make) -> None:
    """Stored events, one that was rejected in its batch, and a whole message that was wrong; and the room is given back."""
    right = cloud_event(1, {"customer_email": EMAIL, "colour": "red"})
    wrong = cloud_event(2, {"customer_email": EMAIL, "object_type": "truck"})
    source = shop("data.customer_email")
    receipt = sink.deliver_now(source, message([right, wrong]))
    assert (receipt.n_rows, receipt.n_rejects) == (1, 1)
    sink.deliver_now(source, message({"specversion": "1.0", "data": {"customer_email": EMAIL}}))
    stored = repr([tables.query(f"SELECT * FROM {name}") for name in ("events", "messages", "findings", "rejects")])
    assert EMAIL not in stored
    assert tables.query("SELECT attributes FROM events") == [{"attributes": {"customer_email": "***", "colour": "red"}}]
    assert sink.depth == {"messages": 0, "bytes": 0}


def test_in_binary_mode_the_body_is_the_data(message: Make) -> None:
    """The rule is written for the event, however it travels."""
    done, _ = masked(shop("data.email"), message({"email": EMAIL, "n": 1}, "application/json", {"ce-specversion": "1.0"}))
    assert orjson.loads(done.body) == {"email": "***", "n": 1}


@pytest.mark.parametrize(
    "body",
    [
        f"email\n{EMAIL}\n".encode(),
        f'{{"email": "{EMAIL}"'.encode(),
        orjson.dumps({"data_base64": "YW5uQGV4YW1wbGUuY29t"}),
        orjson.dumps([{"datacontentencoding": "base64", "data": "YW5uQGV4YW1wbGUuY29t"}]),
        b'{"a":' * 600 + b"1" + b"}" * 600,
        b"",
    ],
    ids=["csv", "cut off", "base64", "base64 of 0.3", "too deep", "empty"],
)
def test_a_body_in_which_nothing_can_be_found_is_not_kept(sink: Sink, tables: Store, body: bytes, message: Make) -> None:
    """A rule that holds only for well-formed messages would leak by the others, which are the ones that are kept whole."""
    receipt = sink.deliver_now(shop("email"), message(body))
    assert receipt.rejected is not None
    assert "sources.shop.mask" in receipt.rejected
    (row,) = tables.query("SELECT body FROM rejects FINAL")
    assert row["body"].startswith("withheld, sha256 ")
    assert sink.depth == {"messages": 0, "bytes": 0}


def test_lines_of_json_are_masked_each_and_a_reject_can_be_replayed(sink: Sink, tables: Store, message: Make) -> None:
    """What is kept of a masked message is one of the same format still."""
    mapping = {"object_id": "nr", "object_type": "= shipment", "occurred_at": "at"}
    wrong = Source("wms", "files", "records", mask=("who",), options={"mapping": mapping})
    right = Source("wms", "files", "records", mask=("who",), options={"mapping": mapping | {"object_id": "no"}})
    lines = "\n".join(f'{{"no": "S{n}", "at": "2026-11-23 08:00:00", "who": "{EMAIL}"}}' for n in range(2))
    assert sink.deliver_now(wrong, message(lines, "application/x-ndjson")).n_rows == 0
    assert EMAIL not in repr(tables.query("SELECT body FROM rejects"))
    assert replay(tables, sink, {"wms": right}).n_stored >= 1
    assert replay(tables, sink, {"wms": right}) == Replayed(0, 0, 0)
    assert tables.value("SELECT uniqExact(object_id) FROM events") == 2


def test_a_mask_for_a_format_that_is_no_json_stops_the_start(tmp_path: Path) -> None:
    """A rule that is silently not applied is worse than none."""
    file = tmp_path / "milepost.toml"
    file.write_text("[sources.a]\nkind = 'files'\nformat = 'x12_214'\nmask = ['N102']\n", "utf-8")
    with pytest.raises(BadConfig, match=r"sources\.a\.mask: values are found by their keys in JSON, which format 'x12_214' is not"):
        config.load(file, {})
    file.write_text("[sources.a]\nkind = 'files'\nformat = 'cloudevents'\nmask = ['a..b']\n", "utf-8")
    with pytest.raises(BadConfig, match=r"sources\.a\.mask\.0"):
        config.load(file, {})
    file.write_text("[sources.a]\nkind = 'files'\nformat = 'cloudevents'\nmask = ['a.b']\n", "utf-8")
    assert config.load(file, {}).sources[0].mask == ("a.b",)
