"""
Where an X12 segment begins and ends: the delimiters as the ISA names them, and the cuts of the text after it.

Why the ISA is read by counting its sixteen separators and not by position: the field sends it unpadded, wrapped at 80
columns, without ISA16. What stands between the sixteenth separator and the next known segment is ISA16 and the
terminator; one sign and a line break can mean either, and the line after it tells which.

Why one pass with `find`: a file of 20 MB is one string, and each character is looked at a fixed number of times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from collectors.formats.edi_text import excerpt
from schema.errors import BadPayload

BLANK = " \t\r\n"
ISA_LIMIT = 600
ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1)
ISA_START = re.compile(r"(?<![A-Za-z0-9])ISA[^A-Za-z0-9 \r\n]")
RAN_ON = re.compile(r"[^A-Za-z0-9 ]\s*(?:GS|ST|TA1|ISB|IEA)$")
TAG = re.compile(r"[A-Z][A-Z0-9]{1,2}$")
LINE_BREAKS = re.compile(r"[\r\n]+")
COUNTED = {"BIN": 1, "BDS": 2}  # segments whose last element is as long as the element of this number says
MAX_MISCOUNTED = 16
JOINED = ("wrapped_lines", "lines without a segment tag were joined to the one before")
UNTERMINATED = ("missing_terminator", "a new line was taken for the terminator that is missing before it")
WRAPPED = ("wrapped_lines", "line breaks inside segments were taken out")

# A segment as it stands in the text: its elements, where it starts and ends, and what was odd about how it was written.
Cut = tuple[list[str], int, int, tuple[str, str] | None]


class Delimiters(NamedTuple):
    """
    What the ISA says: `component` is empty if it names none, `extra` is a sign that stands before each newline terminator,
    and `is_lined` tells that the ISA has a line of its own, so that other segments may be expected to have one.
    """

    element: str
    component: str
    segment: str
    extra: str = ""
    is_lined: bool = False


# --- the envelope --------------------------------------------------------------------------------------------------------
def envelope(text: str, start: int) -> tuple[list[str], Delimiters, int, list[tuple[str, str]]]:
    """The ISA at `start`: its tag and sixteen elements, the delimiters, where the next segment begins, and what was odd."""
    separator = text[start + 3]
    raw, pos = _isa_elements(text, start, separator)
    following = re.compile(rf"(.{{1,60}}?)(?=(?:GS|TA1|ISB|ISE|IEA|ST|ISA){re.escape(separator)}|\Z)", re.DOTALL)
    between = following.match(text, pos)
    if not between:
        raise BadPayload(f"after ISA15 {excerpt(text[pos:])} was got; ISA16, a segment terminator and GS or TA1 are expected")
    delimiters = _delimiters(separator, between[1], text[between.end() : between.end() + 300])
    values = [LINE_BREAKS.sub("", value) for value in raw]
    odd = []
    if values != raw:
        odd.append(("wrapped_lines", "line breaks inside the ISA were taken out"))
    if tuple(map(len, values)) != ISA_WIDTHS:
        odd.append(("unpadded_isa", "the elements of the ISA do not have their fixed widths"))
    return ["ISA", *values, delimiters.component], delimiters, between.end(), odd


def _isa_elements(text: str, start: int, separator: str) -> tuple[list[str], int]:
    """ISA01 to ISA15 as they stand, and where ISA16 begins."""
    parts = text[start : start + ISA_LIMIT].split(separator, 16)
    values = parts[1:16]
    n = next((i for i, value in enumerate(values, 1) if RAN_ON.search(value)), 0)
    if n or len(parts) < 17:
        raise BadPayload(f"the ISA has {n or len(parts) - 1} elements, 16 are expected: {excerpt(text[start:], 120)}")
    return values, start + sum(map(len, parts[:16])) + 16


def _delimiters(separator: str, between: str, after: str) -> Delimiters:
    signs = between.translate({ord(blank): None for blank in BLANK})
    line = LINE_BREAKS.split(after, 1)[0].rstrip()
    newline = "\n" if "\n" in between else "\r" if "\r" in between else ""
    if newline and (not signs or (len(signs) == 1 and not line.endswith(signs))):
        extra = line[-1] if line and not line[-1].isalnum() and line[-1] not in (separator, signs) else ""
        return Delimiters(separator, signs, newline, extra, is_lined=True)
    component, terminator = (signs[0], signs[1]) if len(signs) > 1 else ("", signs)
    if not terminator or terminator.isalnum() or terminator == separator:
        raise BadPayload(f"no segment terminator: the ISA ends with {between!r}; ISA16 and a terminator are expected")
    return Delimiters(separator, "" if component == separator else component, terminator, is_lined=bool(newline))


# --- the segments --------------------------------------------------------------------------------------------------------
def cuts(text: str, pos: int, d: Delimiters) -> Iterator[Cut]:
    """The segments from here to the next ISA or the end of the text, which is that of an IEA only for the caller."""
    return _joined(_raw_cuts(text, pos, d)) if d.segment in BLANK else _raw_cuts(text, pos, d)


def _raw_cuts(text: str, pos: int, d: Delimiters) -> Iterator[Cut]:
    size, n_miscounted = len(text), 0
    separator, terminator, edges = d.element, d.segment, BLANK + d.extra
    while pos < size:
        end = text.find(terminator, pos)
        end = size if end < 0 else end
        raw = text[pos:end].strip(edges)
        start, pos = pos, end + 1
        if raw[:3] in COUNTED and n_miscounted < MAX_MISCOUNTED:
            if counted := _counted(text, text.index(raw[:3], start), d):
                pos = counted[2]
                yield counted
                continue
            n_miscounted += 1
        if raw[:3] == "ISA" and ISA_START.match(raw):  # the next interchange: its delimiters may be others
            yield ["ISA"], start, pos, None
        elif "\n" in raw or "\r" in raw:
            yield from _mended(raw, start, pos, d)
        elif raw:
            yield raw.split(separator), start, pos, None


def _mended(raw: str, start: int, end: int, d: Delimiters) -> Iterator[Cut]:
    """A text with line breaks inside: two segments without a terminator between them, or one that is wrapped."""
    for text in _unterminated(raw, d.element) if d.is_lined else [raw]:
        odd = WRAPPED if "\n" in text or "\r" in text else UNTERMINATED
        yield LINE_BREAKS.sub("", text).split(d.element), start, end, odd


def _unterminated(raw: str, separator: str) -> list[str]:
    return re.split(rf"[\r\n]+[ \t]*(?=[A-Z][A-Z0-9]{{1,2}}{re.escape(separator)})", raw)


def _joined(found: Iterator[Cut]) -> Iterator[Cut]:
    """With newline as terminator a line without a tag goes on the one before it."""
    held: list[Cut] = []
    for cut in found:
        if held and (cut[0][0] == "ISA" or TAG.match(cut[0][0])):
            yield _join(held)
            held = []
        held.append(cut)
        if cut[0][0] == "IEA":  # what follows is no part of this interchange
            yield _join(held)
            held = []
    if held:
        yield _join(held)


def _join(held: list[Cut]) -> Cut:
    """The elements of several lines; the first of a line goes on the last of the line before."""
    if len(held) == 1:
        return held[0]
    elements = list(held[0][0])
    for more, *_ in held[1:]:
        elements[-1] += more[0]
        elements += more[1:]
    return elements, held[0][1], held[-1][2], JOINED


def _counted(text: str, pos: int, d: Delimiters) -> Cut | None:
    """A segment with binary data of a stated number of bytes; None if the data does not end where it should."""
    n_before = COUNTED[text[pos : pos + 3]] + 1
    head = text[pos : pos + 64].split(d.element, n_before)
    if len(head) <= n_before or head[0] not in COUNTED or not re.fullmatch(r"\d{1,9}", head[n_before - 1], re.ASCII):
        return None
    length = int(head[n_before - 1])
    begin = pos + sum(map(len, head[:n_before])) + n_before
    data = text[begin : begin + length].encode("utf-8", "surrogatepass")[:length].decode("utf-8", "ignore")
    end = text.find(d.segment, begin + len(data), begin + len(data) + 3)
    if end < 0 or text[begin + len(data) : end].strip(BLANK):
        return None
    return [*head[:n_before], data], pos, end + 1, None
