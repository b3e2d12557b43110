"""
The door of an HTTP-borne source: what is checked before bytes from the network become a Message.

Why here and not in each kind: who may come in, how much, and in which wrapping is the same question for telemetry, events
and webhooks, and one answer to it can be tested to the end. Cheap checks come first, so that a stranger costs nothing: the
sender (collectors/sender.py), its allowance (collectors/gate.py), the wrapping; only then the body, its signature, and what
it unfolds to.

Why a body is unfolded in steps, each taken from the room before the next, and past the first step in a thread where sources
take turns: ten megabytes may hold ten gigabytes, and neither memory nor the event loop may be had for that.
"""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import islice

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from collectors.config import Limits
from collectors.fairness import Overloaded, Room
from collectors.gate import Gate
from collectors.message import Message, Source
from collectors.refused import Refused
from collectors.running import Means, Receipt
from collectors.sender import KeyOptions, Sender
from schema import observe
from schema.errors import StoreUnavailable

__all__ = ["Door", "KeyOptions", "Refused", "media_type"]

READ_TIMEOUT_S = 60
RETRY_AFTER = {"Retry-After": "5"}
CLOSE = {"Connection": "close"}
ACCEPT_GZIP = {"Accept-Encoding": "gzip"}
FED_BYTES = 16 * 1024
STEP_BYTES = 256 * 1024
SECRET_WORDS = ("auth", "cookie", "key", "token", "secret", "signature", "hmac")

Say = Callable[[Request, int, str], Response]
Accepted = Callable[[Request, Receipt], Response]
Handler = Callable[[Request], Awaitable[Response]]
Take = Callable[[int], None]


class Door:
    """Lets requests of one source in: who, how much, in which wrapping."""

    def __init__(self, source: Source, means: Means, content_types: Sequence[str]) -> None:
        self.source = source
        self._gate = means.gate or Gate(means.settings)
        self._sender = Sender(source, means.settings.listen, self._gate.keyring)
        self._deliver = means.deliver
        self._limits: Limits = means.settings.limits
        self._content_types = tuple(content_types)

    def endpoint(self, say: Say, accepted: Accepted) -> Handler:
        """A handler that answers after the commit: `accepted` says what was stored, `say` whatever else there is to say."""

        async def handle(request: Request) -> Response:
            try:
                with observe.span("intake.receive", source=self.source.name):
                    async with self.receive(request) as message:
                        receipt = await self._deliver(self.source, message)
            except Refused as err:
                self._gate.tell(self.source.name, err)
                return _with(say(request, err.status, str(err)), err.headers)
            except Overloaded as err:
                return _with(say(request, 429, str(err)), RETRY_AFTER)
            except StoreUnavailable as err:
                return _with(say(request, 503, str(err)), RETRY_AFTER)
            return accepted(request, receipt)

        return handle

    @asynccontextmanager
    async def receive(self, request: Request) -> AsyncIterator[Message]:
        """The message of a request; its bytes count as being in memory until the block ends."""
        received_at = datetime.now(UTC)
        whose = self._sender.admit(request)
        content_type = self._check_wrapping(request)
        with self._gate.passing(self.source.name, whose):
            taken = _Taken(self._gate.room, self.source.name, lambda n: self._gate.charge(whose, n))
            try:
                raw = await _read(request, self._limits.max_body_bytes, taken.take)
                self._sender.believe(request, raw)
                body = await self._unpack(request, raw, taken.take)
                name = f"{request.method} {request.url.path}"
                yield Message(body, received_at, content_type, headers_of(request, self._sender.secret_header), name)
            finally:
                taken.give_back()

    def _check_wrapping(self, request: Request) -> str:
        content_type = request.headers.get("content-type", "")
        if not _is_among(media_type(content_type), self._content_types):
            raise Refused(415, f"Content-Type {content_type!r} is not taken; allowed: {', '.join(self._content_types)}")
        encoding = _encoding(request)
        if encoding not in ("", "identity", "gzip"):
            raise Refused(415, f"Content-Encoding {encoding!r} is not taken; allowed: gzip, identity", ACCEPT_GZIP)
        return content_type

    async def _unpack(self, request: Request, raw: bytes, take: Take) -> bytes:
        if _encoding(request) != "gzip":
            return raw
        steps = gunzip(raw, self._limits.max_decompressed_bytes, take)
        first = list(islice(steps, 2))
        if len(first) < 2:
            return b"".join(first)
        rest: Future[list[bytes]] = self._gate.unpackers.submit(self.source.name, len(raw), list, steps)
        return b"".join((*first, *await asyncio.wrap_future(rest)))


class _Taken:
    """What one request has taken of the room, to be given back at once; nothing more can be taken after that."""

    def __init__(self, room: Room, whose: str, charge: Take) -> None:
        self._room, self._whose, self._charge = room, whose, charge
        self._n = 0
        self._is_over = False
        self._lock = threading.Lock()

    def take(self, n: int) -> None:
        with self._lock:
            if self._is_over:
                raise Overloaded("the request is over")
            self._room.take(n, self._whose)
            self._n += n
        self._charge(n)

    def give_back(self) -> None:
        with self._lock:
            self._is_over = True
            self._room.give(self._n, self._whose)


def media_type(content_type: str) -> str:
    """The type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def headers_of(request: Request, secret: str = "") -> dict[str, str]:
    """Headers in lower case, without secrets; UTF-8 where they are (the JS SDK sends it raw), else Latin-1."""
    said = ((name.decode("latin-1"), value) for name, value in request.headers.raw)
    return {name: _text(value) for name, value in said if name != secret and not any(word in name for word in SECRET_WORDS)}


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _is_among(got: str, allowed: Sequence[str]) -> bool:
    return got in allowed or (got != "" and "*/*" in allowed)


def _encoding(request: Request) -> str:
    return request.headers.get("content-encoding", "").strip().lower()


async def _read(request: Request, limit: int, take: Take) -> bytes:
    """The body; room is taken for the length that it says, so that of many at once some get through, and not each a part."""
    said = request.headers.get("content-length", "0")
    n = int(said) if said.isdigit() else 0
    if n > limit:
        raise _too_large(limit, "max_body_bytes")
    take(n)
    body = bytearray()
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit, "max_body_bytes")
                if len(body) > n:
                    take(len(body) - n)
                    n = len(body)
    except TimeoutError as err:
        raise Refused(408, f"the body did not arrive within {READ_TIMEOUT_S} s", CLOSE) from err
    except ClientDisconnect as err:
        raise Refused(400, "the sender hung up before the body was complete") from err
    return bytes(body)


def gunzip(raw: bytes, limit: int, take: Take) -> Iterator[bytes]:
    """Unfold members end to end, a step at a time; room is taken of each, and `limit` is never passed by more than one."""
    at = n = 0
    while at < len(raw):
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            fed = raw[at : at + FED_BYTES]
            try:
                step = member.decompress(fed, STEP_BYTES)
            except zlib.error as err:
                raise Refused(400, f"the body is not gzip: {err}") from err
            if not (fed or step or member.eof):
                raise Refused(400, "the gzip body ends too early")
            at += len(fed) - len(member.unconsumed_tail) - len(member.unused_data)
            n += len(step)
            if n > limit:
                raise _too_large(limit, "max_decompressed_bytes")
            take(len(step))
            yield step


def _too_large(limit: int, name: str) -> Refused:
    return Refused(413, f"the body is larger than {limit:,} bytes (limits.{name})")


def _with(response: Response, headers: Mapping[str, str]) -> Response:
    response.headers.update(headers)
    return response
