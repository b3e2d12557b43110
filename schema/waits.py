"""
Who waits for what, kept as rows beside the state (`object_waits`): what KPIs of time and the funnel read.

Why kept and not computed where it is asked: a wait is a few lines of arithmetic over an object's whole history, and a window of
a month would do it for every object that ever was; kept, a window reads what happened in it. Why by a materialised view of the
state and not by the round itself: whoever writes the state, a round, a rebuild or a demo, cannot forget it. An INSERT is not
atomic with its view, so the first round after a start, and every rebuild, mend what the last process may have torn (`heal`).
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from schema.chunks import Chunk
from schema.definitions import migrations_of, one_statement
from schema.store import Store

VIEW = "object_waits_mv"
COLUMNS = (
    "what, name, gone_at, began_at, object_type, object_id, is_ended, since, open_since_s, due_at, elapsed_s, next, expected, "
    "is_overlay, limit_s, clock, tenant, region, warehouse, carrier, customer, order_class, mode, "
    "value"
)
TOUCHED = "(object_type, object_id) IN (SELECT object_type, object_id FROM touched WHERE step IN (1, 3))"
ROW = f"toInt64(sign) * toInt64(cityHash64({COLUMNS}, ver))"
REFILL = f"INSERT INTO object_waits ({COLUMNS}, sign, ver)\nWAITS"
# What is missing (n > 0) or too much (n < 0) of what was touched, by row and version.
HEAL = f"""
INSERT INTO object_waits ({COLUMNS}, sign, ver)
SELECT {COLUMNS}, toInt8(sign(n)), ver FROM
(
    SELECT {COLUMNS}, ver, sum(s) AS n FROM
    (
        SELECT {COLUMNS}, ver, toInt64(sign) AS s FROM (WAITS)
        UNION ALL
        SELECT {COLUMNS}, ver, -toInt64(sign) FROM object_waits WHERE {TOUCHED}
    )
    GROUP BY {COLUMNS}, ver
    HAVING n != 0
)
ARRAY JOIN range(toUInt64(abs(n))) AS copy
"""  # noqa: S608 names of this module
DRIFT = f"""
SELECT toString(object_type) AS type, object_id AS id FROM
(
    SELECT object_type, object_id, {ROW} AS h FROM (WAITS)
    UNION ALL
    SELECT object_type, object_id, -{ROW} FROM object_waits WHERE CHUNK
)
GROUP BY object_type, object_id
HAVING sum(h) != 0
ORDER BY type, id
LIMIT 1000
"""  # noqa: S608 names of this module


def digest() -> str:
    """Changes with the text of the fold and with its table: then the view is made again, and its rows with it."""
    said = (_sql(), migrations_of("object_waits"))
    return hashlib.blake2b(repr(said).encode(), digest_size=16).hexdigest()


def define(store: Store) -> None:
    """Make the view as the fold has it now."""
    store.command(f"DROP VIEW IF EXISTS {VIEW}")
    store.command(f"CREATE MATERIALIZED VIEW {VIEW} TO object_waits AS\n{_sql()}")


def refill(store: Store) -> None:
    """
    Compute every wait from the state as it is kept: the rules have changed. Not by `heal`: a row that is another under the key
    and version of the one before would be taken for its double.
    """
    store.command("TRUNCATE TABLE object_waits")
    store.command(REFILL.replace("WAITS", _of_state("1")))


def heal(store: Store) -> None:
    """Make the waits of the objects in `touched` those of their state, whatever a crash has left of them."""
    store.command(HEAL.replace("WAITS", _of_state(TOUCHED)))


def drifted(store: Store, chunk: Chunk) -> list[tuple[str, str]]:
    """Objects (of one chunk of all) whose kept waits are not those of their state, at most 1,000: (type, id). None is right."""
    rows = store.query(DRIFT.replace("WAITS", _of_state("CHUNK")).replace("CHUNK", chunk.where()), chunk.params)
    return [(row["type"], row["id"]) for row in rows]


def _of_state(which: str) -> str:
    """The fold over the state as it is kept, instead of over the rows that are being written."""
    return _sql().replace("FROM object_state AS o", f"FROM (SELECT * FROM object_state FINAL PREWHERE {which}) AS o")  # noqa: S608


@cache
def _sql() -> str:
    return one_statement("folds/waits.sql", files("schema").joinpath("folds", "waits.sql").read_text("utf-8"))
