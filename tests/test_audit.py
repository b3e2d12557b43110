"""The audit beside the tests: what is known against us fails, and a registry that is not there is one line."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.parts import audit


class Advisories(BaseHTTPRequestHandler):
    """A data base of vulnerabilities that knows one, of one package."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        known = {"id": "PYSEC-2026-1", "affected": [], "details": "", "summary": "", "modified": "2026-11-01T00:00:00Z"}
        affected = asked["package"]["name"] == "typer"
        known["affected"] = [{"package": asked["package"] | {"ecosystem": "PyPI"}, "ranges": [], "versions": [asked["version"]]}]
        body = json.dumps({"vulns": [known]} if affected else {}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None:
        """Nothing: 125 packages are asked for."""


@pytest.fixture
def advisories() -> Iterator[str]:
    """Where that data base answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Advisories)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_package_with_a_known_vulnerability_fails(advisories: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The only package that a person must do something about stands there by name, with what is known."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    is_bad, said = audit.vulnerabilities("--vulnerability-service", "osv", "--osv-url", f"{advisories}/v1/query")
    assert is_bad, said
    assert [line.split(",")[0].split()[::2] for line in said[1:]] == [["typer", "PYSEC-2026-1"]]


def test_without_a_registry_it_says_so_in_one_line_and_fails_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who builds on a train, or behind a mirror without advisories, must not be stopped by it, nor believe that it was asked."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    is_bad, said = audit.vulnerabilities("--timeout", "5", "--cache-dir", str(tmp_path))
    assert (is_bad, len(said)) == (False, 1)
    assert said[0].startswith("pip-audit: skipped, no registry answers (")


def test_a_secret_in_a_file_fails_and_what_tests_sign_in_with_does_not(tmp_path: Path) -> None:
    """A key that was once pushed is everybody's: it has to be found on the machine of whoever wrote it."""
    key = "AKIA" + "IOSFODNN7" + "EXAMPLF"
    (tmp_path / "deploy.toml").write_text(f'region = "eu"\nkey = "{key}"\n')
    (tmp_path / "dsn.md").write_text("clickhouse://user:password@host:8123/milepost\n")
    is_bad, said = audit.secrets(tmp_path, ["deploy.toml", "dsn.md"])
    assert (is_bad, said) == (True, ["secret scan: 2 files, 1 secrets", "  deploy.toml:2: AWS Access Key"])
    assert audit.secrets(tmp_path, ["dsn.md"]) == (False, ["secret scan: 1 files, 0 secrets"])


def test_every_exception_has_its_reason() -> None:
    """A list of exceptions that nobody can explain only grows."""
    assert all(len(why) > 20 for why in (*audit.IGNORED.values(), *(why for _, why in audit.NO_SECRETS)))
