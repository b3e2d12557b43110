"""
X12 214, the motor carrier's shipment status: every AT7 is one statement about the shipment of its B10.

Why references are gathered before events are made: an L11 of an LX loop stands after the AT7 that it belongs to. Why the
identity holds more than control numbers: partners restart ISA13, and some always send 1; the shipment and the AT7 itself
keep two different statuses apart, while the same file sent twice stays the same.

Why an appointment (AT703) has a code list of its own: 1652 uses the letters of 1650 with other meanings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from collectors.formats import x12
from collectors.formats.edi_event import MAX_EACH, keys, meant, shipment, shipment_type
from collectors.formats.edi_time import BadDate, x12_time
from collectors.formats.x12 import Group, Interchange, Segment, TransactionSet
from collectors.message import Context, Decoded, Finding, Message, Reject, decoded
from schema import events
from schema.errors import BadPayload
from schema.events import Event, Related

CONTENT_TYPES = frozenset({"application/edi-x12", "application/x12", "application/octet-stream", "text/plain"})
CODE = "214"
ORDERS = frozenset({"PO", "ON", "CO"})
INVOICES = frozenset({"IK", "IV"})
IDENTIFIERS = ("BM", "CN", "SI", "2I", "DO")  # L11 qualifiers that may name the shipment where B10 does not
ABSENT = Segment(0, ["AT7"])


def decode(message: Message, context: Context) -> Decoded:
    """
    Turn the 214s of one or more interchanges into shipment events.

    Shape:  one Batch for `events`, one row an AT7, in file order; a set that cannot be stored is a Reject with its envelope.
    Units:  `occurred_at` is UTC; AT707 is applied; LT or none is the source's zone; without a date the GS date counts.
    Raises: BadPayload, if there is no readable ISA, no 214 at all, or none that can be stored.
    Source: X12 004010, transaction set 214, segments B10, L11, LX, AT7, MS1, MS2; elements 623, 1650, 1651, 1652.
    """
    document = x12.tokenise(message.body)
    found: list[Event] = []
    findings, rejects = document.findings, []
    _only_some_others(document, findings)
    for interchange in document.interchanges:
        for group, one in _ours(interchange):
            try:
                found += _Reader(context, interchange, group, one, findings).events()
            except BadPayload as err:
                rejects.append(Reject(x12.alone(interchange, group, one), str(err)))
    if rejects and not found:
        more = f" (and {len(rejects) - 1} more sets)" if len(rejects) > 1 else ""
        raise BadPayload(f"{rejects[0].reason}{more}")
    return decoded(message, context, found, findings, rejects)


def _ours(interchange: Interchange) -> Iterator[tuple[Group, TransactionSet]]:
    return ((group, one) for group in interchange.groups for one in group.sets if one.code == CODE)


def _only_some_others(document: x12.Document, findings: list[Finding]) -> None:
    """A finding for each other set, unless there is nothing else."""
    n_by_code: dict[str, int] = {}
    for interchange in document.interchanges:
        for one in (one for group in interchange.groups for one in group.sets):
            n_by_code[one.code] = n_by_code.get(one.code, 0) + 1
    if CODE not in n_by_code:
        services = {s.tag for interchange in document.interchanges for s in interchange.services}
        names = ", ".join(sorted(n_by_code)) or f"no transaction set ({', '.join(sorted(services)) or 'only an envelope'})"
        raise BadPayload(f"holds {names[:200]}; this source expects {CODE}")
    for code, n in n_by_code.items():
        if code != CODE:
            findings.append(Finding("other_set", f"{n} x {code[:20]!r} left aside; this source expects {CODE}"))


@dataclass(slots=True)
class _Loop:
    """An LX loop, or what stands before the first one: its number and its references (qualifier, value)."""

    number: str = ""
    references: list[tuple[str, str]] = field(default_factory=list)
    is_full: bool = False


@dataclass(slots=True)
class _Status:
    """One AT7 with its place and equipment; `ordinal` counts segments in the set, ST being 1."""

    at7: Segment
    ordinal: int
    loop: _Loop
    place: Segment = ABSENT
    equipment: Segment = ABSENT


class _Reader:
    """Reads one 214."""

    def __init__(
        self, context: Context, interchange: Interchange, group: Group, one: TransactionSet, findings: list[Finding]
    ) -> None:
        self._context = context
        self._source = context.source
        self._zone = ZoneInfo(context.source.zone)
        self._interchange, self._group, self._set = interchange, group, one
        self._findings = findings
        self._b10 = ABSENT
        self._head = _Loop()
        self._statuses: list[_Status] = []

    def events(self) -> list[Event]:
        """One event an AT7; a finding if there is none."""
        self._gather()
        if not self._statuses:
            self._note("no_status", "no AT7: the set says nothing about its shipment", self._where())
            return []
        recorded_at = self._recorded_at()
        return [self._event(status, recorded_at) for status in self._statuses]

    # --- what stands where -----------------------------------------------------------------------------------------------
    def _gather(self) -> None:
        loop = self._head
        for ordinal, segment in enumerate(self._set.segments, 1):
            match segment.tag:
                case "B10":
                    self._b10 = segment
                case "LX":
                    loop = _Loop(segment.value(1))
                case "L11":
                    self._refer(loop, segment.value(2), segment.value(1), ordinal)
                case "PRF" | "SPO":
                    self._refer(loop, "PO", segment.value(1), ordinal)
                case "AT7":
                    self._statuses.append(_Status(segment, ordinal, loop))
                case "MS1" | "MS2" if self._statuses and self._statuses[-1].loop is loop:
                    self._place(self._statuses[-1], segment)

    def _refer(self, loop: _Loop, qualifier: str, value: str, ordinal: int) -> None:
        if len(loop.references) < MAX_EACH:
            loop.references.append((qualifier[:10], value))
        elif not loop.is_full:
            loop.is_full = True
            where = f"{self._where()}, segment {ordinal}"
            self._note("too_many", f"the first {MAX_EACH} references of a loop are kept", where)

    @staticmethod
    def _place(status: _Status, segment: Segment) -> None:
        if segment.tag == "MS1":
            status.place = segment
        else:
            status.equipment = segment

    def _where(self, status: _Status | None = None) -> str:
        place = f"interchange {self._interchange.control}, set {self._set.control}"
        return f"{place}, segment {status.ordinal} (AT7)" if status else place

    def _note(self, code: str, text: str, where: str) -> None:
        self._findings.append(Finding(code, text, where))

    # --- one event -------------------------------------------------------------------------------------------------------
    def _event(self, status: _Status, recorded_at: datetime | None) -> Event:
        where = self._where(status)
        references = [*self._head.references, *(status.loop.references if status.loop is not self._head else [])]
        carrier = self._carrier(status)
        shipment_id = self._shipment_id(references, where)
        said = self._said(status, self._source.partner or carrier, where)
        fields: dict[str, Any] = {
            **said,
            "event_id": self._event_id(status, shipment_id),
            "event_type": shipment_type(said["state"]),
            "occurred_at": self._occurred_at(status, recorded_at, where),
            "recorded_at": recorded_at,
            "object_id": shipment_id,
            "related": _related(references),
            "keys": keys(self._numbers(), (value for _, value in references), but=shipment_id),
            "system": self._source.system or carrier,
            "system_role": self._source.system_role or "carrier",
            "carrier": carrier,
            "location": ", ".join(filter(None, (status.place.value(n) for n in (1, 2, 3)))),
            "attributes": self._attributes(status, references),
        }
        return shipment(fields, self._context, where, self._findings)

    def _said(self, status: _Status, partner: str, where: str) -> dict[str, Any]:
        """The code and what it means, and the exception that its reason (1651) or itself names."""
        at7 = status.at7
        is_appointment = not at7.value(1) and bool(at7.value(3))
        if at7.value(1) and at7.value(3):
            self._note("two_statuses", f"AT701 {at7.value(1)!r} and AT703 {at7.value(3)!r}: the status counts", where)
        code = {
            "code_list": "X12",
            "code_element": "1652" if is_appointment else "1650",
            "code_version": self._group.value(8),
            "source_code": at7.value(3 if is_appointment else 1),
        }
        meaning = meant(self._context, code, partner, where, self._findings)
        exception = self._reason(at7.value(4 if is_appointment else 2), partner, where) or meaning.exception
        return {**code, "state": meaning.state, "classifier": meaning.classifier, "exception_code": exception}

    def _reason(self, reason: str, partner: str, where: str) -> str:
        if not reason:
            return ""
        found = self._context.catalogue.meaning("X12", "1651", reason, partner=partner, version=self._group.value(8))
        if not found:
            self._note("unmapped_reason", f"X12 1651 code {reason!r} of partner {partner!r} maps to nothing", where)
        return found.exception if found else ""

    # --- who and which ---------------------------------------------------------------------------------------------------
    def _numbers(self) -> tuple[str, str]:
        """The shipment's number (B1002) and the carrier's own (B1001, the PRO)."""
        return self._b10.value(2), self._b10.value(1)

    def _shipment_id(self, references: list[tuple[str, str]], where: str) -> str:
        if number := next(filter(None, self._numbers()), ""):
            return number
        by_qualifier = {qualifier: value for qualifier, value in reversed(references) if value}
        number = next((by_qualifier[q] for q in IDENTIFIERS if q in by_qualifier), "")
        if not number:
            raise BadPayload(f"{where}: B1001 and B1002 are empty and no L11 is one of {', '.join(IDENTIFIERS)}")
        self._note("no_reference", f"B1001 and B1002 are empty: L11 {number!r} names the shipment", where)
        return number

    def _carrier(self, status: _Status) -> str:
        isa = self._interchange.isa
        by_isa = isa.value(6) if isa.value(5) == "02" else ""
        return self._b10.value(3) or status.equipment.value(1) or by_isa

    def _event_id(self, status: _Status, shipment_id: str) -> str:
        isa = self._interchange.isa
        control = (isa.value(5), isa.value(6), isa.value(13), self._group.value(6), self._set.control, str(status.ordinal))
        return events.event_id(CODE, *control, shipment_id, *map(str.strip, status.at7.elements))

    def _attributes(self, status: _Status, references: list[tuple[str, str]]) -> dict[str, str]:
        at7, isa = status.at7, self._interchange.isa
        names = ("status_reason", "appointment", "appointment_reason")
        return {
            **{f"L11.{qualifier}": value for qualifier, value in references if qualifier != "PO"},
            **dict(zip(names, (at7.value(n) for n in (2, 3, 4)), strict=True)),
            "time_code": at7.value(7),
            "lx": status.loop.number,
            "equipment": status.equipment.value(2),
            "longitude": status.place.value(4),
            "latitude": status.place.value(5),
            "interchange": self._interchange.control,
            "group": self._group.value(6),
            "set": self._set.control,
            "usage": "test" if isa.value(15) == "T" else "",
        }

    # --- when ------------------------------------------------------------------------------------------------------------
    def _recorded_at(self) -> datetime | None:
        """The time of the GS, else of the ISA; None if both cannot be."""
        isa = self._interchange.isa
        for name, date, time in (("GS", *map(self._group.value, (4, 5))), ("ISA", *map(isa.value, (9, 10)))):
            try:
                return x12_time(date, time, "", self._zone).at
            except BadDate as err:
                if name == "ISA" or self._group.header:
                    self._note("bad_date", f"{name}: {err}", self._where())
        return None

    def _occurred_at(self, status: _Status, recorded_at: datetime | None, where: str) -> datetime:
        date, time, code = (status.at7.value(n) for n in (5, 6, 7))
        try:
            reading = x12_time(date, time, code, self._zone)
        except BadDate as err:
            if recorded_at is None:
                raise BadPayload(f"{where}: {err}, and neither GS nor ISA has a date") from err
            code, text = ("bad_date", str(err)) if date else ("no_date", "no date")
            self._note(code, f"{text}: the time of the envelope counts", where)
            return recorded_at
        for note in reading.notes:
            self._note(*note, where)
        return reading.at


def _related(references: list[tuple[str, str]]) -> tuple[Related, ...]:
    types = [*(("order", v) for q, v in references if q in ORDERS), *(("invoice", v) for q, v in references if q in INVOICES)]
    found = ((type_, value[: events.MAX_TEXT]) for type_, value in types if value)
    return tuple(Related.model_validate({"object_type": type_, "object_id": id_}) for type_, id_ in dict.fromkeys(found))
