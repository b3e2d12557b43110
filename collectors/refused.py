"""
A request that is answered with an error at the door, before anything of it is kept.

Why one class for all of them: who may come in, how often and in which wrapping is asked in several modules, and answered in
one place, in the encoding of the caller.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from schema.errors import MilepostError


class Refused(MilepostError):
    """The request is answered with this status; nothing of it was kept. The text repeats no secret."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = dict(headers or {})


def too_many(text: str, wait_s: float = 1) -> Refused:
    """429: the sender keeps its data and comes back after so many seconds (whole ones, as the header wants them)."""
    return Refused(429, text, {"Retry-After": str(max(1, math.ceil(wait_s)))})
