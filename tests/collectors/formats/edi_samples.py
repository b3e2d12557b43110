"""
The EDI samples of `tests/samples/<format>`: a payload (`NAME.edi`) and its golden rows (`NAME.json`).

Golden: `source` (what the source of the sample is configured with) and either `events`, `findings` and `rejects`, or
`rejected`, the whole reason. Fields that have their default are left out of an event.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import strategies as st

from collectors.message import Context, Decoded, Message, Source
from schema.errors import BadPayload
from schema.governance import Catalogue

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
RECEIVED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def names(format: str) -> list[str]:
    """The samples of a format; none is an error, or a moved folder would pass every test."""
    found = sorted(path.stem for path in (SAMPLES / format).glob("*.edi"))
    assert found, f"no samples of {format}"
    return found


def decoded(module: ModuleType, body: bytes, catalogue: Catalogue, **source: Any) -> Decoded:
    """What a format makes of a body."""
    name = module.__name__.rpartition(".")[2]
    result = module.decode(Message(body, RECEIVED), Context(Source("acme", "files", name, **source), catalogue))
    assert isinstance(result, Decoded)
    return result


def with_codes(catalogue: Catalogue, list_: str, element: str, partner: str, **states: str) -> Catalogue:
    """The catalogue with a code map more."""
    own = {"list": list_, "element": element, "partner": partner, "codes": {code: {"state": s} for code, s in states.items()}}
    said = catalogue.model_dump(by_alias=True)
    return Catalogue.model_validate({**said, "code_maps": [*said["code_maps"], own]})


def outcome(module: ModuleType, body: bytes, catalogue: Catalogue, **source: Any) -> dict[str, Any]:
    """The same, as a golden file holds it."""
    try:
        result = decoded(module, body, catalogue, **source)
    except BadPayload as err:
        return {"rejected": str(err)}
    return {
        "events": [event.model_dump(mode="json", exclude_defaults=True) for event in result.events],
        "findings": [[f.code, f.text, f.where] for f in result.findings],
        "rejects": [[r.reason, r.body.decode()] for r in result.rejects],
    }


def golden(format: str, name: str) -> tuple[bytes, dict[str, Any], dict[str, Any]]:
    """The payload of a sample, its source, and what must come out."""
    folder = SAMPLES / format
    expected = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return (folder / f"{name}.edi").read_bytes(), expected.pop("source"), expected


def field_file(field_data: Path, name: str) -> bytes:
    """A file of the field's samples."""
    path = field_data / name
    if not path.is_file():
        pytest.skip(f"{name} is not among the samples of the field")
    return path.read_bytes()


def mutilated(originals: list[bytes]) -> st.SearchStrategy[bytes]:
    """A real payload with pieces cut out, doubled, overwritten or put in, as a broken line or a broken program does."""
    piece = st.tuples(st.integers(0, 2000), st.integers(0, 40), st.binary(max_size=6))
    return st.builds(_mutilate, st.sampled_from(originals), st.lists(piece, max_size=6))


def _mutilate(body: bytes, pieces: list[tuple[int, int, bytes]]) -> bytes:
    for at, n, new in pieces:
        start = at % (len(body) + 1)
        body = body[:start] + new + body[start + n :]
    return body
