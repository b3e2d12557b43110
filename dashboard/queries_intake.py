"""
What the Intake page reads: sources, rejects with their bytes, findings, jobs, and what Milepost says of itself.

Why the bytes of a reject are asked for only when somebody looks at one: a list of five hundred rejects is a few kilobytes,
their payloads may be megabytes.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from dashboard.queries import LIVE_S, Rows, ask, cached, direct

SINCE = "from = WINDOW_START, as_of = AS_OF"
SHOWN_BYTES = 4096


@cached(LIVE_S)
def sources(as_of: datetime | None, length_s: int) -> Rows:
    """Every source, the worst first: silent ones, the longest first, then those with open rejects, then by name."""
    return ask(
        f"""
        SELECT * FROM sources({SINCE})
        ORDER BY indexOf(['off_target', 'watch', 'no_data', 'on_target'], status),
            if(status = 'off_target', silent_s - cadence_s - grace_s, 0) DESC, n_rejects DESC, source
        """,  # noqa: S608 names of parameters
        as_of,
        length_s=length_s,
    )


@cached(LIVE_S)
def reasons(as_of: datetime | None, source: str) -> Rows:
    """Open rejects by source and the first line of their reason, the most frequent first; '' is every source."""
    return ask(
        """
        SELECT toString(source) AS name, splitByChar('\\n', reason)[1] AS why, count() AS n,
               min(received_at) AS first_at, max(received_at) AS last_at
        FROM rejects FINAL
        WHERE status = 'open' AND received_at <= AS_OF AND ({source:String} = '' OR source = {source:String})
        GROUP BY name, why ORDER BY n DESC, last_at DESC LIMIT 100
        """,
        as_of, source=source,
    )  # fmt: skip


@cached(LIVE_S)
def rejects(as_of: datetime | None, source: str) -> Rows:
    """Open rejects, newest first, at most 500, without their bytes; '' is every source."""
    return ask(
        """
        SELECT toString(source) AS name_of_source, reject_id, name, toString(format) AS format,
               toString(content_type) AS content_type, received_at, reason, length(body) AS bytes
        FROM rejects FINAL
        WHERE status = 'open' AND received_at <= AS_OF AND ({source:String} = '' OR source = {source:String})
        ORDER BY received_at DESC, reject_id LIMIT 500
        """,
        as_of, source=source,
    )  # fmt: skip


@direct
def reject(reject_id: str) -> dict[str, Any] | None:
    """One reject, whatever became of it, with the first bytes of its message in `head`. Not cached: a replay changes it."""
    rows = ask(
        """
        SELECT toString(source) AS name_of_source, reject_id, name, toString(format) AS format,
               toString(content_type) AS content_type, received_at, reason, toString(status) AS status, length(body) AS bytes,
               base64Encode(substring(body, 1, {most:UInt32})) AS body_head
        FROM rejects FINAL WHERE reject_id = {id:String} LIMIT 1
        """,
        None, id=reject_id, most=SHOWN_BYTES,
    )  # fmt: skip
    return {**rows[0], "head": base64.b64decode(rows[0]["body_head"])} if rows else None


@direct
def payload(reject_id: str) -> bytes:
    """All the bytes of a reject, for a download."""
    rows = ask("SELECT base64Encode(body) AS b FROM rejects FINAL WHERE reject_id = {id:String} LIMIT 1", None, id=reject_id)
    return base64.b64decode(rows[0]["b"]) if rows else b""


@cached(LIVE_S)
def findings(as_of: datetime | None, length_s: int, source: str) -> Rows:
    """What was odd in messages that were stored all the same: by source, kind and text, the most frequent first."""
    return ask(
        """
        SELECT toString(source) AS name, toString(code) AS kind, text, sum(f.n) AS n, uniqExact(message_id) AS n_messages,
               max(received_at) AS last_at, argMax(f.place, received_at) AS place
        FROM findings AS f FINAL
        WHERE received_at > WINDOW_START AND received_at <= AS_OF
          AND ({source:String} = '' OR source = {source:String})
        GROUP BY name, kind, text ORDER BY n DESC, last_at DESC LIMIT 200
        """,
        as_of, length_s=length_s, source=source,
    )  # fmt: skip


@cached(LIVE_S)
def jobs(as_of: datetime | None, length_s: int) -> Rows:
    """Our own jobs, failed ones first."""
    return ask(f"SELECT * FROM jobs({SINCE}) ORDER BY is_ok, name", as_of, length_s=length_s)  # noqa: S608 names


@cached(LIVE_S)
def own_acts(as_of: datetime | None, length_s: int) -> Rows:
    """Milepost's own spans by name, failing and slow ones first."""
    sql = f"SELECT * FROM own_acts({SINCE}) ORDER BY n_errors > 0 DESC, p95_s DESC, act"  # noqa: S608 names of parameters
    return ask(sql, as_of, length_s=length_s)
