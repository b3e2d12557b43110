"""
Values that must not be stored, replaced by *** before anything of a message is: its events, its attributes, its reject.

    [sources.shop]
    mask = ["customer_email", "data.contact.phone"]     # a key wherever it stands, or the end of a path to it

Why in the JSON of the body and not in the events: a rejected message is kept with its bytes, and those hold what no event would
have held. Why *** and no hash: a hash of an address or a phone number is undone by trying them all. Masking what is masked
changes nothing, so that a reject can be replayed.

What it does not cover: text (an address inside a comment), headers, and formats that are not JSON. A body of a source with a
mask that cannot be read as JSON, or hides its data in base64, is rejected, and of its bytes only the digest is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from collectors.message import Message, Source

STARS = "***"
Path = tuple[str, ...]


def masked(source: Source, message: Message) -> tuple[Message, str | None]:
    """The message as it may be stored; and why it is rejected, if it cannot be masked."""
    if not source.mask:
        return message, None
    rules = [tuple(rule.split(".")) for rule in source.mask]
    root: Path = ("data",) if any(f"{prefix}specversion" in message.headers for prefix in ("ce-", "ce_")) else ()
    try:
        documents = _documents(message.body)
        if any(_is_wrapped(document) for document in documents):
            return _withheld(message), f"data in base64 cannot be masked, and sources.{source.name}.mask asks for it"
        for document in documents:
            _mask(document, root, rules)
        return replace(message, body=b"\n".join(orjson.dumps(document) for document in documents)), None
    except (orjson.JSONDecodeError, orjson.JSONEncodeError) as err:
        return _withheld(message), f"what sources.{source.name}.mask names cannot be found in a body that is no JSON: {err}"


def _documents(body: bytes) -> list[Any]:
    """One document, or one a line."""
    try:
        return [orjson.loads(body)]
    except orjson.JSONDecodeError:
        return [orjson.loads(line) for line in body.splitlines() if line.strip()] or [orjson.loads(body)]


def _is_wrapped(document: Any) -> bool:
    """Whether it is a CloudEvent, or a batch with one, whose data is base64 (1.0 and 0.3)."""
    envelopes = document if isinstance(document, list) else [document]
    return any(isinstance(one, dict) and ("data_base64" in one or "datacontentencoding" in one) for one in envelopes)


def _mask(document: Any, root: Path, rules: Sequence[Path]) -> None:
    """In place, and without recursion: how deep a sender nests is its own business."""
    left: list[tuple[Any, Path]] = [(document, root)]
    while left:
        value, path = left.pop()
        if isinstance(value, list):
            left += [(one, path) for one in value]
        elif isinstance(value, dict):
            for key, one in value.items():
                if _is_named((*path, key), rules):
                    value[key] = STARS
                else:
                    left.append((one, (*path, key)))


def _is_named(path: Path, rules: Sequence[Path]) -> bool:
    return any(path[-len(rule) :] == rule for rule in rules)


def _withheld(message: Message) -> Message:
    return replace(message, body=b"withheld, sha256 " + hashlib.sha256(message.body).hexdigest().encode())
