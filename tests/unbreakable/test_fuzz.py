"""No input crashes a decoder: ten thousand mutations of the samples of all formats together, and what hypothesis thinks of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.config import format_module
from collectors.message import Context, Decoded, Message, Source
from schema.errors import BadPayload
from schema.governance import Catalogue
from tests.unbreakable import fuzz

FORMATS = fuzz.names()
MUTATIONS = 10_000
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("format_", FORMATS)
def test_mutations_of_its_samples_crash_no_decoder(format_: str, catalogue: Catalogue) -> None:
    """
    What a decoder does not name as BadPayload is answered with 500, and the sender sends it again for ever: one bad byte of one
    partner holds up all that comes after it. Some of them must still decode, or nothing behind the first check was tried.
    """
    fuzzed = fuzz.Fuzz(format_, 7, catalogue)
    assert [f"#{crash.number}: {crash.error}" for crash in fuzzed.run(MUTATIONS // len(FORMATS))] == []
    assert fuzzed.n_decoded > 20


@pytest.mark.parametrize("format_", FORMATS)
@settings(max_examples=50)
@given(body=st.binary(max_size=200) | values.map(lambda said: json.dumps(said).encode()))
def test_any_bytes_and_any_json_crash_no_decoder(format_: str, catalogue: Catalogue, body: bytes) -> None:
    """A sender that mixes up two doors sends something that was never meant for this one."""
    options: Any = fuzz.OPTIONS.get(format_, ({},))[0]
    source = Source("any", "files", format_, options=options)
    for content_type in fuzz.TYPES.get(format_, ("",)):
        try:
            decoded = format_module(format_).decode(Message(body, fuzz.RECEIVED, content_type), Context(source, catalogue))
        except BadPayload:
            continue
        assert isinstance(decoded, Decoded)
