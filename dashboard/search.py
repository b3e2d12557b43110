"""
Any key to the thing that it names: exact id, then other keys, a trace, an exception; else what begins with it.

Why in this order and not one big OR: each step is an index of its own and most searches end at the first one, within
milliseconds, however much history there is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dashboard import queries, session, units

MAX_HITS = 12


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a search leads. `is_exact`: it is what was asked for, and not only begins like it."""

    page: str
    label: str
    params: dict[str, str] = field(default_factory=dict)
    is_exact: bool = True


def find(text: str) -> list[Hit]:
    """What is known by this key: exact ones, or at most a dozen suggestions, or nothing."""
    key = text.strip()[:512]
    if not key:
        return []
    exact = _objects(queries.objects_by_id(key)) or _objects(queries.objects_by_key(key))
    return exact or _traces(key) or _exceptions(key) or _objects(queries.objects_by_prefix(key), is_exact=False)


def _objects(found: list[dict[str, str]], *, is_exact: bool = True) -> list[Hit]:
    return [
        Hit(
            "object",
            f"{units.title(o['object_type'])} {units.plain(o['object_id'])}",
            {"type": o["object_type"], "id": o["object_id"]},
            is_exact,
        )
        for o in found[:MAX_HITS]
    ]


def _traces(key: str) -> list[Hit]:
    trace = key.lower()
    if not re.fullmatch(r"[0-9a-f]{32}", trace) or not session.viewer().sees("traces") or not queries.is_trace(trace):
        return []
    return [Hit("traces", f"Trace {trace[:12]}…", {"trace": trace})]


def _exceptions(key: str) -> list[Hit]:
    id_ = key.lower()
    if not re.fullmatch(r"[0-9a-f]{1,16}", id_) or not session.viewer().sees("exceptions") or not queries.is_exception(id_):
        return []
    return [Hit("exceptions", f"Exception {id_}", {"exception": id_})]
