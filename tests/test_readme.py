"""Docs do not rot: every command of the README runs here as it stands there, against a running Milepost."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from schema import definitions
from tests.parts.pages import ENV, free_port, serving

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SAMPLE = ROOT / "tests" / "samples" / "x12_214" / "typical.edi"


def command(mark: str) -> str:
    """The shell block that stands behind <!-- mark -->."""
    found = re.search(rf"<!-- {mark} -->\n```sh\n(.*?)```", README, re.S)
    assert found, f"the README has no block marked {mark}"
    return found[1]


@dataclass(frozen=True, slots=True)
class Up:
    """A Milepost of its own, started by the command line as a user starts it."""

    pages: str
    intake: str
    env: dict[str, str]
    folder: Path
    process: subprocess.Popen[bytes]

    def sh(self, text: str) -> subprocess.CompletedProcess[str]:
        script = text.replace("http://127.0.0.1:4318", self.intake)
        asked = ["bash", "-ec", script]
        return subprocess.run(asked, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=300)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=120)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("up")
    pages, intake = free_port(), free_port()
    (folder / "milepost.toml").write_text(f'data = "{folder}"\n[listen]\npages = {pages}\nintake = {intake}\n', "utf-8")
    tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = ENV | {"PATH": tools}
    url = f"http://127.0.0.1:{pages}"
    with serving(["milepost", "up"], url, folder / "log", cwd=folder, env=env) as process:
        yield Up(url, f"http://127.0.0.1:{intake}", env, folder, process)


def test_what_the_readme_sends_is_taken_stored_and_readable_after_a_clean_stop(up: Up, tmp_path: Path) -> None:
    """The first five minutes of a new user: a span, an event, stop, a file, and the questions of the command line."""
    if not shutil.which("curl"):
        pytest.skip("curl is not here")
    span = up.sh(command("first-span"))
    assert (span.returncode, json.loads(span.stdout)) == (0, {}), span.stderr
    event = up.sh(command("first-event"))
    assert event.returncode == 0, event.stderr
    assert '"error"' not in event.stdout
    held = subprocess.run(["milepost", "check"], cwd=up.folder, env=up.env, capture_output=True, text=True, timeout=300)
    assert held.returncode == 3
    assert "is held by another process" in " ".join(held.stderr.split())
    assert up.stop() == 0
    shutil.copy(SAMPLE, up.folder / "status.edi")
    filed = up.sh(command("first-file"))
    assert filed.returncode == 0, filed.stdout + filed.stderr
    assert '"event"' in filed.stdout
    shown = up.sh("milepost object shipment S-1001 --json")
    assert shown.returncode == 0, shown.stderr
    told = json.loads(shown.stdout)
    assert (told["state"], told["carrier"], [r["object_id"] for r in told["relatives"]]) == ("departed", "ACME", ["O-77"])
    checked = up.sh("milepost check --state")
    assert checked.returncode == 0, checked.stdout
    assert up.sh("milepost exceptions list --where region=EU-West --json").returncode in (0, 1)


def test_every_file_that_the_readme_shows_or_names_is_there() -> None:
    """A picture that is missing is worse than none."""
    for name in re.findall(r"\]\(((?:docs/)?[\w./-]+\.(?:png|svg|md))\)", README):
        assert (ROOT / name).is_file(), name
    for name in re.findall(r"`((?:schema|collectors|dashboard|tests)/[\w./]+\.(?:py|toml|sql))`", README):
        assert (ROOT / name).is_file(), name


def test_every_command_that_the_readme_names_exists() -> None:
    """`milepost kpi read on_time_delivery` must stay a sentence that the command line understands."""
    for name in re.findall(r"milepost kpi read (\w+)", README):
        assert name in definitions.kpis()
    help_ = subprocess.run([sys.executable, "-m", "milepost", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    for name in set(re.findall(r"milepost (\w+)", "\n".join(re.findall(r"```sh\n(.*?)```", README, re.S)))):
        assert f" {name} " in help_.stdout, name
