"""
Bytes into rows, and values out of rows: encodings, delimiters, expressions, times and numbers as enterprises write them.

Why beside the format `records` and not in it: these are the questions that every export asks again (which delimiter, which
zone, is 00000000 a date), and each answer is tested by itself. Why a wrong column name fails the whole table and a wrong
value only its row: the first is a mapping that drifted and every row would be wrong the same way.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import jmespath
import orjson
from jmespath.exceptions import JMESPathError

from collectors.canonical import as_json, written
from collectors.message import Finding
from schema.errors import BadPayload

Row = Mapping[str, Any]
Expression = Callable[[Row], Any]
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
DELIMITERS = ",;\t|"
COMPACT_TIMES = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
TEMPLATE = re.compile(r"\{([^{}]+)\}")
NO_TIME = re.compile(r"[0\s.:/-]*")


@dataclass(slots=True)
class Table:
    """Rows with the line each began in. `broken` rows keep their place, so that a reason can name their line."""

    rows: list[Row] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    header: tuple[str, ...] = ()
    delimiter: str = ""
    broken: dict[int, str] = field(default_factory=dict)
    raw: dict[int, Sequence[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unit: str = "line"

    def place(self, i: int) -> str:
        """Where a row stands, for a person who looks into the file."""
        return f"{self.unit} {self.lines[i]}"

    def alone(self, i: int) -> bytes:
        """One row as a table of its own, header included."""
        if not self.header:
            return self.raw[i][0].encode() if i in self.raw else written(self.rows[i])
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator="\n")
        writer.writerows([self.header, self.raw.get(i) or [self.rows[i][name] for name in self.header]])
        return out.getvalue().encode()


def read(body: bytes, shape: str = "", encoding: str = "", delimiter: str = "", rows: str = "") -> Table:
    """The rows of a body; what shape, encoding and delimiter leave open is found out from the bytes."""
    findings: list[Finding] = []
    told = _text(body, encoding, findings)
    shape = shape or ("json" if told.lstrip()[:1] in ("{", "[") else "csv")
    table = _csv(told, delimiter) if shape == "csv" else _json_lines(told) if shape == "jsonl" else _json(told, rows)
    table.findings = findings
    return table


def _text(body: bytes, encoding: str, findings: list[Finding]) -> str:
    known = encoding or next((name for bom, name in BOMS if body.startswith(bom)), "utf-8")
    try:
        return body.decode(known)
    except LookupError as err:
        raise BadPayload(f"encoding {known!r} is unknown to Python") from err
    except UnicodeDecodeError as err:
        if encoding:
            raise BadPayload(f"the bytes are not {encoding}: {err.reason} at byte {err.start}") from err
    findings.append(Finding("encoding_guessed", "the bytes are not UTF-8; read as Windows-1252", ""))
    return body.decode("cp1252", errors="replace")


def _csv(told: str, delimiter: str) -> Table:
    first = next((line for line in told.splitlines() if line.strip()), "")
    delimiter = delimiter or max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(told, newline=""), delimiter=delimiter)
    table = Table(delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            if cells and not table.header:
                table.header = tuple(cell.strip() for cell in cells)
            elif cells:
                _add(table, cells, line)
            line = reader.line_num + 1
    except csv.Error as err:
        raise BadPayload(f"line {line}: no CSV: {err}") from err
    if not table.header:
        raise BadPayload("the body is empty: a CSV needs a header row")
    return table


def _add(table: Table, cells: list[str], line: int) -> None:
    if len(cells) != len(table.header):
        i = len(table.rows)
        table.broken[i] = f"{len(cells)} cells, the header has {len(table.header)}"
        table.raw[i] = cells
    table.rows.append(dict(zip(table.header, cells, strict=False)))
    table.lines.append(line)


def _json_lines(told: str) -> Table:
    table = Table()
    for line, piece in enumerate(told.splitlines(), start=1):
        if piece.strip():
            _add_json(table, piece, line)
    return _objects(table)


def _add_json(table: Table, piece: str, line: int) -> None:
    i, row = len(table.rows), {}
    try:
        row = orjson.loads(piece)
    except orjson.JSONDecodeError as err:
        table.broken[i], table.raw[i] = f"no JSON: {err}", [piece]
    table.rows.append(row)
    table.lines.append(line)


def _json(told: str, rows: str) -> Table:
    """
    One document: the array that `rows` finds in it, else itself, an array or one record (a record that was rejected comes
    back as such). Lines of JSON are taken too.
    """
    try:
        document = orjson.loads(told)
    except orjson.JSONDecodeError:
        return _json_lines(told)
    found = jmespath.search(rows, document) if rows else document
    found = document if found is None else found
    records = found if isinstance(found, list) else [found]
    return _objects(Table(rows=list(records), lines=list(range(1, len(records) + 1)), unit="record"))


def _objects(table: Table) -> Table:
    for i, row in enumerate(table.rows):
        if not isinstance(row, dict):
            table.broken[i] = f"a record is a JSON object (got {written(row)[:80].decode(errors='replace')})"
    return table


# --- expressions ----------------------------------------------------------------------------------------------------------
def compiled(said: Sequence[str]) -> None:
    """Check expressions at the start. Raises: ValueError, for one that is neither a column name nor JMESPath."""
    for text_ in said:
        for part in TEMPLATE.findall(text_) if _is_template(text_) else [text_]:
            if not _is_name(part) and not text_.startswith("="):
                try:
                    jmespath.compile(part)
                except JMESPathError as err:
                    raise ValueError(f"{part!r} is no column name and no JMESPath: {str(err).splitlines()[0]}") from err


def expression(said: str, header: Sequence[str], where: str) -> Expression:
    """What a mapping entry reads from a row: a constant, a template, a column, else a JMESPath expression."""
    if said.startswith("="):
        constant = said[1:].strip()
        return lambda row: constant
    if _is_template(said):
        return _template(said, header, where)
    return _one(said, header, where)


def _template(said: str, header: Sequence[str], where: str) -> Expression:
    parts = {name: _one(name, header, where) for name in TEMPLATE.findall(said)}

    def fill(row: Row) -> str:
        values = {name: text(read_(row)) for name, read_ in parts.items()}
        if not any(values.values()):
            return ""
        return TEMPLATE.sub(lambda found: values[found[1]], said)

    return fill


def _one(said: str, header: Sequence[str], where: str) -> Expression:
    if said in header:
        return lambda row: row[said].strip()
    if header and _is_name(said):
        raise BadPayload(f"column {said!r} of {where} is not in the header; it has: {', '.join(header)[:400]}")
    found = _compiled(said)
    return lambda row: found(row)


@lru_cache(maxsize=1024)
def _compiled(said: str) -> Expression:
    if _is_name(said) and not re.fullmatch(r"\w+(\.\w+)*", said):
        return lambda row: row.get(said)
    search = jmespath.compile(said)
    return lambda row: search.search(row)


def _is_template(said: str) -> bool:
    return not said.startswith("=") and TEMPLATE.search(said) is not None


def _is_name(said: str) -> bool:
    """What may be the name of a column: no JMESPath operator in it."""
    return re.fullmatch(r"[\w:. /#%$-]+", said) is not None


# --- values ---------------------------------------------------------------------------------------------------------------
def text(value: Any) -> str:
    """A value of a row as text; nothing is empty text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else as_json(value).decode()


def moment(value: Any, formats: Sequence[str], zone: str, where: str) -> datetime | None:
    """A time as it is written; without a zone of its own it is in `zone`; all zeros are no time, as in SAP's DATS."""
    told = text(value).strip()
    if NO_TIME.fullmatch(told) or told[:8] == "00000000":
        return None
    for format_ in formats:
        try:
            return _zoned(datetime.strptime(told, format_), zone)  # noqa: DTZ007 (the zone follows)
        except ValueError:
            continue
    found = None if formats else _iso_or_compact(told)
    if found is None:
        allowed = ", ".join(formats) or "ISO 8601, YYYYMMDD, YYYYMMDDHHMMSS (or set time_formats)"
        raise BadPayload(f"{where}: {told[:80]!r} is no time; allowed: {allowed}")
    return _zoned(found, zone)


def _iso_or_compact(told: str) -> datetime | None:
    if told.isdigit():
        return _compact(told)
    try:
        return datetime.fromisoformat(told)
    except ValueError:
        return None


def _compact(told: str) -> datetime | None:
    """SAP's DATS and TIMS: 20200326081257, and 240000 for the end of a day."""
    is_end = len(told) == 14 and told.endswith("240000")
    try:
        found = datetime.strptime(told[:8] if is_end else told, "%Y%m%d" if is_end else COMPACT_TIMES.get(len(told), "%"))  # noqa: DTZ007
    except ValueError:
        return None
    return found + timedelta(days=1) if is_end else found


def _zoned(found: datetime, zone: str) -> datetime:
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))


def number(value: Any, decimal: str, where: str) -> Decimal:
    """An amount as it is written: 1.234,56 with a decimal comma, and SAP's trailing minus."""
    told = text(value).strip().replace(" ", "").replace("'", "")
    if isinstance(value, str):
        told = told.replace(".", "").replace(",", ".") if decimal == "," else told.replace(",", "")
    if told.endswith("-"):
        told = f"-{told[:-1]}"
    try:
        found = Decimal(told)
    except InvalidOperation as err:
        raise BadPayload(f"{where}: {text(value)[:80]!r} is no number (decimal = {decimal!r})") from err
    if not found.is_finite():
        raise BadPayload(f"{where}: {text(value)[:80]!r} is no finite number")
    return found
