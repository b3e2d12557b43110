"""
KPI and detector files: a TOML header in the leading comment, then one SELECT.

Why a file and not code: one definition serves the tile, the alert, Grafana and a colleague's SQL client; it is reviewed as
what it is, a sentence in SQL, and it can be replayed for any `as_of`. Both become parameterised views:

    kpi_<name>(from, to, as_of, bucket_s, by, scope)  ->  bucket, series, value, n
    detector_<CODE>(as_of)                            ->  DETECTOR_COLUMNS
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from schema.errors import BadDefinition, explain
from schema.governance import Catalogue

CUTS = ("tenant", "region", "warehouse", "carrier", "customer", "order_class", "mode")
KPI_PARAMS = {
    "from": "DateTime64(3, 'UTC')",
    "to": "DateTime64(3, 'UTC')",
    "as_of": "DateTime64(3, 'UTC')",
    "bucket_s": "UInt32",
    "by": "String",
    "scope": "Array(String)",
}
DETECTOR_PARAMS = {"as_of": "DateTime64(3, 'UTC')"}
DETECTOR_COLUMNS = (
    "fingerprint", "object_type", "object_id", "began_at", "reason", "value", "tenant", "region", "warehouse", "carrier",
    "customer", "order_class", "mode", "interface", "trace_id", "place", "owner",
)  # fmt: skip


class Header(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KpiHeader(Header):
    """
    `shape` says what a bucket is: a `window` KPI counts what happened in each bucket; a `gauge` is read at `as_of` and has
    one bucket, its trend coming from the snapshots.
    """

    id: str
    title: str
    definition: str
    unit: Literal["ratio", "count", "seconds", "currency", "per_hour"]
    good: Literal["low", "high"]
    target: str
    by: tuple[str, ...]
    owner: str
    shape: Literal["window", "gauge"]
    source: str


class DetectorHeader(Header):
    """Owner, severity and age limit are policy and stand in the catalogue under `exceptions.<CODE>`."""

    title: str
    definition: str
    sentence: str
    action: str
    kind: Literal["object", "interface", "feed"]
    source: str


H = TypeVar("H", bound=Header)


@dataclass(frozen=True, slots=True)
class Kpi:
    name: str
    area: str
    header: KpiHeader
    sql: str

    @property
    def view(self) -> str:
        return f"kpi_{self.name}"


@dataclass(frozen=True, slots=True)
class Detector:
    code: str
    header: DetectorHeader
    sql: str

    @property
    def view(self) -> str:
        return "detector_" + self.code.replace(".", "_")


@cache
def kpis() -> dict[str, Kpi]:
    """Every KPI file by name, in order of id."""
    found = []
    for area in _folders("kpis"):
        for file in _sql_files(area):
            header, sql = _read(file, KpiHeader)
            found.append(Kpi(file.name.removesuffix(".sql"), area.name, header, sql))
    return {k.name: k for k in sorted(found, key=lambda k: k.header.id)}


@cache
def facts() -> dict[str, str]:
    """The SELECT of every view of facts by name, in order of creation. The number of a file's name is its place, no more."""
    return {
        re.sub(r"^\d+_", "", file.name.removesuffix(".sql")): one_statement(file.name, file.read_text("utf-8"))
        for file in _sql_files(files("schema").joinpath("views"))
    }


@cache
def detectors() -> dict[str, Detector]:
    """Every detector file by exception code."""
    found = {}
    for file in _sql_files(files("schema").joinpath("detectors")):
        header, sql = _read(file, DetectorHeader)
        code = file.name.removesuffix(".sql")
        found[code] = Detector(code, header, sql)
    return dict(sorted(found.items()))


@cache
def migrations() -> list[tuple[str, str]]:
    """(name, statement) of every migration file, in order."""
    found = _sql_files(files("schema").joinpath("migrations"))
    return [(file.name, one_statement(file.name, file.read_text("utf-8"))) for file in found]


def migrations_of(*tables: str) -> list[tuple[str, str]]:
    """Those of them that name one of these tables: what is kept there may be another since. A setting changes no row."""
    named, setting = re.compile(rf"\b(?:{'|'.join(tables)})\b"), re.compile(r"\s*ALTER TABLE \w+ MODIFY SETTING\b")
    plain = [(name, sql, re.sub(r"--[^\n]*|'(?:[^'\\]|\\.)*'", "", sql)) for name, sql in migrations()]
    return [(name, sql) for name, sql, text in plain if named.search(text) and not setting.match(text)]


@cache
def views() -> dict[str, str]:
    """The SELECT of every view by name, in the order of creation: facts, then KPIs, then detectors."""
    return facts() | {k.view: k.sql for k in kpis().values()} | {d.view: d.sql for d in detectors().values()}


def check(catalogue: Catalogue) -> None:
    """Hold every file against the catalogue. Raises: BadDefinition, with the file, what it names and what is known."""
    for kpi in kpis().values():
        _known(f"kpis/{kpi.area}/{kpi.name}.sql", "target", kpi.header.target, catalogue.tolerances)
        _known(f"kpis/{kpi.area}/{kpi.name}.sql", "owner", kpi.header.owner, {**catalogue.workflows, "platform": None})
        for cut in kpi.header.by:
            _known(f"kpis/{kpi.area}/{kpi.name}.sql", "by", cut, dict.fromkeys((*CUTS, *EXTRA_CUTS)))
    for code in detectors():
        _known(f"detectors/{code}.sql", "code", code, catalogue.exceptions)


EXTRA_CUTS = ("stage", "interface", "partner", "source", "system", "guard", "team", "code", "workflow", "transition")


def _known(file: str, key: str, got: str, known: Mapping[str, Any]) -> None:
    if got not in known:
        raise BadDefinition(f"{file}: {key} = {got!r} is unknown; known: {', '.join(sorted(known))}")


def _read(file: Traversable, model: type[H]) -> tuple[H, str]:
    text = file.read_text("utf-8")
    match = re.match(r"\s*/\*(.*?)\*/\s*(.+)\Z", text, re.S)
    if not match:
        raise BadDefinition(f"{file.name}: wants a TOML header in a leading /* comment */, then one SELECT")
    try:
        header = model.model_validate(tomllib.loads(match[1]))
    except tomllib.TOMLDecodeError as err:
        raise BadDefinition(f"{file.name}: the header is not TOML: {err}") from err
    except ValidationError as err:
        raise BadDefinition(f"{file.name}: header\n{explain(err)}") from err
    return header, one_statement(file.name, match[2])


def one_statement(name: str, sql: str) -> str:
    """The statement without its last semicolon. Raises: BadDefinition, if there is more than one."""
    sql = sql.strip().removesuffix(";").rstrip()
    if ";" in re.sub(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.)*'", "", sql, flags=re.S):
        raise BadDefinition(f"{name}: one statement a file; a second one begins after ';'")
    return sql


def _folders(name: str) -> list[Traversable]:
    return sorted((d for d in files("schema").joinpath(name).iterdir() if d.is_dir()), key=lambda d: d.name)


def _sql_files(folder: Traversable) -> list[Traversable]:
    return sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
