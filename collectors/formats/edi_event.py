"""
What the EDI status formats share once a segment is understood: what a code means, and an Event that keeps every limit.

Why values are cut here and not refused: a partner's over-long free text must not cost the milestone that it stands
beside. What cannot be cut (an identifier that is missing) is raised as BadPayload with the field and what was got.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from collectors.message import Context, Finding
from schema.errors import BadPayload, explain
from schema.events import MAX_TEXT, Event
from schema.rules import UNKNOWN, Code

MAX_ATTRIBUTE = 8192
MAX_EACH = 256  # references, places … of one part: beyond that a message costs the square of its size
MIN_KEY = 5  # shorter references are counters and event numbers, which many shipments share


def meant(context: Context, code: Mapping[str, str], partner: str, where: str, findings: list[Finding]) -> Code:
    """What the `code_list`, `code_element`, `code_version` and `source_code` mean; UNKNOWN, with a finding, if nothing."""
    list_, element, value = code["code_list"], code["code_element"], code["source_code"]
    found = context.catalogue.meaning(list_, element, value, partner=partner, version=code["code_version"])
    if found:
        return found
    text = f"{list_} {element} code {value!r} of partner {partner!r} maps to nothing: the state is {UNKNOWN!r}"
    findings.append(Finding("unmapped_code", text, where) if value else Finding("no_code", f"no {list_} {element} code", where))
    return Code(state=UNKNOWN)


def shipment_type(state: str) -> str:
    """The event type of a state; a code without a state is only a status."""
    return "shipment.status" if state in ("", UNKNOWN) else f"shipment.{state}"


def distinct(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once, in order, without blanks."""
    return tuple(dict.fromkeys(value.strip() for value in values if value.strip()))


def keys(numbers: Iterable[str], references: Iterable[str], *, but: str) -> tuple[str, ...]:
    """What else the object is known by: its numbers, and the references long enough to be its own; never `but`, its id."""
    found = distinct((*numbers, *(value for value in references if len(value) >= MIN_KEY)))
    return tuple(value for value in found if value != but)


def shipment(fields: Mapping[str, Any], context: Context, where: str, findings: list[Finding]) -> Event:
    """
    An event of a shipment, with the source's defaults in the fields that the message left empty.

    Raises: BadPayload, if a field cannot be stored even when cut; the message names it.
    """
    given = {"object_type": "shipment", **fields}
    empty = {name: value for name, value in context.source.defaults.items() if not given.get(name)}
    kept = {name: _cut(name, value, where, findings) for name, value in {**given, **empty}.items()}
    try:
        return Event.model_validate(kept)
    except ValidationError as err:
        raise BadPayload(f"{where}: {explain(err).strip()}") from err


def _cut(name: str, value: Any, where: str, findings: list[Finding]) -> Any:
    if isinstance(value, str):
        return _cut_text(name, value, MAX_TEXT, where, findings)
    if name == "attributes":
        kept = {key: _cut_text(key, text, MAX_ATTRIBUTE, where, findings) for key, text in value.items()}
        return {key: text for key, text in kept.items() if text}
    if name == "keys":
        return tuple(_cut_text(name, key, MAX_TEXT, where, findings) for key in _first(name, value, where, findings))
    return _first(name, value, where, findings) if name == "related" else value


def _first(name: str, values: Sequence[Any], where: str, findings: list[Finding]) -> Sequence[Any]:
    if len(values) > MAX_EACH:
        findings.append(Finding("too_many", f"{name} has {len(values)} values; the first {MAX_EACH} are kept", where))
    return values[:MAX_EACH]


def _cut_text(name: str, text: str, limit: int, where: str, findings: list[Finding]) -> str:
    if len(text) > limit:
        findings.append(Finding("too_long", f"{name} has {len(text)} characters; {limit} are kept", where))
    return text[:limit].strip()
