"""
A copy of a store in a folder, and a store from such a copy: the same on both engines, and from one to the other.

Why rows and not the engine's own BACKUP: that writes where the server's configuration lets it, on the server's disk, and the
embedded engine has no such place at all; a folder of ordinary files is wherever the operator wants it. Why only what was told
and done (events, telemetry, accounts, exceptions, snapshots) and not what is derived: state, links and calls follow from it and
are made anew on the way back, so that a copy taken while rows come in cannot be torn. Why accounts first: a message that the
copy calls stored is in it. Written beside and renamed, so that half a backup never looks like one.
"""

from __future__ import annotations

import gzip
import json
import shutil
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, cast

from schema import state
from schema.errors import BadConfig
from schema.store import Store, quote

MANIFEST, FORMAT = "backup.json", "Native"
# What follows from the rest or from the catalogue, or holds for one process only.
DERIVED = (
    "object_own", "object_state", "object_waits", "links", "interface_calls", "otel_traces_trace_id_ts", "schema_ledger",
    "causes", "state_folds", "leases", *state.CHECKED,
)  # fmt: skip
FIRST = ("messages", "job_runs")
TABLES = """
SELECT name
FROM system.tables
WHERE database = currentDatabase() AND (endsWith(engine, 'MergeTree') OR engine = 'Distributed')
    AND NOT endsWith(name, '_local') AND NOT startsWith(name, 'gov_') AND name NOT IN {derived:Array(String)}
ORDER BY name
"""
COLUMNS = """
SELECT name
FROM system.columns
WHERE database = currentDatabase() AND table = {table:String} AND default_kind NOT IN ('ALIAS', 'MATERIALIZED')
ORDER BY position
"""
Told = Callable[[str, int], None]


def backup(store: Store, folder: Path, told: Told = lambda table, n: None) -> int:
    """
    Copy a store into a folder that is not there yet; `told` hears of each table and its rows. How many rows.

    Raises: BadConfig, if the folder is there or cannot be written; StoreUnavailable.
    """
    if folder.exists():
        raise BadConfig(f"{folder} is there already: a backup is written to a folder of its own")
    part = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        n = _write(store, part, told)
        part.rename(folder)
    except OSError as err:
        raise BadConfig(f"the backup {folder} cannot be written: {err.strerror or err}") from err
    return n


def _write(store: Store, part: Path, told: Told) -> int:
    names = [str(row["name"]) for row in store.query(TABLES, {"derived": list(DERIVED)})]
    tables: dict[str, int] = {}
    for name in sorted(names, key=lambda name: (name not in FIRST, name)):
        n = int(store.value(f"SELECT count() FROM {quote(name)}"))  # noqa: S608 (a name of the store's own, quoted)
        if n:
            columns = ", ".join(f"`{row['name']}`" for row in store.query(COLUMNS, {"table": name}))
            with gzip.open(part / f"{name}.native.gz", "wb", compresslevel=1) as file:
                store.copy(f"SELECT {columns} FROM {quote(name)}", FORMAT, cast(BinaryIO, file))  # noqa: S608 (as above)
        tables[name] = n
        told(name, n)
    said = {"milepost": version("milepost"), "taken_at": datetime.now(UTC).isoformat(), "store": store.label, "tables": tables}
    (part / MANIFEST).write_text(json.dumps(said, indent=2), "utf-8")
    return sum(tables.values())


def restore(store: Store, folder: Path, told: Told = lambda table, n: None) -> int:
    """
    Fill a migrated store that has no rows from a backup, then derive the state. How many rows the store then has of it.

    Raises: BadConfig, if the folder is no backup, is of a newer Milepost, or the store is not empty; StoreUnavailable.
    """
    tables = _manifest(folder)
    known = {str(row["name"]) for row in store.query(TABLES, {"derived": list(DERIVED)})}
    if strangers := sorted(name for name, n in tables.items() if n and name not in known):
        unknown = ", ".join(strangers)
        raise BadConfig(f"the backup {folder} has tables that this Milepost does not know: {unknown}; use a newer one")
    if filled := sorted(name for name in known - {"job_runs"} if store.value(f"SELECT count() FROM {quote(name)}")):  # noqa: S608
        raise BadConfig(f"the store {store.label} is not empty ({', '.join(filled)}): restore into a new one")
    total = 0
    for name in sorted((name for name, n in tables.items() if n), key=lambda name: (name in FIRST, name)):
        with gzip.open(folder / f"{name}.native.gz", "rb") as file:
            settings = {"max_partitions_per_insert_block": 0}
            store.insert_body(name, file, FORMAT, settings, token=f"restore-{uuid.uuid4().hex}")
        n = int(store.value(f"SELECT count() FROM {quote(name)}"))  # noqa: S608
        told(name, n)
        total += n
    state.rebuild(store)
    return total


def _manifest(folder: Path) -> dict[str, int]:
    try:
        said = json.loads((folder / MANIFEST).read_text("utf-8"))
        return {str(name): int(n) for name, n in said["tables"].items()}
    except (OSError, ValueError, KeyError, AttributeError) as err:
        raise BadConfig(f"{folder} is no backup of Milepost: {MANIFEST} is missing or broken ({err})") from err
