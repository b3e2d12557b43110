"""
milepost.toml: where the store is, who may connect, and the sources. Without a file the built-in sources are in force.

Why secrets stand in the environment only: a configuration is committed, mailed and pasted into tickets. It names the
variable (`api_key_env = "ACME_KEY"`), and a key written out is refused as an unknown option.

Why a kind and a format are checked against the modules that exist: a module is the plugin, so the list of known values
needs no registry and cannot be out of date. A typing error stops the start with the key, what was got, and what is known.

    store = "chdb:///var/lib/milepost/store"     # MILEPOST_STORE wins
    data = "/var/lib/milepost"                   # drop folders with a relative path lie here
    governance = "governance.toml"               # MILEPOST_GOVERNANCE wins
    keys = "keys.toml"                           # MILEPOST_KEYS wins; else keys.toml in the data folder (`milepost keys`)

    [listen]
    host = "127.0.0.1"
    pages = 8501
    intake = 4318

    [sources.acme]
    kind = "files"
    format = "x12_214"
    partner = "ACME"
    zone = "America/Chicago"
    path = "drop/acme"
"""

from __future__ import annotations

import difflib
import importlib
import os
import pkgutil
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from collectors import formats, kinds
from collectors.message import Source
from collectors.signon import Auth
from schema import store
from schema.errors import BadConfig, explain
from schema.events import Event

MB = 1 << 20
Model = TypeVar("Model", bound=BaseModel)
Port = Annotated[int, Field(ge=0, le=65535)]
Bytes = Annotated[int, Field(gt=0)]
BUILT_IN: Mapping[str, Mapping[str, Any]] = {
    "otlp": {"kind": "otlp", "format": "otlp"},
    "events": {"kind": "webhook", "format": "cloudevents", "path": "/v1/events"},
}


class Strict(BaseModel):
    """A table of the configuration: an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Listen(Strict):
    host: str = "127.0.0.1"
    pages: Port = 8501
    intake: Port = 4318
    allow_without_keys: bool = False
    allow_without_login: bool = False


class Limits(Strict):
    max_body_bytes: Bytes = 20 * MB
    max_decompressed_bytes: Bytes = 64 * MB
    max_queue_bytes: Bytes = 256 * MB
    # Of one key, or of one source where it has none; 0 is no limit. Above what one process takes in: they stop a run-away
    # sender early and cheaply, while fair turns (collectors/fairness.py) are what keeps the others served.
    max_requests_per_s: int = Field(default=2000, ge=0)
    max_bytes_per_s: int = Field(default=128 * MB, ge=0)
    max_requests_at_once: int = Field(default=200, gt=0)  # of one source


class SourceTable(BaseModel):
    """One [sources.NAME]: what every source may say; the rest are options of its kind and of its format."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str
    format: str
    system: str = ""
    system_role: str = ""
    partner: str = ""
    zone: str = "UTC"
    defaults: dict[str, str] = {}
    mask: tuple[Annotated[str, Field(pattern=r"^[^.]+(\.[^.]+)*$")], ...] = ()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as err:
            raise ValueError(f"{value!r} is no IANA time zone such as 'Europe/Berlin'") from err
        return value


class File(Strict):
    """milepost.toml as it is written."""

    store: str = ""
    data: str = ""
    governance: str = ""
    keys: str = ""
    listen: Listen = Listen()
    limits: Limits = Limits()
    auth: Auth | None = None
    sources: dict[str, SourceTable] = {}


class Settings(Strict):
    """What is in force: the file, the environment over it, and the built-in sources where the file names none."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    store: str
    data: Path
    governance: Path | None = None
    keys: Path | None = None
    listen: Listen = Listen()
    limits: Limits = Limits()
    auth: Auth | None = None
    sources: tuple[Source, ...] = ()

    @property
    def keys_file(self) -> Path:
        """Where the API keys are: as said, else beside the data."""
        return self.keys or self.data / "keys.toml"


def load(path: Path | None = None, env: Mapping[str, str] = os.environ) -> Settings:
    """
    The settings of a file; without one, of MILEPOST_CONFIG, else of ./milepost.toml, else the built-in ones.

    Raises: BadConfig, which names the file and the key, what was got and what is known.
    """
    found = path or _by_itself(env)
    where = str(found) if found else "the built-in configuration"
    file = _file(_read(found) if found else {}, where)
    folder = found.parent.absolute() if found else Path.cwd()
    data = folder / Path(env.get("MILEPOST_DATA") or file.data or _data_folder()).expanduser()
    governance = env.get("MILEPOST_GOVERNANCE") or file.governance
    keys = env.get("MILEPOST_KEYS") or file.keys
    return Settings(
        store=env.get("MILEPOST_STORE") or file.store or f"chdb://{data / 'store'}",
        data=data,
        governance=folder / Path(governance).expanduser() if governance else None,
        keys=folder / Path(keys).expanduser() if keys else None,
        listen=file.listen,
        limits=file.limits,
        auth=file.auth,
        sources=sources(file.sources, where),
    )


def sources(tables: Mapping[str, SourceTable], where: str = "the configuration") -> tuple[Source, ...]:
    """The sources of a configuration; the built-in ones if it names none."""
    named = tables or {name: SourceTable(**table) for name, table in BUILT_IN.items()}
    return tuple(_source(name, table, f"{where}: sources.{name}") for name, table in named.items())


def options(source: Source, model: type[Model]) -> Model:
    """A kind's or a format's own options of a source, validated; the options of the other half are left aside."""
    mine = {key: value for key, value in source.options.items() if key in model.model_fields}
    try:
        return model.model_validate(mine)
    except ValidationError as err:
        raise BadConfig(f"sources.{source.name}:\n{explain(err)}") from err


def secret(source: Source, key: str, variable: str, env: Mapping[str, str] = os.environ) -> bytes:
    """A secret from the environment variable that an option names; empty if the option names none."""
    if variable and not env.get(variable):
        raise BadConfig(f"sources.{source.name}.{key} names {variable}, which is not set in the environment")
    return env[variable].encode() if variable else b""


@cache
def known(package: ModuleType) -> tuple[str, ...]:
    """The modules that are a kind (`start`), a format (`decode`) or a family of formats (`SIGNALS`); the others are parts."""
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    modules = {name: importlib.import_module(f"{package.__name__}.{name}") for name in names}
    marks = ("start", "decode", "SIGNALS")
    return tuple(name for name, module in modules.items() if any(hasattr(module, mark) for mark in marks))


def format_module(name: str) -> ModuleType:
    """The module of a format, by its name."""
    return _module(formats, name, "format", "the configuration")


def kind_module(name: str) -> ModuleType:
    """The module of a kind, by its name."""
    return _module(kinds, name, "kind", "the configuration")


def _by_itself(env: Mapping[str, str]) -> Path | None:
    if named := env.get("MILEPOST_CONFIG"):
        return Path(named)
    here = Path("milepost.toml")
    return here if here.is_file() else None


def _data_folder() -> str:
    return str(Path(store.default_dsn().removeprefix("chdb://")).parent)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as err:
        raise BadConfig(f"configuration {path}: {err.strerror or err}") from err
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise BadConfig(f"configuration {path} is not TOML: {err}") from err


def _file(data: Mapping[str, Any], where: str) -> File:
    try:
        return File.model_validate(data)
    except ValidationError as err:
        raise BadConfig(f"configuration {where}:\n{explain(err)}{_hint_of(err)}") from err


def _hint_of(err: ValidationError) -> str:
    """What the top of the file knows, for a key that it does not."""
    unknown = [str(e["loc"][-1]) for e in err.errors() if e["type"] == "extra_forbidden"]
    fields = (*File.model_fields, *Listen.model_fields, *Limits.model_fields)
    return "".join(f"\n  {key!r}{_near(key, fields)}" for key in unknown)


def _source(name: str, table: SourceTable, where: str) -> Source:
    kind = _module(kinds, table.kind, "kind", where)
    format_ = _module(formats, table.format, "format", where)
    given = table.model_extra or {}
    _known_keys(given, _fields(kind) | _fields(format_), where, "option")
    _known_keys(table.defaults, Event.model_fields, f"{where}.defaults", "field of an event")
    if table.mask and not any("json" in type_ for type_ in getattr(format_, "CONTENT_TYPES", ())):
        raise BadConfig(f"{where}.mask: values are found by their keys in JSON, which format {table.format!r} is not")
    source = Source(**table.model_dump(include=set(SourceTable.model_fields)), name=name, options=dict(given))
    for module in (kind, format_):
        if hasattr(module, "Options"):
            options(source, module.Options)
    return source


def _module(package: ModuleType, name: str, what: str, where: str) -> ModuleType:
    if name not in known(package):
        raise BadConfig(f"{where}: {what} {name!r} is unknown{_near(name, known(package))}")
    return importlib.import_module(f"{package.__name__}.{name}")


def _fields(module: ModuleType) -> set[str]:
    return set(module.Options.model_fields) if hasattr(module, "Options") else set()


def _known_keys(given: Iterable[str], allowed: Iterable[str], where: str, what: str) -> None:
    for key in given:
        if key not in allowed:
            raise BadConfig(f"{where}.{key} is no {what}{_near(key, allowed)}")


def _near(got: str, allowed: Iterable[str]) -> str:
    names = sorted(allowed)
    near = difflib.get_close_matches(got, names, n=1)
    return f"{f' (did you mean {near[0]!r}?)' if near else ''}; known: {', '.join(names) or 'none'}"
