"""
Who sends: what a request must show before a byte of its body is read, and what its body must show before it is believed.

Why any request with an Origin is turned away and no CORS header is ever sent: the default is a port on loopback without a
key, and a web page must not be able to write through its visitor's browser.
Why a door that has ever asked for a key goes on asking: keys.toml may be emptied or lost while we run, and a source must
not become open by that.
"""

from __future__ import annotations

import hmac
import ipaddress

from pydantic import BaseModel, Field
from starlette.requests import Request

from collectors.config import Listen, options, secret
from collectors.keys import BEARER, Keyring
from collectors.message import Source
from collectors.refused import Refused
from collectors.signature import Signature
from schema.errors import BadConfig


class KeyOptions(BaseModel):
    """
    How an HTTP-borne source knows its sender: an API key (of keys.toml, or in an environment variable), an HMAC signature
    whose key is in an environment variable. A key and a signature both configured, both are asked for.
    """

    api_key_env: str = ""
    hmac_env: str = ""
    hmac_header: str = "X-Hub-Signature-256"
    hmac_timestamp_header: str = ""
    hmac_window_s: int = Field(default=300, gt=0)


class Sender:
    """Knows the senders of one source. `secret_header` is where they sign, and is not to be kept."""

    def __init__(self, source: Source, listen: Listen, keyring: Keyring) -> None:
        mine = options(source, KeyOptions)
        self._source, self._keyring = source, keyring
        self._api_key = secret(source, "api_key_env", mine.api_key_env)
        hmac_key = secret(source, "hmac_env", mine.hmac_env)
        self._signature = (
            Signature(hmac_key, mine.hmac_header, mine.hmac_timestamp_header, mine.hmac_window_s) if hmac_key else None
        )
        self.secret_header = mine.hmac_header.lower()
        self._asks_for_key = bool(self._api_key) or keyring.has(source.name)
        if not (self._asks_for_key or self._signature):
            _only_on_loopback(source, listen)

    def admit(self, request: Request) -> str:
        """
        Whose allowance the request is counted against: its key's, else its source's.

        Raises: Refused, for a web page, and for a key that is missing, wrong, or another source's.
        """
        if "origin" in request.headers:
            raise Refused(403, "requests from web pages (with an Origin header) are not taken")
        self._asks_for_key = self._asks_for_key or self._keyring.has(self._source.name)
        if not self._asks_for_key:
            return self._source.name
        token = _token(request)
        if not token:
            raise Refused(401, "send the API key as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'", BEARER)
        if self._api_key and hmac.compare_digest(token.encode(), self._api_key):
            return self._source.name
        return self._keyring.admit(token, self._source.name, self._source.format).id

    def believe(self, request: Request, raw: bytes) -> None:
        """Raises: Refused, if the source signs and this body is not signed as it should be."""
        if self._signature:
            self._signature.check(request, raw)


def _only_on_loopback(source: Source, listen: Listen) -> None:
    if listen.allow_without_keys or _is_loopback(listen.host):
        return
    raise BadConfig(
        f"sources.{source.name} has no key, and listen.host {listen.host!r} is open to the network: make one with "
        f"`milepost keys add {source.name}`, or set sources.{source.name}.api_key_env to the name of an environment variable, "
        'or listen.host = "127.0.0.1", or, behind a gateway that knows its senders, listen.allow_without_keys = true'
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return (token if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")).strip()
