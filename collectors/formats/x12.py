"""
The X12 tokenizer: bytes -> interchanges -> groups -> transaction sets -> segments, and findings about what was odd.

Why our own: what the field sends is not what the standard pads (see x12_cuts). Wrong counts, missing trailers, sets
outside of a group and wrapped lines are findings, for the statuses between them are as true as ever; only an ISA that
cannot be read is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from collectors.formats.edi_text import excerpt, unicode_text
from collectors.formats.x12_cuts import BLANK, ISA_START, Cut, Delimiters, cuts, envelope
from collectors.message import Finding
from schema.errors import BadPayload


class Segment(NamedTuple):
    """A segment; `position` counts from 1 in its interchange (ISA is 1); `elements[0]` is its tag."""

    position: int
    elements: list[str]

    @property
    def tag(self) -> str:
        return self.elements[0]

    def value(self, n: int) -> str:
        """Element n without its padding; empty if it is absent."""
        return self.elements[n].strip() if n < len(self.elements) else ""


@dataclass(slots=True)
class TransactionSet:
    """ST to SE, both included; `code` is ST01 (214), `control` is ST02."""

    code: str
    control: str
    segments: list[Segment]


@dataclass(slots=True)
class Group:
    """A functional group; `header` is the GS, None if the sets stand in the interchange without one."""

    header: Segment | None
    sets: list[TransactionSet] = field(default_factory=list)
    trailer: Segment | None = None

    def value(self, n: int) -> str:
        """Element n of the GS; empty without one."""
        return self.header.value(n) if self.header else ""


@dataclass(slots=True)
class Interchange:
    """ISA to IEA; `services` are the segments outside of any set (TA1, ISB …)."""

    isa: Segment
    delimiters: Delimiters
    groups: list[Group] = field(default_factory=list)
    services: list[Segment] = field(default_factory=list)

    @property
    def control(self) -> str:
        return self.isa.value(13)


@dataclass(slots=True)
class Document:
    """All interchanges of some bytes, and what was odd about them."""

    interchanges: list[Interchange] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def tokenise(body: bytes) -> Document:
    """
    Every interchange of a file or message.

    Raises: BadPayload, if there is no ISA, or one whose elements or delimiters cannot be told.
    """
    document = Document()
    text = unicode_text(body, "cp1252")
    start = ISA_START.search(text)
    if not start:
        raise BadPayload(f"no ISA segment in {len(body)} bytes that begin with {excerpt(text)}; an X12 interchange is expected")
    _stray(text[: start.start()], document, "before the first ISA")
    while start:
        end = _interchange(text, start.start(), document)
        start = ISA_START.search(text, end)
        _stray(text[end : start.start() if start else len(text)], document, "after an IEA")
    return document


def alone(interchange: Interchange, group: Group, one: TransactionSet) -> bytes:
    """One transaction set as an interchange of its own, with the envelope that it came in."""
    d = interchange.delimiters
    isa, controls = interchange.isa.elements, (group.value(6), interchange.control)
    segments = [isa, *(s.elements for s in one.segments)]
    if group.header:
        segments[1:1] = [group.header.elements]
        segments.append(["GE", "1", controls[0]])
    segments.append(["IEA", "1", controls[1]])
    end = d.segment if d.segment in BLANK else d.segment + "\n"
    return "".join(d.element.join(elements) + end for elements in segments).encode()


def _stray(text: str, document: Document, where: str) -> None:
    if left := text.strip(BLANK + "\x00\x1a\ufeff"):
        document.findings.append(Finding("stray_text", f"{len(left)} characters left aside: {excerpt(left)}", where))


def _interchange(text: str, start: int, document: Document) -> int:
    """Read one interchange; the result is where it ends."""
    elements, delimiters, pos, odd = envelope(text, start)
    interchange = Interchange(Segment(1, elements), delimiters)
    builder = _Builder(interchange, document.findings)
    for finding in odd:
        builder.note(*finding)
    pos = builder.fill(cuts(text, pos, delimiters), pos)
    builder.close()
    document.interchanges.append(interchange)
    return pos


# --- the structure -------------------------------------------------------------------------------------------------------
class _Builder:
    """Puts the segments of one interchange into groups and sets, and notes what does not fit together."""

    def __init__(self, interchange: Interchange, findings: list[Finding]) -> None:
        self.interchange = interchange
        self.is_closed = False
        self._findings = findings
        self._noted: set[str] = set()
        self._group: Group | None = None
        self._set: TransactionSet | None = None
        self._controls: set[str] = set()
        self._position = 1
        self._steps = {"GS": self._gs, "ST": self._st, "SE": self._se, "GE": self._ge, "IEA": self._iea}

    def note(self, code: str, text: str, where: str = "") -> None:
        place = f"interchange {self.interchange.control}" + (f", {where}" if where else "")
        self._findings.append(Finding(code, text, place))

    def fill(self, found: Iterable[Cut], pos: int) -> int:
        """Put segments in their places up to the IEA, the next ISA or the end; the result is where that is."""
        for elements, start, end, odd in found:
            if elements[0] == "ISA":
                return start
            pos = end
            self._position += 1
            if odd:
                self._odd(*odd)
            segment = Segment(self._position, elements)
            if step := self._steps.get(elements[0]):
                step(segment)
                if self.is_closed:
                    break
            elif self._set:
                self._set.segments.append(segment)
            else:
                self.interchange.services.append(segment)
        return pos

    def _odd(self, code: str, text: str) -> None:
        """Said once an interchange: a file that is wrapped is so from end to end."""
        if code not in self._noted:
            self._noted.add(code)
            self.note(code, text, f"segment {self._position}")

    def _gs(self, segment: Segment) -> None:
        self._end_group()
        self._group = Group(segment)
        self._controls = set()
        self.interchange.groups.append(self._group)

    def _st(self, segment: Segment) -> None:
        self._end_set()
        if not self._group:
            self._group = Group(None)
            self.interchange.groups.append(self._group)
            self.note("missing_group", "a transaction set stands outside of any group", f"segment {segment.position}")
        self._set = TransactionSet(segment.value(1), segment.value(2), [segment])
        self._group.sets.append(self._set)
        if self._set.control in self._controls:
            where = f"segment {segment.position}"
            self.note("duplicate_control", f"ST02 {self._set.control} was used before in its group", where)
        self._controls.add(self._set.control)

    def _se(self, segment: Segment) -> None:
        if not self._set:
            self.note("stray_trailer", "SE without ST", f"segment {segment.position}")
            return
        self._set.segments.append(segment)
        where = f"set {self._set.control}"
        self._count("SE01", segment.value(1), len(self._set.segments), "segments", where)
        self._same("SE02", segment.value(2), self._set.control, where)
        self._set = None

    def _ge(self, segment: Segment) -> None:
        self._end_set()
        if not self._group:
            self.note("stray_trailer", "GE without GS", f"segment {segment.position}")
            return
        self._group.trailer = segment
        where = f"group {self._group.value(6)}"
        self._count("GE01", segment.value(1), len(self._group.sets), "sets", where)
        self._same("GE02", segment.value(2), self._group.value(6), where)
        self._group = None

    def _iea(self, segment: Segment) -> None:
        self._end_group()
        n = sum(1 for group in self.interchange.groups if group.header)
        self._count("IEA01", segment.value(1), n, "groups", "")
        self._same("IEA02", segment.value(2), self.interchange.control, "")
        self.is_closed = True

    def _end_set(self) -> None:
        if self._set:
            self.note("missing_trailer", "no SE", f"set {self._set.control}")
        self._set = None

    def _end_group(self) -> None:
        self._end_set()
        if self._group and self._group.header:
            self.note("missing_trailer", "no GE", f"group {self._group.value(6)}")
        self._group = None

    def close(self) -> None:
        """The text or the interchange is over."""
        if not self.is_closed:
            self._end_group()
            self.note("missing_trailer", "no IEA")

    def _count(self, name: str, said: str, n: int, what: str, where: str) -> None:
        if said.lstrip("0") != (str(n) if n else ""):
            self.note("count_mismatch", f"{name} says {said or 'nothing'}, there are {n} {what}", where)

    def _same(self, name: str, said: str, control: str, where: str) -> None:
        if said.lstrip("0") != control.lstrip("0"):
            self.note("control_mismatch", f"{name} is {said!r}, the header says {control!r}", where)
