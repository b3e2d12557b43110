"""
The errors of the house. A class says what the caller must do; the message says what was got, where, and what is allowed.

Why classes and not codes: each is handled in one place only (the start, the runner, the HTTP edge, the pages), and the
type alone decides between "a person must edit a file", "a retry cannot help" and "try again".
"""

from __future__ import annotations

from pydantic import ValidationError


class MilepostError(Exception):
    """Whatever Milepost itself reports. Anything else that escapes is a bug."""


class BadConfig(MilepostError):
    """A person must edit a file: the start stops with exit code 2 and the known values are listed."""


class BadPayload(MilepostError):
    """A retry cannot help: the message goes to `rejects` with its bytes and this reason, and is acknowledged."""


class SourceUnavailable(MilepostError):
    """The other side is away: back off with jitter and try again."""


class StoreUnavailable(MilepostError):
    """Our side is away: nothing is acknowledged; HTTP 503 with Retry-After, a banner on the pages."""


class BadDefinition(MilepostError):
    """A KPI, detector, view or migration file is wrong: the check and the tests fail before anyone runs it."""


def explain(err: ValidationError) -> str:
    """One line an error: the key, what was got, what is allowed."""
    lines = []
    for e in err.errors(include_url=False):
        key = ".".join(str(part) for part in e["loc"])
        got = "" if e["type"] in ("missing", "value_error") else f" (got {str(e['input'])[:80]!r})"
        lines.append(f"  {key + ': ' if key else ''}{e['msg'].removeprefix('Value error, ')}{got}")
    return "\n".join(lines)
