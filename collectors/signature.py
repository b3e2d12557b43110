"""
Signatures of webhooks: HMAC-SHA256 over the raw body, or over `timestamp.body` within a window of time.

Why a window: a signature over the body alone is good for ever, so that whoever reads it once in a log may send the message
again in a year. With `hmac_timestamp_header` the time is signed too (as Stripe and Slack do), and an old one is refused.

Why signatures are remembered within the window: in CloudEvents' binary mode the headers say what the event is, and no
signature covers them. The very same message again is harmless (a sender that retries); the same signature under other
CloudEvents headers is somebody else's message. What is remembered is bounded; beyond that the sender has to wait, for
forgetting early would let such a message in. The memory is of one process: of several collectors each has its own.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections import OrderedDict
from collections.abc import Sequence

from starlette.requests import Request

from collectors.refused import Refused, too_many

MAX_SEEN = 100_000
UNIX_S = re.compile(r"[0-9]{1,11}")


class Signature:
    """How one source signs, and what it has signed of late."""

    def __init__(self, key: bytes, header: str, timestamp_header: str, window_s: int) -> None:
        self._key, self._header, self._timestamp_header, self._window_s = key, header, timestamp_header, window_s
        self._seen: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()

    def check(self, request: Request, raw: bytes) -> None:
        """Raises: Refused, if the signature is wrong, too old, from the future, or was used for another message."""
        if not self._timestamp_header:
            self._digest(request, raw, "the raw body")
            return
        said = request.headers.get(self._timestamp_header, "").strip()
        if not UNIX_S.fullmatch(said):
            raise Refused(401, f"{self._timestamp_header} must be the time of signing in Unix seconds")
        digest = self._digest(request, said.encode() + b"." + raw, f"{self._timestamp_header}, a dot and the raw body")
        now = time.time()
        if abs(now - int(said)) > self._window_s:
            late_s = int(now) - int(said)
            text = f"was signed {abs(late_s)} s {'ago' if late_s > 0 else 'ahead of our clock'}"
            raise Refused(401, f"this message {text}; {self._window_s} s are allowed (hmac_window_s)")
        self._once(digest, _event_headers(request.headers.raw), int(said) + self._window_s, now)

    def _digest(self, request: Request, signed: bytes, what: str) -> bytes:
        want = hmac.new(self._key, signed, hashlib.sha256)
        got = request.headers.get(self._header, "").removeprefix("sha256=").lower()
        if not hmac.compare_digest(got.encode(), want.hexdigest().encode()):
            raise Refused(401, f"{self._header} must be 'sha256=' and the HMAC-SHA256 of {what} in hex")
        return want.digest()

    def _once(self, digest: bytes, headers: bytes, until: float, now: float) -> None:
        """Remember the message until its signature is too old; refuse another under the same signature."""
        while self._seen and next(iter(self._seen.values()))[0] < now:
            self._seen.popitem(last=False)
        if known := self._seen.get(digest):
            if known[1] != headers:
                raise Refused(401, f"this {self._header} was already used for a message with other CloudEvents headers")
            return
        if len(self._seen) >= MAX_SEEN:
            oldest = next(iter(self._seen.values()))[0]
            text = f"{MAX_SEEN:,} signatures of the last {self._window_s} s are remembered, and no more may be"
            raise too_many(text, oldest - now)
        self._seen[digest] = (until, headers)


def _event_headers(raw: Sequence[tuple[bytes, bytes]]) -> bytes:
    """What the headers say of the event, in 16 bytes: the CloudEvents attributes and how the body is to be read."""
    said = sorted((k, v) for k, v in raw if k.startswith((b"ce-", b"ce_")) or k in (b"content-type", b"content-encoding"))
    return hashlib.sha256(repr(said).encode()).digest()[:16]
