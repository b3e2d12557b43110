"""
Where an EDIFACT segment, element and component begin and end, with released characters and wrapped lines.

Why the release sign is counted backwards from each separator and the text is not walked sign by sign: `find` and `split`
run at the speed of C, and only a separator behind an odd number of release signs needs a second look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from collectors.formats.edi_text import excerpt
from schema.errors import BadPayload

BLANK = " \t\r\n"
START = re.compile(r"(?<![A-Za-z0-9])(?:UNA(?=.{6}\s*UN[BGH])|UN[BH](?=[+\x1d]))", re.DOTALL)
LINE_BREAKS = re.compile(r"[\r\n]+")


class Delimiters(NamedTuple):
    """The service string advice; `release` is empty if there is none."""

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    repetition: str = " "
    segment: str = "'"


DEFAULT = Delimiters()
CONTROL = Delimiters("\x1f", "\x1d", ",", "", " ", "\x1c")  # level B, which has no UNA


class Segment(NamedTuple):
    """A segment; `position` counts from 1 after the UNA. `elements` are as they were written, the tag is the first."""

    position: int
    elements: list[str]
    delimiters: Delimiters

    @property
    def tag(self) -> str:
        return self.elements[0]

    def value(self, n: int, component: int = 0) -> str:
        """A component of element n (the tag is element 0) without release signs and padding; empty if absent."""
        if n >= len(self.elements):
            return ""
        d = self.delimiters
        parts = split(self.elements[n], d.component, d.release)
        return unescaped(parts[component], d.release).strip() if component < len(parts) else ""


def delimiters(text: str, pos: int) -> tuple[Delimiters, int]:
    """The delimiters from here on, and where the first segment begins."""
    if not text.startswith("UNA", pos):
        return (CONTROL if text[pos + 3 : pos + 4] == "\x1d" else DEFAULT), pos
    if len(named := text[pos + 3 : pos + 9]) < 6:
        raise BadPayload(f"UNA names {excerpt(named)} and ends; six signs are expected")
    component, element, decimal, release, repetition, segment = tuple(named)
    signs = [component, element, segment, *release.strip()]
    if len(set(signs)) < len(signs) or any(sign.isalnum() for sign in signs):
        got = excerpt(named)
        raise BadPayload(f"UNA names {got}; the component, element, release and segment signs must differ and be no letters")
    return Delimiters(component, element, decimal, release.strip(), repetition, segment), pos + 9


def segments(text: str, pos: int, d: Delimiters) -> Iterator[tuple[Segment, int, bool]]:
    """Each segment with where it starts and whether it was wrapped; before the next UNA it ends with a segment UNA."""
    n, size = 0, len(text)
    while pos < size:
        end = _end(text, pos, size, d)
        raw = text[pos:end].strip(BLANK)
        start, pos = pos, end + 1
        if not raw:
            continue
        n += 1
        if raw.startswith("UNA") and (una := START.search(text, start, end + 20)) and una[0] == "UNA":
            yield Segment(n, ["UNA"], d), una.start(), False
            return
        is_wrapped = "\n" in raw or "\r" in raw
        if is_wrapped:
            raw = LINE_BREAKS.sub("", raw)
        yield Segment(n, split(raw, d.element, d.release), d), start, is_wrapped


def _end(text: str, pos: int, size: int, d: Delimiters) -> int:
    """Where the segment from `pos` ends: the next terminator that is not released."""
    end = text.find(d.segment, pos)
    while end > pos and text[end - 1] == d.release and _is_released(text, pos, end, d.release):
        end = text.find(d.segment, end + 1)
    return size if end < 0 else end


def _is_released(text: str, pos: int, end: int, release: str) -> bool:
    first = end
    while first > pos and text[first - 1] == release:
        first -= 1
    return (end - first) % 2 == 1


def split(text: str, separator: str, release: str) -> list[str]:
    """The parts between separators that are not released; the release signs stay."""
    parts = text.split(separator)
    if not release or release not in text:
        return parts
    found, held = [], []
    for part in parts:
        held.append(part)
        if (len(part) - len(part.rstrip(release))) % 2 == 0:
            found.append(separator.join(held))
            held = []
    return [*found, separator.join(held)] if held else found


def unescaped(text: str, release: str) -> str:
    """The text without its release signs."""
    return _escape(release).sub(r"\1", text) if release and release in text else text


@cache
def _escape(release: str) -> re.Pattern[str]:
    return re.compile(re.escape(release) + "(.)", re.DOTALL)
