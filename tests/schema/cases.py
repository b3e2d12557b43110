"""
The runner of case files: `tests/kpis/<name>.toml` and `tests/detectors/<CODE>.toml`.

Why data and not code: whoever knows the business can read and add a case, and every number has its rows beside it. A file:

    [defaults]                                  # optional, under every case of the file
    events = { carrier = "ABCD" }
    ask = { from = 2026-11-02T08:00:00Z, to = 2026-11-02T12:00:00Z, as_of = 2026-11-02T12:00:00Z }

    [[case]]
    title = "a retracted delivery counts for nothing"
    events = [{ object = "shipment S1", state = "delivered", at = 2026-11-02T10:00:00Z, related = ["order O1"], copies = 2 }]
    spans = [{ interface = "tms -> erp", at = 2026-11-02T10:00:00Z, objects = ["order O1"] }]
    exceptions = [{ code = "SHP.STALE", fingerprint = "S1", detected_at = 2026-11-02T10:00:00Z }]
    ask = { by = "region", scope = ["carrier=ABCD"] }
    expect = [{ bucket = 2026-11-02T08:00:00Z, series = "EU", value = 0.5, n = 2 }]

An event takes every field of schema.events.Event, `source`, `message_id`, `received_at`, `ingested_at` and `copies` (exact
duplicates); `object` and `at` stand for object_type + object_id and occurred_at. What is left out: event_id by position,
event_type from the state, clocks from the clock before, system_role from who may say the state. `spans` are rows of
interface_calls; any other key is the name of a table. Times may be strings or TOML times. In `expect` a column that is left out
is empty ('' or 0), and '*' is anything but empty: whole rows are compared.
"""

from __future__ import annotations

import math
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from schema import definitions, events, policy, state
from schema.definitions import DETECTOR_COLUMNS, DETECTOR_PARAMS, KPI_PARAMS
from schema.governance import Catalogue
from schema.store import Store, quote
from tests.parts.rows import INGESTED_AT, event_row

if TYPE_CHECKING:
    from tests.schema.folded import Folded

Row = dict[str, Any]
FOLDERS = {"kpi": "kpis", "detector": "detectors"}
KPI_COLUMNS = ("bucket", "series", "value", "n")
RESERVED = ("title", "ask", "expect")
DAY_OF_CASES = date(2026, 11, 2)
SPAN: Row = {"interface": "api", "service": "middleware", "kind": "Client", "attempt": 1, "duration_ns": 1_000_000}
ASK: Row = {"bucket_s": 86_400, "by": "", "scope": []}


@dataclass(frozen=True, slots=True)
class Case:
    """One case: `name` is the KPI or the exception code, `given` are the rows by table."""

    name: str
    title: str
    given: Mapping[str, list[Row]]
    ask: Row
    expect: list[Row]


def find(kind: str) -> list[Any]:
    """Every case of a kind ('kpi' or 'detector') as a pytest parameter that names file and case."""
    folder = Path(__file__).parents[1] / FOLDERS[kind]
    return [
        pytest.param(case, id=f"{case.name}: {case.title}") for file in sorted(folder.glob("*.toml")) for case in read(file)
    ]


def read(file: Path) -> list[Case]:
    """The cases of one file."""
    data = tomllib.loads(file.read_text("utf-8"))
    defaults = data.get("defaults", {})
    name = file.name.removesuffix(".toml")
    assert set(data) <= {"case", "defaults"}, f"{file.name}: knows [defaults] and [[case]], got {sorted(data)}"
    return [_case(name, defaults, raw) for raw in data["case"]]


def _case(name: str, defaults: Row, raw: Row) -> Case:
    given = {
        table: [{**defaults.get(table, {}), **row} for row in rows] for table, rows in raw.items() if table not in RESERVED
    }
    ask = {key: _moment(value) for key, value in {**defaults.get("ask", {}), **raw.get("ask", {})}.items()}
    return Case(name, raw["title"], given, ask, raw["expect"])


# --- given -------------------------------------------------------------------------------------------------------------
def load(store: Store, catalogue: Catalogue, case: Case, folded: Folded | None = None) -> None:
    """Put the given rows into an empty store and bring the state up to them: by a fold, or with the state that was folded."""
    keep_calendar(store, catalogue)
    for table, rows in case.given.items():
        if table == "events":
            store.insert("events", events.COLUMNS, event_rows(catalogue, case))
        else:
            is_span = table == "spans"
            _insert(store, "interface_calls" if is_span else table, [_span(i, r) if is_span else r for i, r in enumerate(rows)])
    if not folded or not folded.copy(case, store):
        state.refresh(store, since=state.EPOCH)


def together(*kinds: str) -> Case:
    """The rows of every case of these kinds as one case; what two cases say of one object is one history."""
    given: dict[str, list[Row]] = {}
    for kind in kinds:
        for parameter in find(kind):
            for table, rows in parameter.values[0].given.items():
                given.setdefault(table, []).extend(rows)
    return Case("all", "all", given, {}, [])


def keep_calendar(store: Store, catalogue: Catalogue) -> None:
    """The calendar spans some years around the day it was loaded; the cases keep their days for ever."""
    today = datetime.now(UTC).date()
    if not today.year - policy.CALENDAR_YEARS_BACK < DAY_OF_CASES.year < today.year + policy.CALENDAR_YEARS_AHEAD:
        columns, rows = policy.catalogue_rows(catalogue, DAY_OF_CASES)["gov_calendar"]
        store.command("TRUNCATE TABLE gov_calendar")
        store.insert("gov_calendar", columns, rows)


def event_rows(catalogue: Catalogue, case: Case, mark: str = "") -> list[tuple[Any, ...]]:
    """The rows of events; with a mark before every object's id."""
    return [row for i, raw in enumerate(case.given.get("events", ())) for row in _event(catalogue, i, raw, mark)]


def _event(catalogue: Catalogue, i: int, raw: Row, mark: str) -> list[tuple[Any, ...]]:
    fields = {key: _moment(value) for key, value in raw.items()}
    if "object" in fields:
        fields["object_type"], fields["object_id"] = _object(fields.pop("object"))
    if "at" in fields:
        fields["occurred_at"] = fields.pop("at")
    fields["related"] = [_related(r) for r in fields.get("related", ())]
    copies, source, message = fields.pop("copies", 1), fields.pop("source", "test"), fields.pop("message_id", f"m{i + 1}")
    received_at, ingested_at = fields.pop("received_at", None), fields.pop("ingested_at", None)
    type_, said = fields["object_type"], fields.get("state", "")
    fields.setdefault("event_id", f"e{i + 1}")
    fields.setdefault("event_type", f"{type_}.{said or 'said'}")
    fields.setdefault("system_role", _role(catalogue, type_, said))
    fields.setdefault("system", fields["system_role"])
    fields["trace_id"] = _trace(fields.get("trace_id", ""))
    event = _marked(events.Event.model_validate(fields), mark)
    at = received_at or event.recorded_at or event.occurred_at
    row = list(event_row(event, source=source, message=message, received_at=at))
    row[INGESTED_AT] = ingested_at or at
    return [tuple(row)] * copies


def _marked(event: events.Event, mark: str) -> events.Event:
    if not mark:
        return event
    related = tuple(r.model_copy(update={"object_id": mark + r.object_id}) for r in event.related)
    return event.model_copy(update={"object_id": mark + event.object_id, "related": related})


def _role(catalogue: Catalogue, type_: str, said: str) -> str:
    """Who may say this state, so that a case need not say it where it does not matter."""
    life = catalogue.lifecycles[type_]  # type: ignore[index]
    known = life.states.get(said)
    return known.roles[0] if known and known.roles else life.systems_of_record[0]


def _object(text: str) -> tuple[str, str]:
    type_, _, id_ = text.partition(" ")
    return type_, id_


def _related(value: Any) -> Any:
    return dict(zip(("object_type", "object_id"), _object(value), strict=True)) if isinstance(value, str) else value


def _trace(text: str) -> str:
    return text.zfill(32) if text else ""


def _span(i: int, raw: Row) -> Row:
    row = {**SPAN, "trace_id": str(i + 1), "span_id": f"{i + 1:016x}", **raw}
    objects = [_object(text) for text in row.pop("objects", ())]
    row["object_types"], row["object_ids"] = [o[0] for o in objects], [o[1] for o in objects]
    return row | {"trace_id": _trace(row["trace_id"])}


def _insert(store: Store, table: str, rows: list[Row]) -> None:
    """Insert rows, those with the same columns together; `copies` as for events; what is left out is the column's default."""
    known = _columns(store, table)
    by_columns: dict[tuple[str, ...], list[list[Any]]] = defaultdict(list)
    for row in rows:
        copies = row.get("copies", 1)
        columns = tuple(key for key in row if key != "copies")
        unknown = sorted(set(columns) - set(known))
        assert not unknown, f"{table} has no column {unknown}; known: {', '.join(known) or 'nothing, there is no such table'}"
        by_columns[columns] += [[_moment(row[key]) for key in columns]] * copies
    for columns, values in by_columns.items():
        store.insert(table, columns, values)


_COLUMNS: dict[str, list[str]] = {}


def _columns(store: Store, table: str) -> list[str]:
    """The columns of a table; asked once, for every store has the same."""
    if table not in _COLUMNS:
        found = store.query(
            "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String}", {"table": table}
        )
        _COLUMNS[table] = [column["name"] for column in found]
    return _COLUMNS[table]


def _moment(value: Any) -> Any:
    """A time where the text is one."""
    if isinstance(value, str) and len(value) >= 20 and value[4:5] == "-" and value[10] == "T" and value.endswith("Z"):
        return datetime.fromisoformat(value).astimezone(UTC)
    return value


# --- ask and expect ----------------------------------------------------------------------------------------------------
def ask_kpi(store: Store, case: Case) -> list[Row]:
    """What the KPI answers as Milepost asks it."""
    ask = {**ASK, **case.ask}
    assert set(ask) == set(KPI_PARAMS), f"ask wants {sorted(KPI_PARAMS)}, got {sorted(ask)}"
    # Prefixed, because `by`, `from` and `to` are words of SQL, and a view's own parameters may not be shadowed.
    bound = ", ".join(f"{name} = {{ask_{name}:{type_}}}" for name, type_ in KPI_PARAMS.items())
    sql = f"SELECT {', '.join(KPI_COLUMNS)} FROM {quote(definitions.kpis()[case.name].view)}({bound})"
    return store.query(sql, {f"ask_{key}": value for key, value in ask.items()})


def ask_detector(store: Store, case: Case) -> list[Row]:
    """What the detector answers as the job asks it."""
    assert set(case.ask) == set(DETECTOR_PARAMS), f"ask wants {sorted(DETECTOR_PARAMS)}, got {sorted(case.ask)}"
    sql = definitions.detectors()[case.name].sql
    return store.query(f"SELECT {', '.join(DETECTOR_COLUMNS)} FROM (\n{sql}\n)", case.ask)


def answer(store: Store, sql: str, params: Row) -> tuple[list[tuple[str, str]], list[Any]]:
    """
    The columns of an answer as (name, type), and its rows. One query for both: to plan a view is what takes the time, and a
    DESCRIBE plans it once more. JSON, because it names the columns of an answer without rows too.
    """
    with store._client("read") as client:
        told = orjson.loads(client.raw_query(sql, parameters=params, fmt="JSONCompact"))
    return [(column["name"], column["type"]) for column in told["meta"]], told["data"]


def check(store: Store, catalogue: Catalogue, case: Case, folded: Folded, *, kind: str) -> None:
    """Load, ask and hold whole rows against each other, in no particular order."""
    load(store, catalogue, case, folded)
    actual = ask_kpi(store, case) if kind == "kpi" else ask_detector(store, case)
    columns = KPI_COLUMNS if kind == "kpi" else DETECTOR_COLUMNS
    expected = [_whole(row, columns) for row in case.expect]
    actual, expected = _sorted(actual), _sorted(expected)
    is_equal = len(expected) == len(actual) and all(map(_same, expected, actual))
    assert is_equal, _told(expected, actual)


def _whole(row: Row, columns: tuple[str, ...]) -> Row:
    unknown = sorted(set(row) - set(columns))
    assert not unknown, f"expect names {unknown}; known: {', '.join(columns)}"
    empty = {"value": 0.0, "n": 0}
    return {c: _moment(row.get(c, empty.get(c, ""))) for c in columns}


def _sorted(rows: list[Row]) -> list[Row]:
    keys = ("bucket", "series", "object_type", "object_id", "interface", "region", "fingerprint")
    return sorted(rows, key=lambda row: tuple(str(row.get(key, "")) for key in keys))


def _same(expected: Row, actual: Row) -> bool:
    return expected.keys() == actual.keys() and all(_equal(expected[key], actual[key]) for key in expected)


def _equal(expected: Any, actual: Any) -> bool:
    if expected == "*":
        return bool(actual)
    if isinstance(actual, float):
        return math.isclose(expected, actual, rel_tol=1e-9, abs_tol=1e-12)
    return bool(expected == actual)


def _told(expected: list[Row], actual: list[Row]) -> str:
    lines = ["expected:", *(f"  {_short(r)}" for r in expected), "actual:", *(f"  {_short(r)}" for r in actual)]
    return "\n".join(lines)


def _short(row: Row) -> str:
    return ", ".join(f"{k}={v.isoformat() if isinstance(v, datetime) else repr(v)}" for k, v in row.items() if v != "")
