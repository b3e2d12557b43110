"""
The door of an HTTP-borne source: what is checked before bytes from the network become a Message.

Why here and not in each kind: who may come in, how much, and in which wrapping is the same question for telemetry, events
and webhooks, and one answer to it can be tested to the end. Cheap checks come first, so that a stranger costs nothing.

Why a browser is turned away (any request with an Origin) and no CORS header is ever sent: the default is a port on
loopback without a key, and a web page must not be able to write through its visitor's browser.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from anyio.to_thread import run_sync
from pydantic import BaseModel
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from collectors.config import Limits, Listen, options, secret
from collectors.message import Message, Source
from collectors.running import Means, Receipt
from collectors.sink import Overloaded, Room
from schema import observe
from schema.errors import BadConfig, MilepostError, StoreUnavailable

READ_TIMEOUT_S = 60
RETRY_AFTER = {"Retry-After": "5"}
BEARER = {"WWW-Authenticate": "Bearer"}
ACCEPT_GZIP = {"Accept-Encoding": "gzip"}
INLINE_BYTES = 64 * 1024
SECRET_WORDS = ("auth", "cookie", "key", "token", "secret", "signature")

Say = Callable[[Request, int, str], Response]
Accepted = Callable[[Request, Receipt], Response]
Handler = Callable[[Request], Awaitable[Response]]


class Refused(MilepostError):
    """The request is answered with this status; nothing of it was kept."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = dict(headers or {})


class KeyOptions(BaseModel):
    """How an HTTP-borne source knows its sender; each names an environment variable. Both given, both are asked for."""

    api_key_env: str = ""
    hmac_env: str = ""
    hmac_header: str = "X-Hub-Signature-256"


class Door:
    """Lets requests of one source in: who, how much, in which wrapping."""

    def __init__(self, source: Source, means: Means, content_types: Sequence[str], room: Room | None = None) -> None:
        keys = options(source, KeyOptions)
        self.source = source
        self._deliver = means.deliver
        self._limits: Limits = means.settings.limits
        self._room = room or Room(self._limits.max_queue_bytes)
        self._content_types = tuple(content_types)
        self._api_key = secret(source, "api_key_env", keys.api_key_env)
        self._hmac_key = secret(source, "hmac_env", keys.hmac_env)
        self._hmac_header = keys.hmac_header
        if not (self._api_key or self._hmac_key):
            _only_on_loopback(source, means.settings.listen)

    def endpoint(self, say: Say, accepted: Accepted) -> Handler:
        """A handler that answers after the commit: `accepted` says what was stored, `say` whatever else there is to say."""

        async def handle(request: Request) -> Response:
            try:
                with observe.span("intake.receive", source=self.source.name):
                    async with self.receive(request) as message:
                        receipt = await self._deliver(self.source, message)
            except Refused as err:
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
        self._check_sender(request)
        content_type = self._check_wrapping(request)
        taken = _Taken(self._room)
        try:
            raw = await _read(request, self._limits.max_body_bytes, taken)
            self._check_signature(request, raw)
            body = await _unpack(request, raw, self._limits.max_decompressed_bytes, taken)
            name = f"{request.method} {request.url.path}"
            yield Message(body, received_at, content_type, headers_of(request), name)
        finally:
            taken.give_back()

    def _check_sender(self, request: Request) -> None:
        if "origin" in request.headers:
            raise Refused(403, "requests from web pages (with an Origin header) are not taken")
        if self._api_key and not hmac.compare_digest(_api_key(request), self._api_key):
            raise Refused(401, "send the API key as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'", BEARER)

    def _check_wrapping(self, request: Request) -> str:
        content_type = request.headers.get("content-type", "")
        if not _is_among(media_type(content_type), self._content_types):
            raise Refused(415, f"Content-Type {content_type!r} is not taken; allowed: {', '.join(self._content_types)}")
        encoding = _encoding(request)
        if encoding not in ("", "identity", "gzip"):
            raise Refused(415, f"Content-Encoding {encoding!r} is not taken; allowed: gzip, identity", ACCEPT_GZIP)
        return content_type

    def _check_signature(self, request: Request, raw: bytes) -> None:
        if not self._hmac_key:
            return
        want = hmac.new(self._hmac_key, raw, hashlib.sha256).hexdigest()
        got = request.headers.get(self._hmac_header, "").removeprefix("sha256=").lower()
        if not hmac.compare_digest(got.encode(), want.encode()):
            raise Refused(401, f"{self._hmac_header} must be 'sha256=' and the HMAC-SHA256 of the raw body in hex")


class _Taken:
    """What one request has taken of the room, to be given back at once."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._n = 0

    def take(self, n: int) -> None:
        self._room.take(n)
        self._n += n

    def give_back(self) -> None:
        self._room.give(self._n)


def media_type(content_type: str) -> str:
    """The type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def headers_of(request: Request) -> dict[str, str]:
    """Headers in lower case, without secrets; UTF-8 where they are (the JS SDK sends it raw), else Latin-1."""
    return {
        name.decode("latin-1"): _text(value)
        for name, value in request.headers.raw
        if not any(word in name.decode("latin-1") for word in SECRET_WORDS)
    }


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _only_on_loopback(source: Source, listen: Listen) -> None:
    if listen.allow_without_keys or _is_loopback(listen.host):
        return
    raise BadConfig(
        f"sources.{source.name} has no key, and listen.host {listen.host!r} is open to the network: set "
        f'sources.{source.name}.api_key_env to the name of an environment variable, or listen.host = "127.0.0.1", or, behind '
        "a gateway that knows its senders, listen.allow_without_keys = true"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _api_key(request: Request) -> bytes:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    key = token if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
    return key.strip().encode()


def _is_among(got: str, allowed: Sequence[str]) -> bool:
    return got in allowed or (got != "" and "*/*" in allowed)


def _encoding(request: Request) -> str:
    return request.headers.get("content-encoding", "").strip().lower()


async def _read(request: Request, limit: int, taken: _Taken) -> bytes:
    said = request.headers.get("content-length", "0")
    if said.isdigit() and int(said) > limit:
        raise _too_large(limit, "max_body_bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            async for chunk in request.stream():
                if len(body) + len(chunk) > limit:
                    raise _too_large(limit, "max_body_bytes")
                taken.take(len(chunk))
                body += chunk
    except TimeoutError as err:
        raise Refused(408, f"the body did not arrive within {READ_TIMEOUT_S} s") from err
    except ClientDisconnect as err:
        raise Refused(400, "the sender hung up before the body was complete") from err
    return bytes(body)


async def _unpack(request: Request, raw: bytes, limit: int, taken: _Taken) -> bytes:
    if _encoding(request) != "gzip":
        return raw
    body = gunzip(raw, limit) if len(raw) < INLINE_BYTES else await run_sync(gunzip, raw, limit)
    taken.take(len(body))
    return body


def gunzip(raw: bytes, limit: int) -> bytes:
    """Decompress, members end to end; never more than `limit` bytes come into being."""
    body = bytearray()
    while raw:
        member = zlib.decompressobj(wbits=31)
        try:
            body += member.decompress(raw, limit + 1 - len(body))
        except zlib.error as err:
            raise Refused(400, f"the body is not gzip: {err}") from err
        if len(body) > limit:
            raise _too_large(limit, "max_decompressed_bytes")
        if not member.eof:
            raise Refused(400, "the gzip body ends too early")
        raw = member.unused_data
    return bytes(body)


def _too_large(limit: int, name: str) -> Refused:
    return Refused(413, f"the body is larger than {limit:,} bytes (limits.{name})")


def _with(response: Response, headers: Mapping[str, str]) -> Response:
    response.headers.update(headers)
    return response
