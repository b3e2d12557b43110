"""
Single sign-on as milepost.toml says it: pages open to the network ask for it, and half a login is none.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import milepost
from collectors import config
from schema.errors import BadConfig

AUTH = """
[auth]
issuer = "https://login.example.com/realms/acme"
client_id = "milepost"
redirect_uri = "https://milepost.example.com/oauth2callback"
[auth.groups]
logistics-ops = "ops"
emea = "it"
[auth.scopes]
emea = ["region=EU-West", "region=EU-North"]
"""
SECRETS = {"MILEPOST_CLIENT_SECRET": "of the provider", "MILEPOST_COOKIE_SECRET": "c" * 32}


def settings(folder: Path, text: str) -> config.Settings:
    (folder / "milepost.toml").write_text(text, "utf-8")
    return config.load(folder / "milepost.toml", {})


def test_pages_open_to_the_network_without_login_do_not_start(tmp_path: Path) -> None:
    """The refusal says each of the three ways out."""
    open_host = settings(tmp_path, '[listen]\nhost = "0.0.0.0"\n')
    with pytest.raises(BadConfig, match=r"(?s)'0\.0\.0\.0'.*\[auth\].*127\.0\.0\.1.*allow_without_login"):
        milepost._login(open_host)
    assert milepost._login(settings(tmp_path, '[listen]\nhost = "0.0.0.0"\nallow_without_login = true\n')) is None
    assert milepost._login(settings(tmp_path, "")) is None


def test_a_login_is_made_of_the_file_and_of_secrets_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is committed and mailed; the secrets are not in it, nor in what a log would show."""
    for name, text in SECRETS.items():
        monkeypatch.setenv(name, text)
    login = milepost._login(settings(tmp_path, '[listen]\nhost = "0.0.0.0"\n' + AUTH))
    assert login
    assert login.section["server_metadata_url"] == "https://login.example.com/realms/acme/.well-known/openid-configuration"
    assert login.policy.scopes == {"emea": ("region=EU-West", "region=EU-North")}
    assert not any(text in repr(login) for text in SECRETS.values())


@pytest.mark.parametrize(
    ("change", "secrets", "said"),
    [
        (("", ""), {}, "auth.client_secret_env names MILEPOST_CLIENT_SECRET, which is not set|cookie_secret_env names"),
        (("", ""), SECRETS | {"MILEPOST_COOKIE_SECRET": "short"}, "shorter than 32 characters"),
        (('= "ops"', '= "boss"'), SECRETS, "role 'boss' is unknown; known: ops, executive, it, admin"),
        (("region=EU-West", "planet=EU"), SECRETS, "'planet=EU' is no 'cut=value'; known cuts: region"),
        (("https://login", "http://login"), SECRETS, "auth.issuer: must be https"),
        (("/oauth2callback", "/"), SECRETS, "auth.redirect_uri: must end with /oauth2callback"),
        (("client_id", "client_secret"), SECRETS, "auth.client_secret: Extra inputs"),
    ],
    ids=["no secret", "a short secret", "a role", "a cut", "an insecure issuer", "no way back", "a secret in the file"],
)
def test_a_mistake_in_the_login_stops_the_start_and_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str], secrets: dict[str, str], said: str
) -> None:
    """Half a login is none: better no pages than pages for everybody."""
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    for name, text in secrets.items():
        monkeypatch.setenv(name, text)
    with pytest.raises(BadConfig, match=said):
        milepost._login(settings(tmp_path, AUTH.replace(*change, 1)))
