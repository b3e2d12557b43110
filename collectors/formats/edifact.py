"""
The EDIFACT tokenizer: bytes -> interchanges -> groups -> messages -> segments, and findings about what was odd.

Why our own: the delimiters come from the UNA, which the field changes at will, messages arrive without UNB, groups with
UNG, lines are wrapped at 80 columns, and one released quote must not end a segment. Wrong counts and missing trailers are
findings; only bytes without any UNB or UNH are refused.

Why elements stay as they were written, and components are cut when asked for: most of a message is never looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from collectors.formats.edi_text import excerpt, unicode_text
from collectors.formats.edifact_cuts import BLANK, DEFAULT, START, Delimiters, Segment, delimiters, segments
from collectors.message import Finding
from schema.errors import BadPayload

# Charsets of UNB 0001; UTF-8 is tried before them, whatever is declared.
CHARSETS = {
    "UNOA": "ascii", "UNOB": "ascii", "UNOC": "iso8859-1", "UNOD": "iso8859-2", "UNOE": "iso8859-5", "UNOF": "iso8859-7",
    "UNOG": "iso8859-3", "UNOH": "iso8859-4", "UNOI": "iso8859-6", "UNOJ": "iso8859-8", "UNOK": "iso8859-9",
}  # fmt: skip
UNICODE = frozenset({"UNOW", "UNOX", "UNOY"})
SYNTAX = re.compile(rb"UNB.(UNO[A-Z]|IAT[A-Z]|KEC[A-Z])", re.DOTALL)


@dataclass(slots=True)
class EdifactMessage:
    """UNH to UNT, both included; `type` is IFTSTA, `version` D.00B, `reference` UNH 0062."""

    segments: list[Segment]

    @property
    def type(self) -> str:
        return self.segments[0].value(2, 0)

    @property
    def version(self) -> str:
        return ".".join(filter(None, (self.segments[0].value(2, 1), self.segments[0].value(2, 2))))

    @property
    def reference(self) -> str:
        return self.segments[0].value(1)


@dataclass(slots=True)
class Group:
    """A functional group; `header` is the UNG, None for the messages that stand in the interchange without one."""

    header: Segment | None
    messages: list[EdifactMessage] = field(default_factory=list)

    @property
    def reference(self) -> str:
        return self.header.value(5) if self.header else ""


@dataclass(slots=True)
class Interchange:
    """UNB to UNZ; `header` is None for messages that came without one. `services` are segments outside of any message."""

    header: Segment | None
    delimiters: Delimiters
    groups: list[Group] = field(default_factory=list)
    services: list[Segment] = field(default_factory=list)

    def value(self, n: int, component: int = 0) -> str:
        """A component of the UNB; empty without one."""
        return self.header.value(n, component) if self.header else ""

    @property
    def control(self) -> str:
        return self.value(5)


@dataclass(slots=True)
class Document:
    """All interchanges of some bytes, and what was odd about them."""

    interchanges: list[Interchange] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def tokenise(body: bytes) -> Document:
    """
    Every interchange of a file or message.

    Raises: BadPayload, if there is neither UNB nor UNH, or the delimiters that UNA names cannot be.
    """
    document = Document()
    text = _text(body, document.findings)
    start = START.search(text)
    if not start:
        raise BadPayload(f"no UNB or UNH in {len(body)} bytes that begin with {excerpt(text)}; EDIFACT is expected")
    if stray := text[: start.start()].strip(BLANK):
        document.findings.append(Finding("stray_text", f"{len(stray)} characters left aside: {excerpt(stray)}", "at the start"))
    reader, pos = _Reader(document), start.start()
    while pos < len(text):
        found, pos = delimiters(text, pos)
        pos = reader.fill(segments(text, pos, found), found, len(text))
    reader.close()
    return document


def alone(interchange: Interchange, group: Group, message: EdifactMessage) -> bytes:
    """One message as an interchange of its own, with the envelope that it came in."""
    d = interchange.delimiters
    found = [message.segments]
    if group.header:
        found = [[group.header], *found, [_made("UNE", "1", group.reference, d)]]
    if interchange.header:
        found = [[interchange.header], *found, [_made("UNZ", "1", interchange.control, d)]]
    una = f"UNA{d.component}{d.element}{d.decimal}{d.release or ' '}{d.repetition}{d.segment}\n" if d != DEFAULT else ""
    return (una + "".join(d.element.join(s.elements) + d.segment + "\n" for part in found for s in part)).encode()


def _made(tag: str, count: str, reference: str, d: Delimiters) -> Segment:
    escaped = "".join(d.release + c if c in (d.element, d.component, d.segment, d.release) else c for c in reference)
    return Segment(0, [tag, count, escaped], d)


def _text(body: bytes, findings: list[Finding]) -> str:
    declared = SYNTAX.search(body[:400])
    name = declared[1].decode() if declared else ""
    text = unicode_text(body, CHARSETS.get(name, "iso8859-1"))
    if name and name not in UNICODE and not text.isascii() and not body.startswith(b"\xff\xfe"):
        odd = name in ("UNOA", "UNOB") or text != body.decode(CHARSETS.get(name, "iso8859-1"), "replace")
        if odd:
            findings.append(Finding("charset_mismatch", f"{name} is declared, the bytes are of another charset", "UNB"))
    return text.rstrip(BLANK + "\x00\x1a")


class _Reader:
    """Puts segments into interchanges, groups and messages, and notes what does not fit together."""

    def __init__(self, document: Document) -> None:
        self._findings = document.findings
        self._interchanges = document.interchanges
        self._interchange: Interchange | None = None
        self._group: Group | None = None
        self._message: EdifactMessage | None = None
        self._references: set[str] = set()
        self._is_noted = False
        self._delimiters = DEFAULT
        self._steps = {
            "UNB": self._unb, "UNG": self._ung, "UNH": self._unh, "UNT": self._unt, "UNE": self._une, "UNZ": self._unz,
        }  # fmt: skip

    def fill(self, found: Iterable[tuple[Segment, int, bool]], d: Delimiters, size: int) -> int:
        """Take segments to the end of the text, or to the next UNA; the result is where that is."""
        self._delimiters = d
        for segment, start, is_wrapped in found:
            tag = segment.elements[0]
            if tag == "UNA":
                self.close()
                return start
            if is_wrapped and not self._is_noted:
                self._is_noted = True
                self._note("wrapped_lines", "line breaks inside segments were taken out", f"segment {segment.position}")
            if step := self._steps.get(tag):
                step(segment)
            elif self._message:
                self._message.segments.append(segment)
            else:
                self._at().services.append(segment)
        return size

    def close(self) -> None:
        """The text is over."""
        self._end_group()
        if self._interchange and self._interchange.header:
            self._note("missing_trailer", "no UNZ")
        self._interchange = None

    def _note(self, code: str, text: str, where: str = "") -> None:
        control = self._interchange.control if self._interchange else ""
        place = f"interchange {control}" if control else ""
        self._findings.append(Finding(code, text, ", ".join(filter(None, (place, where)))))

    def _at(self) -> Interchange:
        """The interchange that is open; one without UNB if none is."""
        return self._interchange or self._open(None)

    def _open(self, header: Segment | None) -> Interchange:
        self._interchange = Interchange(header, self._delimiters)
        self._interchanges.append(self._interchange)
        return self._interchange

    def _unb(self, segment: Segment) -> None:
        self.close()
        self._open(segment)

    def _ung(self, segment: Segment) -> None:
        self._end_group()
        self._group = Group(segment)
        self._at().groups.append(self._group)

    def _unh(self, segment: Segment) -> None:
        self._end_message()
        if not self._group:
            self._group = Group(None)
            self._at().groups.append(self._group)
            self._references = set()
        self._message = EdifactMessage([segment])
        self._group.messages.append(self._message)
        if self._message.reference in self._references:
            self._note("duplicate_control", f"UNH {self._message.reference!r} was used before", f"segment {segment.position}")
        self._references.add(self._message.reference)

    def _unt(self, segment: Segment) -> None:
        if not self._message:
            self._note("stray_trailer", "UNT without UNH", f"segment {segment.position}")
            return
        self._message.segments.append(segment)
        where = f"message {self._message.reference}"
        self._count("UNT", segment.value(1), len(self._message.segments), "segments", where)
        self._same("UNT", segment.value(2), self._message.reference, where)
        self._message = None

    def _une(self, segment: Segment) -> None:
        self._end_message()
        if not self._group or not self._group.header:
            self._note("stray_trailer", "UNE without UNG", f"segment {segment.position}")
            return
        where = f"group {self._group.reference}"
        self._count("UNE", segment.value(1), len(self._group.messages), "messages", where)
        self._same("UNE", segment.value(2), self._group.reference, where)
        self._group = None

    def _unz(self, segment: Segment) -> None:
        self._end_group()
        if not self._interchange or not self._interchange.header:
            self._note("stray_trailer", "UNZ without UNB", f"segment {segment.position}")
            return
        groups = self._interchange.groups
        n_groups = sum(1 for group in groups if group.header)
        n = n_groups or sum(len(group.messages) for group in groups)
        self._count("UNZ", segment.value(1), n, "groups" if n_groups else "messages", "")
        self._same("UNZ", segment.value(2), self._interchange.control, "")
        self._interchange = None

    def _end_message(self) -> None:
        if self._message:
            self._note("missing_trailer", "no UNT", f"message {self._message.reference}")
        self._message = None

    def _end_group(self) -> None:
        self._end_message()
        if self._group and self._group.header:
            self._note("missing_trailer", "no UNE", f"group {self._group.reference}")
        self._group = None

    def _count(self, name: str, said: str, n: int, what: str, where: str) -> None:
        if said.lstrip("0") != (str(n) if n else ""):
            self._note("count_mismatch", f"{name} says {said or 'nothing'}, there are {n} {what}", where)

    def _same(self, name: str, said: str, control: str, where: str) -> None:
        if said != control:
            self._note("control_mismatch", f"{name} ends with {said!r}, the header says {control!r}", where)
