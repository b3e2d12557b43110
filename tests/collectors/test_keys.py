"""API keys: shown once and kept nowhere, good for one source and one format, ended and followed without a restart."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from collectors import keys
from collectors.config import Listen, Settings, kind_module, load
from collectors.keys_cli import keys_app
from collectors.message import Source
from collectors.running import Means, Receipt
from schema.errors import BadConfig
from tests.collectors.intake import EVENTS, OTLP, PROTOBUF, STRUCTURED, Intake

Make = Callable[..., Any]
DAY = timedelta(days=1)


@pytest.fixture
def file(intake: Intake) -> Path:
    """Where the keys of the test's intake are; there is no file yet."""
    return intake.settings.keys_file


def post(client: httpx.Client, token: str, path: str = "/v1/events") -> tuple[int, str]:
    """The status, and what was said about it."""
    answer = client.post(path, content=b"{}", headers=STRUCTURED | ({"authorization": f"Bearer {token}"} if token else {}))
    return answer.status_code, answer.json().get("error", "")


def test_a_key_is_kept_as_a_hash_in_a_file_that_only_its_owner_reads(file: Path) -> None:
    """Whoever gets a backup or a look at the file must not be able to send with what it says."""
    key, token = keys.add(file, "events", "cloudevents", 90 * DAY, "the hub's key, “Köln”")
    assert token == f"mp_{key.id}_{token[-64:]}"
    assert (token[-64:] in file.read_text("utf-8"), stat.S_IMODE(file.stat().st_mode)) == (False, 0o600)
    assert keys.read(file) == {key.id: key}
    assert [path.name for path in file.parent.iterdir() if "keys" in path.name] == [file.name]


def test_two_commands_at_once_lose_no_key(file: Path) -> None:
    """Each writes the whole file: without a lock the later would write back what the earlier had not yet seen."""
    writers = [threading.Thread(target=keys.add, args=(file, f"s{n}")) for n in range(12)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(key.source for key in keys.read(file).values()) == sorted(f"s{n}" for n in range(12))


def test_a_key_made_while_we_run_is_asked_for_at_once(intake: Intake, file: Path) -> None:
    """No restart: the door of a source is open on loopback until its first key, and from then on only for that."""
    client = intake.start(EVENTS)
    assert post(client, "")[0] == 200
    _, token = keys.add(file, "events")
    assert post(client, "") == (401, "send the API key as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'")
    assert post(client, token)[0] == 200
    assert client.post("/v1/events", content=b"{}", headers=STRUCTURED | {"x-api-key": token}).status_code == 200


def test_a_key_that_is_unknown_expired_or_revoked_is_401_with_its_reason(intake: Intake, file: Path) -> None:
    """The holder of an old key is told what to do; who guesses is told nothing, not even which ids there are."""
    client = intake.start(EVENTS)
    good, token = keys.add(file, "events")
    old, expired = keys.add(file, "events", life=-DAY)
    gone, revoked = keys.add(file, "events")
    keys.revoke(file, gone.id)
    unknown = (401, "this API key is not known here")
    assert post(client, token)[0] == 200
    for guess in ("x", "mp_", f"mp_{'0' * 12}_{'0' * 64}", f"mp_{old.id}_{'0' * 64}", f"{token}0", token[:-1], token.upper()):
        assert post(client, guess) == unknown, guess
    status, said = post(client, expired)
    assert (status, f"API key {old.id} expired at" in said) == (401, True)
    status, said = post(client, revoked)
    assert (status, f"API key {gone.id} was revoked at" in said) == (401, True)
    keys.revoke(file, good.id)
    assert post(client, token)[0] == 401
    assert len(intake.got) == 1


def test_a_key_is_good_for_its_source_and_its_format_only(intake: Intake, file: Path) -> None:
    """A partner's key must not open another's door, nor a key for traces the door for logs; a family is all its members."""
    client = intake.start(EVENTS, OTLP)
    _, events = keys.add(file, "events", "cloudevents")
    traces, only_traces = keys.add(file, "otlp", "otlp_traces")
    _, all_signals = keys.add(file, "otlp", "otlp")
    sent = {
        (name, path): client.post(path, content=b"", headers=PROTOBUF | {"x-api-key": token}).status_code
        for name, token in (("events", events), ("only_traces", only_traces), ("all", all_signals))
        for path in ("/v1/traces", "/v1/logs")
    }
    assert sent == {
        ("events", "/v1/traces"): 403, ("events", "/v1/logs"): 403, ("only_traces", "/v1/traces"): 200,
        ("only_traces", "/v1/logs"): 403, ("all", "/v1/traces"): 200, ("all", "/v1/logs"): 200,
    }  # fmt: skip
    assert post(client, only_traces) == (403, f"API key {traces.id} is not for source 'events' and format 'cloudevents'")


def test_a_rotated_key_stays_good_for_a_while_beside_its_successor(intake: Intake, file: Path) -> None:
    """Rotation without downtime: the sender changes over when it can, within the overlap, and no message is refused."""
    client = intake.start(EVENTS)
    first, token = keys.add(file, "events", "cloudevents", 30 * DAY, "hub")
    old, new, successor = keys.rotate(file, first.id, 7 * DAY)
    assert (post(client, token)[0], post(client, successor)[0]) == (200, 200)
    now = datetime.now(UTC)
    assert old.expires_at is not None
    assert new.expires_at is not None
    assert (old.expires_at - now).days == 6
    assert ((new.expires_at - now).days, new.source, new.format, new.note) == (29, "events", "cloudevents", "hub")
    keys.rotate(file, new.id, timedelta())
    assert (post(client, token)[0], post(client, successor)[0]) == (200, 401)
    with pytest.raises(BadConfig, match=r"expired at .*milepost keys add events"):
        keys.rotate(file, new.id, DAY)


def test_a_source_whose_keys_are_lost_does_not_become_open(intake: Intake, file: Path) -> None:
    """An emptied file, a secret that is not mounted: the door stays shut instead of falling open."""
    client = intake.start(EVENTS)
    _, token = keys.add(file, "events")
    assert post(client, token)[0] == 200
    file.unlink()
    assert (post(client, token)[0], post(client, "")[0]) == (401, 401)


def test_a_file_that_cannot_be_read_leaves_the_last_good_keys_in_force(intake: Intake, file: Path) -> None:
    """A slip of an editor must neither lock all senders out nor let anybody in; at the start it is an error."""
    client = intake.start(EVENTS)
    _, token = keys.add(file, "events")
    assert post(client, token)[0] == 200
    file.write_text("[keys.zz]\nsource = 1\n", "utf-8")
    assert (post(client, token)[0], post(client, "x")[0]) == (200, 401)
    with pytest.raises(BadConfig, match=r"keys\.zz\.id: String should match pattern"):
        keys.read(file)
    file.write_text("keys = ", "utf-8")
    with pytest.raises(BadConfig, match="is not TOML"):
        intake.start(EVENTS)


def test_a_key_of_the_environment_goes_on_working_beside_those_of_the_file(
    intake: Intake, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has configured `api_key_env` changes over to `milepost keys` without a gap."""
    monkeypatch.setenv("HOOK_KEY", "s3cret")
    client = intake.start(Source("hook", "webhook", "cloudevents", options={"api_key_env": "HOOK_KEY"}))
    assert (post(client, "s3cret", "/hooks/hook")[0], post(client, "s3cre", "/hooks/hook")[0]) == (200, 401)
    _, token = keys.add(file, "hook")
    assert (post(client, "s3cret", "/hooks/hook")[0], post(client, token, "/hooks/hook")[0]) == (200, 200)


def test_a_source_with_a_key_in_the_file_may_listen_on_the_network(intake: Intake, file: Path) -> None:
    """The refusal to listen without authentication says how to make a key, and is content once there is one."""
    settings = intake.settings.model_copy(update={"listen": Listen(host="0.0.0.0")})
    means = Means(intake.deliver, lambda s, m: Receipt(), settings)
    with pytest.raises(BadConfig, match="make one with `milepost keys add events`"):
        kind_module("webhook").start(EVENTS, means)
    keys.add(file, "events")
    assert kind_module("webhook").start(EVENTS, means).routes


# --- the command line ------------------------------------------------------------------------------------------------------
@pytest.fixture
def cli(tmp_path: Path) -> Callable[..., Any]:
    """`milepost keys …` over a configuration with a webhook and a drop folder."""
    config = tmp_path / "milepost.toml"
    config.write_text(
        'keys = "secrets/keys.toml"\n[sources.tms]\nkind = "webhook"\nformat = "cloudevents"\n'
        '[sources.drop]\nkind = "files"\nformat = "x12_214"\n[sources.otlp]\nkind = "otlp"\nformat = "otlp"\n',
        "utf-8",
    )
    app = keys_app(lambda: load(config, {}))
    return lambda *said: CliRunner().invoke(app, list(said))


def test_the_command_line_shows_a_token_once(cli: Make, tmp_path: Path) -> None:
    """Add, list, rotate, revoke: no list and no file says a token again, and each command says what it did."""
    said = cli("add", "tms", "--expires", "90d", "--note", "the hub").output
    token = next(line for line in said.splitlines() if line.startswith("mp_"))
    id_ = token.split("_")[1]
    assert keys.read(tmp_path / "secrets" / "keys.toml")[id_].format == "cloudevents"
    listed = cli("list").output
    assert all(word in listed for word in (id_, "tms", "cloudevents", "● good until", "the hub"))
    rotated = cli("rotate", id_, "--overlap", "2h").output
    assert f"follows {id_}, which is good until" in rotated
    assert f"Key {id_} was revoked at" in cli("revoke", id_).output
    everything = cli("list").output + (tmp_path / "secrets" / "keys.toml").read_text("utf-8")
    assert token.split("_")[2] not in everything
    assert "○ was revoked at" in everything


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (("add", "drop"), "'drop' is no source that takes requests; known: tms, otlp"),
        (("add", "tms", "--format", "x12_214"), "does not speak format 'x12_214'; known: cloudevents"),
        (("add", "tms", "--expires", "soon"), "'soon' is no span of time; write it as 90d"),
        (("add", "tms", "--note", "a\nb"), "must be one line of printable text"),
        (("revoke", "abc"), "there is no key 'abc'; known: none"),
        (("rotate", "abc"), "there is no key 'abc'; known: none"),
    ],
)  # fmt: skip
def test_a_slip_at_the_command_line_is_one_sentence(cli: Make, told: tuple[str, ...], said: str) -> None:
    """What was got, and what is allowed."""
    err = cli(*told).exception
    assert isinstance(err, BadConfig)
    assert said in str(err)


def test_where_the_keys_are_is_said_by_the_file_or_the_environment(tmp_path: Path) -> None:
    """Beside the data unless said otherwise; a cluster mounts them where it mounts its secrets."""
    file = tmp_path / "milepost.toml"
    file.write_text('data = "var"\n', "utf-8")
    assert load(file, {}).keys_file == tmp_path / "var" / "keys.toml"
    assert load(file, {"MILEPOST_KEYS": "/run/secrets/keys.toml"}).keys_file == Path("/run/secrets/keys.toml")
    assert Settings(store="", data=tmp_path).keys_file == tmp_path / "keys.toml"
