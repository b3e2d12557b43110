"""
An OpenID Connect provider on loopback: discovery, authorization, token, keys and user info, with codes that are good once and
tokens that are really signed.

Why not a canned token: what is tested is that the pages believe the provider and nobody else, so the signature, the nonce, the
audience, the redirect address and PKCE must be the real thing. Who signs in is what the test said last (`people`, `next`).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "milepost", "the client's secret"


class Provider:
    """The provider in a thread of its own, until the block ends. `people` sign in by their name on its page."""

    def __init__(self, port: int, redirect_uri: str) -> None:
        self.issuer, self._redirect_uri = f"http://127.0.0.1:{port}", redirect_uri
        self.people: dict[str, Mapping[str, Any]] = {}
        self.pages = urlsplit(redirect_uri).port
        self.age_s = 0
        self.signs_with = self._key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self._codes: dict[str, dict[str, Any]] = {}
        self._server = uvicorn.Server(uvicorn.Config(self._app(), host="127.0.0.1", port=port, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> Provider:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)

    def forge(self) -> None:
        """From now on tokens are signed with a key that is not among the published ones."""
        self.signs_with = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/authorize", self._authorize),
                Route("/enter", self._enter),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
                Route("/userinfo", self._userinfo),
            ]
        )

    async def _discovery(self, _: Request) -> Response:
        at = {f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in (("authorization", "authorize"), ("token", "token"))}
        return JSONResponse(
            at
            | {
                "issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", "userinfo_endpoint": f"{self.issuer}/userinfo",
                "response_types_supported": ["code"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["S256"],
            }
        )  # fmt: skip

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if asked.get("client_id") != CLIENT or asked.get("redirect_uri") != self._redirect_uri:
            return JSONResponse({"error": "invalid_request", "got": asked}, 400)
        links = "".join(f'<a href="/enter?{urlencode(asked | {"who": who})}">Sign in as {who}</a>' for who in self.people)
        return HTMLResponse(f"<!doctype html><title>The provider</title>{links}")

    async def _enter(self, request: Request) -> Response:
        asked = dict(request.query_params)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return RedirectResponse(f"{self._redirect_uri}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    async def _token(self, request: Request) -> Response:
        form = dict(await request.form())
        asked = self._codes.pop(str(form.get("code")), None)
        if asked is None or not self._is_client(request, form) or not _proves(form, asked):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time()) - self.age_s
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": asked["who"], "iat": now, "exp": int(time.time()) + 3600,
            "nonce": asked.get("nonce", ""), **self.people[asked["who"]],
        }  # fmt: skip
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signs_with)
        return JSONResponse({"access_token": secrets.token_urlsafe(8), "token_type": "Bearer", "expires_in": 3600, "id_token": token})

    async def _userinfo(self, _: Request) -> Response:
        return JSONResponse({"error": "invalid_token"}, 401)

    def _is_client(self, request: Request, form: Mapping[str, Any]) -> bool:
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        sent = request.headers.get("authorization", "")
        quoted = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '+').replace(chr(39), '%27')}".encode()).decode()
        return sent in (f"Basic {basic}", f"Basic {quoted}") or form.get("client_secret") == SECRET


def _proves(form: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """PKCE: who redeems the code is who asked for it."""
    digest = hashlib.sha256(str(form.get("code_verifier", "")).encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked.get("code_challenge")
