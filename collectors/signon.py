"""
Single sign-on of the pages as milepost.toml says it: the provider, the names of the secrets, and which group may see what.

Why it stands with the configuration and not with the pages: one file says everything, and a typing error in it stops the start.
What a role is and which cuts there are is the pages' to say (`dashboard/access.py`); here are the addresses and the secrets.

    [auth]
    issuer = "https://login.example.com/realms/acme"
    client_id = "milepost"
    redirect_uri = "https://milepost.example.com/oauth2callback"

    [auth.groups]
    logistics-ops = "ops"
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from schema.errors import BadConfig

CALLBACK = "/oauth2callback"
MIN_SECRET = 32
LOCAL = ("127.0.0.1", "localhost", "::1")


class Auth(BaseModel):
    """[auth]: OpenID Connect. `groups`: a group of the provider -> a role; `scopes`: a group -> its part of the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    client_id: str
    redirect_uri: str
    client_secret_env: str = "MILEPOST_CLIENT_SECRET"  # noqa: S105 the name of a variable
    cookie_secret_env: str = "MILEPOST_COOKIE_SECRET"  # noqa: S105 the name of a variable
    ask_for: str = "openid email profile"
    groups_claim: str = "groups"
    session_h: float = Field(default=12, gt=0, le=720)
    groups: dict[str, str] = {}
    scopes: dict[str, list[str]] = {}

    @field_validator("issuer", "redirect_uri")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
            raise ValueError("must be https, or http on this machine")
        return value.rstrip("/")

    @field_validator("redirect_uri")
    @classmethod
    def _comes_back(cls, value: str) -> str:
        if urlsplit(value).path != CALLBACK:
            raise ValueError(f"must end with {CALLBACK}, right after the host")
        return value


def section(auth: Auth, env: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """What Streamlit's login takes, with the secrets. Raises: BadConfig, if one is not in the environment or is too short."""
    cookie_secret = _secret("cookie_secret_env", auth.cookie_secret_env, env)
    if len(cookie_secret) < MIN_SECRET:
        raise BadConfig(f"{auth.cookie_secret_env} (auth.cookie_secret_env) is shorter than {MIN_SECRET} characters")
    return {
        "redirect_uri": auth.redirect_uri,
        "client_id": auth.client_id,
        "client_secret": _secret("client_secret_env", auth.client_secret_env, env),
        "cookie_secret": cookie_secret,
        "server_metadata_url": f"{auth.issuer}/.well-known/openid-configuration",
        "client_kwargs": {"scope": auth.ask_for},
    }


def _secret(key: str, variable: str, env: Mapping[str, str]) -> str:
    if not env.get(variable):
        raise BadConfig(f"auth.{key} names {variable}, which is not set in the environment")
    return env[variable]
