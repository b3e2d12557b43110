"""
From loose fields to canonical events: what the source leaves unsaid, what its codes mean, which fields are unknown.

Why one place for the formats that carry our own fields (CloudEvents, records): a state that the catalogue does not know, a
code that maps to nothing and a field that nobody expected must end the same way whichever door they came through. They are
kept (as `source_code`, as an attribute) and become a finding, for a sender's surprise is no reason to lose an event.

Why pydantic is asked only about those that are not plain: it says best what is wrong with an event, and is slow where nothing
is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from collectors.message import Context, Finding, Statement
from collectors.plain import plain
from schema.errors import BadPayload
from schema.events import MAX_TEXT, OBJECT_TYPES, Event
from schema.rules import UNKNOWN

KNOWN = frozenset(Event.model_fields)
EVENTS = TypeAdapter(list[Event])
MAX_ATTRIBUTE = 8192
Fields = dict[str, Any]


class Canonical:
    """What a format needs to complete the events of one message: the source's defaults, and the catalogue's words."""

    def __init__(self, context: Context) -> None:
        source = context.source
        said = {"system": source.system, "system_role": source.system_role, **source.defaults}
        self.defaults = [(key, value) for key, value in said.items() if value]
        self.findings: list[Finding] = []
        self._partner = source.partner
        self._catalogue = context.catalogue
        self._words = {name: _words(context, name) for name in OBJECT_TYPES}
        self.settled = {(name, word) for name, words in self._words.items() for word in words}

    def complete(self, fields: Fields, place: str) -> None:
        """Apply defaults, put unknown fields under attributes, and settle the state, in place."""
        for key, value in self.defaults:
            fields.setdefault(key, value)
        if not fields.keys() <= KNOWN:
            self._keep_unknown(fields, place)
        if "attributes" in fields:
            fields["attributes"] = texts(fields["attributes"])
        state, type_ = fields.get("state"), fields.get("object_type")
        if not state:
            if fields.get("source_code"):
                self._map_code(fields, place)
        elif isinstance(state, str) and isinstance(type_, str) and (type_, state) not in self.settled:
            self._check_state(fields, state, type_, place)

    def find(self, code: str, text: str, place: str) -> None:
        self.findings.append(Finding(code, text, place))

    def _keep_unknown(self, fields: Fields, place: str) -> None:
        kept = {key: fields.pop(key) for key in sorted(fields.keys() - KNOWN)}
        told = fields.get("attributes")
        fields["attributes"] = {**kept, **told} if isinstance(told, Mapping) else kept
        for key in kept:
            self.find("unknown_field", f"field {key!r} is not one of an event; kept in attributes", place)

    def _check_state(self, fields: Fields, state: str, type_: str, place: str) -> None:
        words = self._words.get(type_)
        if words is None or state.strip() in words:
            return
        fields["source_code"] = fields.get("source_code") or state
        fields["state"] = UNKNOWN
        self.find("unknown_state", f"state {state[:80]!r} is none of {type_}: {', '.join(sorted(words))}", place)

    def _map_code(self, fields: Fields, place: str) -> None:
        list_, element, version = (str(fields.get(key, "")) for key in ("code_list", "code_element", "code_version"))
        code = str(fields["source_code"]).strip()
        meaning = self._catalogue.meaning(list_, element, code, partner=self._partner, version=version)
        if meaning is None:
            fields["state"] = UNKNOWN
            self.find("unmapped_code", f"code {code[:80]!r} of list {list_!r}, element {element!r} maps to nothing", place)
            return
        fields["state"] = meaning.state
        fields.setdefault("classifier", meaning.classifier)
        if meaning.exception:
            fields.setdefault("exception_code", meaning.exception)


def _words(context: Context, object_type: str) -> frozenset[str]:
    """Every word that may stand as the state of such an object."""
    lifecycle = context.catalogue.lifecycles.get(object_type)  # type: ignore[call-overload]
    if lifecycle is None:
        return frozenset({UNKNOWN})
    cleared = {word for overlay in lifecycle.overlays.values() for word in overlay.cleared_by}
    return frozenset({UNKNOWN, *lifecycle.states, *lifecycle.overlays, *cleared})


def texts(attributes: Any) -> Any:
    """Attributes as text: strings as they are, anything else as JSON; what is no table is left for validation to name."""
    if not isinstance(attributes, Mapping) or all(type(value) is str for value in attributes.values()):
        return attributes
    return {str(key)[:MAX_TEXT]: text(value) for key, value in attributes.items()}


def text(value: Any) -> str:
    """A value as the text of an attribute, cut where a row would grow out of hand."""
    return (value if isinstance(value, str) else as_json(value).decode())[:MAX_ATTRIBUTE]


def as_json(value: Any, option: int = 0) -> bytes:
    """Raises: BadPayload, for what is nested more deeply than can be written again, though it could be read."""
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError as err:
        raise BadPayload(f"it cannot be written as JSON again: {err}") from err


def written(value: Any) -> bytes:
    """
    What was read as JSON, as JSON again: for what is kept because it cannot be stored. Without recursion, because
    orjson reads four times as deep as it writes.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        done: list[bytes] = []
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, bytes):
            done.append(one)
        elif isinstance(one, dict):
            members = [part for key, said in one.items() for part in (b",", orjson.dumps(key) + b":", said)]
            todo += [b"}", *reversed(members[1:]), b"{"]
        elif isinstance(one, list):
            items = [part for item in one for part in (b",", item)]
            todo += [b"]", *reversed(items[1:]), b"["]
        else:
            done.append(orjson.dumps(one))
    return b"".join(done)


def validate(found: Sequence[Fields]) -> tuple[list[Statement], dict[int, str]]:
    """The events of the right ones, in order, and for each wrong one its reason."""
    said = plain(found)
    asked = [i for i, one in enumerate(said) if one is None]
    right, wrong = _validated([found[i] for i in asked])
    answers = iter(right)
    refused = {asked[k]: reason for k, reason in wrong.items()}
    return [one or next(answers) for i, one in enumerate(said) if i not in refused], refused


def _validated(found: Sequence[Fields]) -> tuple[list[Event], dict[int, str]]:
    """In one call, for pydantic's cost is in the call from Python; only when it fails are the wrong ones picked out."""
    try:
        return EVENTS.validate_python(found), {}
    except ValidationError as err:
        wrong = _reasons(err)
    right = [fields for i, fields in enumerate(found) if i not in wrong]
    return EVENTS.validate_python(right), wrong


def _reasons(err: ValidationError) -> dict[int, str]:
    reasons: dict[int, str] = {}
    for e in err.errors(include_url=False):
        index, *key = e["loc"]
        where = ".".join(str(part) for part in key)
        got = "" if e["type"] == "missing" else f" (got {str(e['input'])[:80]!r})"
        sentence = f"{where}: {e['msg']}{got}"
        reasons[int(index)] = f"{reasons[int(index)]}; {sentence}" if int(index) in reasons else sentence
    return reasons
