"""A configuration is wrong far more often than code is: what it says then must be enough to mend it without the manual."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from collectors import config
from collectors.message import Source
from schema.errors import BadConfig


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """milepost.toml with this text."""

    def make(told: str) -> Path:
        path = tmp_path / "milepost.toml"
        path.write_text(told, "utf-8")
        return path

    return make


def test_without_a_file_telemetry_and_events_are_taken_on_loopback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`milepost up` on an empty machine must listen for both halves of the join, and for nobody else's machine."""
    monkeypatch.chdir(tmp_path)
    found = config.load(env={"MILEPOST_DATA": str(tmp_path)})
    assert (found.listen.host, found.listen.pages, found.listen.intake) == ("127.0.0.1", 8501, 4318)
    assert found.store == f"chdb://{tmp_path / 'store'}"
    assert [(s.name, s.kind, s.format, dict(s.options)) for s in found.sources] == [
        ("otlp", "otlp", "otlp", {}),
        ("events", "webhook", "cloudevents", {"path": "/v1/events"}),
    ]


def test_a_whole_file_becomes_settings(write: Callable[[str], Path]) -> None:
    """Each key has its place, and relative paths are relative to the file, not to where the command was given."""
    path = write("""
        data = "var"
        governance = "rules.toml"
        [listen]
        intake = 9999
        [limits]
        max_body_bytes = 1000
        [sources.acme]
        kind = "files"
        format = "cloudevents"
        system = "tms"
        system_role = "tms"
        partner = "ACME"
        zone = "America/Chicago"
        path = "drop/acme"
        pattern = "*.json"
        [sources.acme.defaults]
        region = "US"
    """)
    found = config.load(path, {})
    assert found.data == path.parent / "var"
    assert found.governance == path.parent / "rules.toml"
    assert (found.listen.intake, found.limits.max_body_bytes, found.limits.max_queue_bytes) == (9999, 1000, 256 << 20)
    assert found.sources == (
        Source("acme", "files", "cloudevents", "tms", "tms", "ACME", "America/Chicago", {"region": "US"},
               {"path": "drop/acme", "pattern": "*.json"}),
    )  # fmt: skip


def test_the_environment_wins_over_the_file(write: Callable[[str], Path]) -> None:
    """The same file serves on a laptop and in a cluster; only the environment differs."""
    path = write('store = "chdb:///a"\ngovernance = "a.toml"')
    found = config.load(path, {"MILEPOST_STORE": "clickhouse://h/db", "MILEPOST_GOVERNANCE": "/etc/b.toml"})
    assert (found.store, found.governance) == ("clickhouse://h/db", Path("/etc/b.toml"))


FILES = "[sources.a]\nkind = 'files'\nformat = 'cloudevents'\n"
WEBHOOK = "[sources.a]\nkind = 'webhook'\nformat = 'cloudevents'\n"
RECORDS = "[sources.a]\nkind = 'files'\nformat = 'records'\n"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("x = ", "is not TOML"),
        ("stor = 'x'", "'stor' (did you mean 'store'?)"),
        ("[listen]\nintake = 99999", "listen.intake: Input should be less than or equal to 65535 (got '99999')"),
        ("[sources.a]\nkind = 'file'\nformat = 'cloudevents'", "kind 'file' is unknown (did you mean 'files'?); known: "),
        ("[sources.a]\nkind = 'files'\nformat = 'cloudevent'", "'cloudevent' is unknown (did you mean 'cloudevents'?)"),
        ("[sources.a]\nkind = 'files'", "sources.a.format: Field required"),
        (FILES + "patern = '*'", "a.patern is no option (did you mean 'pattern'?)"),
        (FILES + "pattern = '../*'", "must match file names of this folder"),
        (FILES + "zone = 'Mars/Base'", "'Mars/Base' is no IANA time zone"),
        (FILES + "defaults.reqion = 'EU'", "reqion is no field of an event (did you"),
        (WEBHOOK + "api_key = 's3cret'", "api_key is no option (did you mean 'api_key_env'"),
        (WEBHOOK + "path = 'no slash'", "path: String should match pattern"),
        (RECORDS, "mapping: Field required"),
        (RECORDS + "mapping.objekt_id = 'A'", "'objekt_id' is no field of an event"),
        (RECORDS + "mapping.object_id = 'a[*'", "'a[*' is no column name and no JMESPath"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_the_file_the_key_and_what_is_known(
    write: Callable[[str], Path], told: str, said: str
) -> None:
    """A person mends a file by the sentence that the start ended with; each kind of slip has its own."""
    path = write(told)
    with pytest.raises(BadConfig) as err:
        config.load(path, {})
    assert said in str(err.value)
    assert "s3cret" not in str(err.value)


def test_a_file_that_is_named_and_missing_is_an_error() -> None:
    """Falling back to built-in sources would look healthy and take nobody's data."""
    with pytest.raises(BadConfig, match="No such file"):
        config.load(None, {"MILEPOST_CONFIG": "/nowhere/milepost.toml"})


def test_a_secret_comes_from_the_environment_and_its_absence_is_told() -> None:
    """An empty key would let everybody in, silently."""
    source = Source("a", "webhook", "cloudevents")
    assert config.secret(source, "api_key_env", "KEY", {"KEY": "s"}) == b"s"
    assert config.secret(source, "api_key_env", "", {}) == b""
    with pytest.raises(BadConfig, match=r"sources\.a\.api_key_env names KEY, which is not set"):
        config.secret(source, "api_key_env", "KEY", {})
