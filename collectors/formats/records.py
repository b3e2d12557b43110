"""
Records of any system: CSV, JSON lines or JSON, made into canonical events by a mapping in the configuration.

    [sources.sap.mapping]
    object_id   = "VBELN"                      # a column, or for JSON a JMESPath expression
    object_type = "= invoice"                  # a constant
    event_type  = "invoice.{VBTYP_N}"          # a template over columns or expressions
    occurred_at = "{ERDAT}{ERZET}"
    source_code = "VBTYP_N"                    # looked up in `codes`, else in the catalogue's code maps
    "related.order" = "VBELV"                  # another object
    "attributes.material" = "MATNR"
    [sources.sap.codes]
    M = { object_type = "invoice", state = "created" }      # or a state alone: C = "received"

Why a mapping as data and not a module a system: most of what an ERP, WMS or portal exports is a table whose columns a person
who knows the system names in five minutes. Why identity from the columns in `key` (without one: the whole row): a file is
exported again and again with the rows of yesterday in it, and only its content says which row is which.

A row that is wrong is rejected alone, with its line number and its header, so that it can be replayed as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel, Field, field_validator, model_validator

from collectors import tables, wall_clock
from collectors.canonical import Canonical, Fields, as_json, validate
from collectors.config import options
from collectors.message import Context, Decoded, Finding, Message, Reject, decoded
from collectors.tables import Row, Table
from schema import events
from schema.errors import BadPayload
from schema.events import OBJECT_TYPES, Event
from schema.rules import UNKNOWN

CONTENT_TYPES = ("text/csv", "application/json", "application/x-ndjson", "application/jsonl", "text/plain")
TIMES = ("occurred_at", "recorded_at")
NUMBERS = ("amount", "quantity")
LISTS = ("keys",)
TYPED = ("event_version", "is_retracted")
KNOWN = frozenset(Event.model_fields) - {"related", "attributes"}


class Options(BaseModel):
    """How the bytes are cut into rows, and what the rows mean."""

    mapping: dict[str, str]
    shape: Literal["", "csv", "json", "jsonl"] = ""
    rows: str = ""
    encoding: str = ""
    delimiter: str = Field(default="", max_length=1)
    key: tuple[str, ...] = ()
    codes: dict[str, dict[str, str]] = {}
    time_formats: tuple[str, ...] = ()
    decimal: Literal[".", ","] = "."

    @field_validator("codes", mode="before")
    @classmethod
    def _states(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {code: {"state": said} if isinstance(said, str) else said for code, said in value.items()}

    @model_validator(mode="after")
    def _known_fields(self) -> Options:
        for field in (*self.mapping, *(name for said in self.codes.values() for name in said)):
            head, _, tail = field.partition(".")
            is_known = tail in OBJECT_TYPES if head == "related" else bool(tail) if head == "attributes" else field in KNOWN
            if not is_known:
                raise ValueError(
                    f"{field!r} is no field of an event; known: {', '.join(sorted(KNOWN))}, related.TYPE, attributes.NAME"
                )
        tables.compiled([*self.mapping.values(), *self.key, *([self.rows] if self.rows else [])])
        return self


def decode(message: Message, context: Context) -> Decoded:
    """
    Turn the rows of one file or body into canonical events.

    Shape:  one Batch for `events`, one row a record, in file order.
    Units:  a time without a zone is in the source's zone; `00000000` and its like are no time; amounts as `decimal` says.
    Raises: BadPayload, if the bytes are no such table, a mapped column is missing, or no row can be stored.
    """
    mine = options(context.source, Options)
    table = tables.read(message.body, mine.shape, mine.encoding, mine.delimiter, mine.rows)
    mapping = _Mapping(mine, context, table)
    wrong: dict[int, str] = dict(table.broken)
    found: list[tuple[int, Fields]] = []
    for i, row in enumerate(table.rows):
        if i in wrong:
            continue
        try:
            found.append((i, mapping.fields(row, table.place(i))))
        except BadPayload as err:
            wrong[i] = str(err)
    right, refused = validate([fields for _, fields in found])
    wrong |= {found[k][0]: reason for k, reason in refused.items()}
    if wrong and not right:
        raise BadPayload(f"no row can be stored; {table.place(min(wrong))}: {wrong[min(wrong)]}")
    rejects = [Reject(table.alone(i), f"{table.place(i)}: {wrong[i]}") for i in sorted(wrong)]
    return decoded(message, context, right, [*table.findings, *mapping.canonical.findings], rejects)


class _Mapping:
    """The mapping of one source, compiled against the header of one table."""

    def __init__(self, mine: Options, context: Context, table: Table) -> None:
        self.canonical = Canonical(context)
        self._options = mine
        self._object_type = dict(self.canonical.defaults).get("object_type", UNKNOWN)
        self._zone = context.source.zone
        self._sender = context.source.system or context.source.name
        self._columns = [(field, tables.expression(said, table.header, field)) for field, said in mine.mapping.items()]
        self._key = [tables.expression(said, table.header, "key") for said in mine.key]

    def fields(self, row: Row, place: str) -> Fields:
        """The loose fields of one row, complete with defaults, codes and identity."""
        fields: Fields = {}
        for field, expression in self._columns:
            value = expression(row)
            if value is not None and value != "":
                self._put(fields, field, value)
        self._codes(fields)
        fields.setdefault("event_id", self._identity(row))
        if not fields.get("event_type"):
            fields["event_type"] = self._event_type(fields)
        self.canonical.complete(fields, place)
        return fields

    def _put(self, fields: Fields, field: str, value: Any) -> None:
        head, _, tail = field.partition(".")
        if head == "related":
            fields.setdefault("related", []).append({"object_type": tail, "object_id": tables.text(value)})
        elif head == "attributes":
            fields.setdefault("attributes", {})[tail] = value
        elif field in TIMES:
            self._put_time(fields, field, value)
        elif field in NUMBERS:
            fields[field] = tables.number(value, self._options.decimal, field)
        elif field in LISTS:
            fields[field] = [tables.text(item) for item in value] if isinstance(value, list) else [tables.text(value)]
        else:
            fields[field] = value if isinstance(value, bool | int) and field in TYPED else tables.text(value)

    def _put_time(self, fields: Fields, field: str, value: Any) -> None:
        moment = tables.moment(value, self._options.time_formats, self._zone, field)
        if moment is None:
            return
        fields[field] = moment
        if isinstance(moment.tzinfo, ZoneInfo) and (doubt := wall_clock.doubt(moment.replace(tzinfo=None), moment.tzinfo)):
            self.canonical.findings.append(Finding(wall_clock.CODE, doubt, field))

    def _codes(self, fields: Fields) -> None:
        """What the source's own code table says; an unmapped code is left to the catalogue."""
        said = self._options.codes.get(str(fields.get("source_code", "")))
        for field, value in (said or {}).items():
            fields.setdefault(field, value)

    def _event_type(self, fields: Fields) -> str:
        state = fields.get("state") or fields.get("source_code") or UNKNOWN
        return f"{fields.get('object_type') or self._object_type}.{state}"

    def _identity(self, row: Row) -> str:
        parts: Sequence[str] = [tables.text(expression(row)) for expression in self._key]
        if not self._key:
            parts = [as_json(row, orjson.OPT_SORT_KEYS).decode()]
        elif not any(parts):
            raise BadPayload(f"key: the columns {', '.join(self._options.key)} are all empty, so the row has no identity")
        return events.event_id(self._sender, *parts)
