"""
EDIFACT IFTSTA, the multimodal status report: every STS is one statement about the consignment of its CNI.

Why the list of a code is kept: 4405 code 1 is "to be done", Rec. 24 code 1 is "arrival". C555 says whose code it is; a
code without an agency, or of UN/ECE, is Rec. 24, and any other agency's is kept under that agency's name, so that a map
for it can be written and none is guessed.

Why the nearest reference names the shipment: a message with several CNI repeats in its header what is common to all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from collectors.formats import edifact
from collectors.formats.edi_event import MAX_EACH, distinct, keys, meant, shipment, shipment_type
from collectors.formats.edi_time import BadDate, Reading, edifact_time
from collectors.formats.edifact import EdifactMessage, Group, Interchange
from collectors.formats.edifact_cuts import Segment
from collectors.message import Context, Decoded, Finding, Message, Reject, decoded
from schema import events
from schema.errors import BadPayload
from schema.events import Event, Related
from schema.rules import Code

CONTENT_TYPES = frozenset({"application/edifact", "application/octet-stream", "text/plain"})
TYPE = "IFTSTA"
UNECE = frozenset({"", "6"})  # 3055: none, UN/ECE
IDENTIFIERS = ("SRN", "BM", "MB", "HWB", "AWB", "BN", "CN", "FF", "CU", "AAZ")  # RFF that may name the consignment, best first
RELATED = {"ON": "order", "CO": "order", "VN": "order", "DQ": "shipment", "AAK": "shipment", "IV": "invoice"}
MOMENTS = ("334", "78", "7")  # DTM: status change, event, effective
ACTIVITY = ("175", "14")  # LOC: activity, location of goods
MODES = {"1": "ocean", "2": "rail", "3": "road", "4": "air", "5": "mail", "8": "inland_water"}
MAIN_CARRIAGE = "20"
CANCELLATION = "1"
KEPT = frozenset({"BGM", "DTM", "EQD", "LOC", "NAD", "RFF", "TDT"})


def decode(message: Message, context: Context) -> Decoded:
    """
    Turn the IFTSTA messages of one or more interchanges into shipment events.

    Shape:  one Batch for `events`, one row an STS, in file order; a message that cannot be stored is a Reject.
    Units:  `occurred_at` is UTC; DTM formats 301 to 304 carry a zone, in all others the source's zone counts.
    Raises: BadPayload, if there is neither UNB nor UNH, no IFTSTA at all, or none that can be stored.
    Source: UN/EDIFACT D.00B IFTSTA, segments BGM, DTM, NAD, RFF, CNI, STS, LOC, TDT, EQD; UN/CEFACT Rec. 24.
    """
    document = edifact.tokenise(message.body)
    found: list[Event] = []
    findings, rejects = document.findings, []
    _only_some_others(document, findings)
    for interchange in document.interchanges:
        for group, one in _messages(interchange):
            try:
                found += _Reader(context, interchange, group, one, findings).events() if one.type == TYPE else []
            except BadPayload as err:
                rejects.append(Reject(edifact.alone(interchange, group, one), str(err)))
    if rejects and not found:
        more = f" (and {len(rejects) - 1} more messages)" if len(rejects) > 1 else ""
        raise BadPayload(f"{rejects[0].reason}{more}")
    return decoded(message, context, found, findings, rejects)


def _messages(interchange: Interchange) -> Iterator[tuple[Group, EdifactMessage]]:
    return ((group, one) for group in interchange.groups for one in group.messages)


def _only_some_others(document: edifact.Document, findings: list[Finding]) -> None:
    """A finding for each other message type, unless there is nothing else."""
    n_by_type: dict[str, int] = {}
    for interchange in document.interchanges:
        for _, one in _messages(interchange):
            n_by_type[one.type] = n_by_type.get(one.type, 0) + 1
    if TYPE not in n_by_type:
        names = ", ".join(sorted(name or "a message without a type" for name in n_by_type)) or "no message"
        raise BadPayload(f"holds {names[:200]}; this source expects {TYPE}")
    for name, n in n_by_type.items():
        if name != TYPE:
            findings.append(Finding("other_set", f"{n} x {name[:20]!r} left aside; this source expects {TYPE}"))


@dataclass(slots=True)
class _Part:
    """
    What stands under the header, a CNI or an STS, up to the next of its kind, by tag.

    A DTM or LOC after the first TDT or EQD is left out: it belongs to that leg or to that equipment.
    """

    head: Segment
    by_tag: dict[str, list[Segment]] = field(default_factory=dict)
    is_full: bool = False

    def add(self, segment: Segment) -> None:
        tag = segment.tag
        if tag not in KEPT or (tag in ("DTM", "LOC") and ("TDT" in self.by_tag or "EQD" in self.by_tag)):
            return
        found = self.by_tag.setdefault(tag, [])
        if len(found) < MAX_EACH:
            found.append(segment)
        else:
            self.is_full = True

    def all(self, tag: str) -> list[Segment]:
        return self.by_tag.get(tag, [])

    def references(self) -> list[tuple[str, str]]:
        return [(s.value(1, 0), s.value(1, 1)) for s in self.all("RFF") if s.value(1, 1)]


@dataclass(slots=True)
class _Status:
    """One STS with its consignment; `ordinal` counts segments in the message, UNH being 1."""

    sts: _Part
    consignment: _Part
    ordinal: int


class _Reader:
    """Reads one IFTSTA."""

    def __init__(
        self, context: Context, interchange: Interchange, group: Group, one: EdifactMessage, findings: list[Finding]
    ) -> None:
        self._context = context
        self._source = context.source
        self._zone = ZoneInfo(context.source.zone)
        self._interchange, self._group, self._message = interchange, group, one
        self._findings = findings
        self._header = _Part(one.segments[0])
        self._statuses: list[_Status] = []

    def events(self) -> list[Event]:
        """One event an STS; a finding if there is none."""
        self._gather()
        if not self._statuses:
            self._note("no_status", "no STS: the message says nothing about its consignments", self._where())
            return []
        if self._function() == CANCELLATION:
            self._note("cancellation", "BGM 1225 is 1: its statuses are kept as retracted", self._where())
        recorded_at = self._recorded_at()
        return [self._event(status, recorded_at) for status in self._statuses]

    # --- what stands where -----------------------------------------------------------------------------------------------
    def _gather(self) -> None:
        consignment = part = self._header
        for ordinal, segment in enumerate(self._message.segments, 1):
            if segment.tag == "CNI":
                consignment = part = _Part(segment)
            elif segment.tag == "STS":
                part = _Part(segment)
                self._statuses.append(_Status(part, consignment, ordinal))
            else:
                part.add(segment)
        if any(part.is_full for status in self._statuses for part in self._parts(status)):
            self._note("too_many", f"of each segment, the first {MAX_EACH} of a part are kept", self._where())

    def _where(self, status: _Status | None = None) -> str:
        control = f"interchange {self._interchange.control}, " if self._interchange.header else ""
        place = f"{control}message {self._message.reference}"
        return f"{place}, segment {status.ordinal} (STS)" if status else place

    def _note(self, code: str, text: str, where: str) -> None:
        self._findings.append(Finding(code, text, where))

    def _bgm(self) -> Segment:
        return next(iter(self._header.all("BGM")), self._message.segments[0])

    def _function(self) -> str:
        return self._bgm().value(3) if self._bgm().tag == "BGM" else ""

    def _parts(self, status: _Status) -> list[_Part]:
        """From the nearest to the most common."""
        return [status.sts, *([status.consignment] if status.consignment is not self._header else []), self._header]

    # --- one event -------------------------------------------------------------------------------------------------------
    def _event(self, status: _Status, recorded_at: datetime | None) -> Event:
        where = self._where(status)
        carrier = self._carrier(status)
        consignment = self._consignment(status, where)
        references = [pair for part in self._parts(status) for pair in part.references()]
        said = self._said(status, self._source.partner or carrier, where)
        fields: dict[str, Any] = {
            **said,
            "event_id": self._event_id(status, consignment),
            "event_type": shipment_type(said["state"]),
            "occurred_at": self._occurred_at(status, recorded_at, where),
            "recorded_at": recorded_at,
            "object_id": consignment,
            "related": _related(references, consignment),
            "keys": keys((), (value for _, value in references), but=consignment),
            "system": self._source.system or carrier,
            "system_role": self._source.system_role or "carrier",
            "carrier": carrier,
            "mode": self._mode(status),
            "location": _location(_place(status.sts)),
            "is_retracted": self._function() == CANCELLATION,
            "attributes": self._attributes(status),
        }
        return shipment(fields, self._context, where, self._findings)

    def _said(self, status: _Status, partner: str, where: str) -> dict[str, Any]:
        """The code with its list and what it means; the exception is that of its first reason, else its own."""
        sts = status.sts.head
        agency = sts.value(2, 2)
        code = {
            "code_list": "UNECE" if agency in UNECE else agency,
            "code_element": "Rec24" if agency in UNECE else "4405",
            "code_version": self._message.version,
            "source_code": sts.value(2, 0),
        }
        meaning = meant(self._context, code, partner, where, self._findings)
        exception = self._reason(sts.value(3, 0), partner).exception or meaning.exception
        return {**code, "state": meaning.state, "classifier": meaning.classifier, "exception_code": exception}

    def _reason(self, reason: str, partner: str) -> Code:
        version = self._message.version
        return self._context.catalogue.meaning("UNECE", "9013", reason, partner=partner, version=version) or Code()

    # --- who, which and where --------------------------------------------------------------------------------------------
    def _consignment(self, status: _Status, where: str) -> str:
        """CNI 1004, else the best reference of the nearest part, else the equipment."""
        if number := status.consignment.head.value(2, 0) if status.consignment.head.tag == "CNI" else "":
            return number
        for names in (IDENTIFIERS, ("EQ",)):
            for part in self._parts(status):
                by_qualifier = dict(reversed(part.references()))
                if number := next((by_qualifier[name] for name in names if name in by_qualifier), ""):
                    return number
        raise BadPayload(f"{where}: CNI names no consignment and no RFF is one of {', '.join((*IDENTIFIERS, 'EQ'))}")

    def _carrier(self, status: _Status) -> str:
        parts = self._parts(status)
        named = (s.value(2, 0) for part in parts for s in part.all("NAD") if s.value(1) == "CA")
        moved = (s.value(5, 0) for part in parts for s in part.all("TDT"))
        return next(filter(None, named), "") or self._source.partner or next(filter(None, moved), "")

    def _mode(self, status: _Status) -> str:
        """That of the main carriage only: a feeder leg must not change the shipment's mode."""
        legs = (s for part in self._parts(status) for s in part.all("TDT") if s.value(1) == MAIN_CARRIAGE)
        return next((MODES[leg.value(3, 0)] for leg in legs if leg.value(3, 0) in MODES), "")

    def _event_id(self, status: _Status, consignment: str) -> str:
        unb = self._interchange
        control = (unb.value(2), unb.value(2, 1), unb.control, self._group.reference, self._message.reference)
        said = (self._bgm().value(2), str(status.ordinal), consignment, *status.sts.head.elements)
        return events.event_id(TYPE, *control, *said, *(s.value(1, 1) for s in status.sts.all("DTM")))

    def _attributes(self, status: _Status) -> dict[str, str]:
        sts, place = status.sts.head, _place(status.sts)
        legs = status.sts.all("TDT")[:1]
        return {
            "status_category": sts.value(1, 0),
            "status_agency": sts.value(2, 2),
            "status_text": sts.value(2, 3),
            "status_reason": sts.value(3, 0),
            "reason_text": sts.value(3, 3),
            "location_code": place.value(2, 0) if place else "",
            "equipment": ", ".join(distinct(s.value(2, 0) for part in self._parts(status) for s in part.all("EQD"))),
            "leg_mode": next((MODES.get(leg.value(3, 0), "") for leg in legs), ""),
            "document": self._bgm().value(2, 0) if self._bgm().tag == "BGM" else "",
            "interchange": self._interchange.control,
            "message": self._message.reference,
            "usage": "test" if self._interchange.value(11) == "1" else "",
        }

    # --- when ------------------------------------------------------------------------------------------------------------
    def _recorded_at(self) -> datetime | None:
        """The time of the UNB, else of the document (DTM 137); None if there is neither, or both cannot be."""
        found = [(self._interchange.value(4, 0) + self._interchange.value(4, 1).replace(":", ""), "")]
        found += [(s.value(1, 1), s.value(1, 2)) for s in self._header.all("DTM") if s.value(1, 0) == "137"]
        for value, format_ in found:
            if value and (reading := self._read(value, format_ or ("203" if value[:2] == "20" else "201"), self._where())):
                return reading.at
        return None

    def _read(self, value: str, format_: str, where: str) -> Reading | None:
        try:
            return edifact_time(value, format_, self._zone)
        except BadDate as err:
            self._note("bad_date", str(err), where)
            return None

    def _occurred_at(self, status: _Status, recorded_at: datetime | None, where: str) -> datetime:
        moment = _moment(status)
        if moment and (reading := self._read(moment.value(1, 1), moment.value(1, 2), where)):
            for note in reading.notes:
                self._note(*note, where)
            return reading.at
        if recorded_at is None:
            raise BadPayload(f"{where}: no DTM with a date that can be, and neither UNB nor DTM 137 has one")
        if not moment:
            self._note("no_date", "no DTM with the status: the time of the envelope counts", where)
        return recorded_at


def _moment(status: _Status) -> Segment | None:
    """The DTM that says when: status change first, else the first before any leg; that of the CNI where the STS has none."""
    for part in (status.sts, status.consignment):
        own = [s for s in part.all("DTM") if s.value(1, 1) and s.value(1, 0) != "137"]
        by_qualifier = {s.value(1, 0): s for s in reversed(own)}
        if found := next((by_qualifier[name] for name in MOMENTS if name in by_qualifier), next(iter(own), None)):
            return found
    return None


def _place(part: _Part) -> Segment | None:
    places = part.all("LOC")
    return next((s for name in ACTIVITY for s in places if s.value(1) == name), next(iter(places), None))


def _location(loc: Segment | None) -> str:
    """The name of a place, else its code, with the place that it lies in (a country)."""
    if not loc:
        return ""
    return ", ".join(filter(None, (loc.value(2, 3) or loc.value(2, 0), loc.value(3, 3) or loc.value(3, 0))))


def _related(references: list[tuple[str, str]], but: str) -> tuple[Related, ...]:
    found = ((RELATED[name], value[: events.MAX_TEXT]) for name, value in references if name in RELATED and value != but)
    return tuple(Related.model_validate({"object_type": type_, "object_id": id_}) for type_, id_ in dict.fromkeys(found))
