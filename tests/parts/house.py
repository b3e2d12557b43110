"""
The real Milepost in a process of its own, as a service would run it: started, killed without a word, stopped, asked.

Why a process: kill -9 is not to be played in a process that the tests live in, and an embedded store has one holder.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.parts import ROOT

START_S = 60.0
CONFIG = """
store = "{store}"
data = "{data}"
[listen]
intake = {port}
[limits]
max_queue_bytes = {room}
[sources.otlp]
kind = "otlp"
format = "otlp"
[sources.events]
kind = "webhook"
format = "cloudevents"
path = "/v1/events"
[sources.drop]
kind = "files"
format = "cloudevents"
pattern = "*.json"
min_age_s = 0
every_s = 0.2
"""


class House:
    """`milepost collect` over a folder, with telemetry, events and a drop folder. Embedded, unless a DSN is given."""

    def __init__(self, folder: Path, dsn: str = "", room: int = 256 * 2**20) -> None:
        self.folder, self.port = folder, _free_port()
        self.dsn = dsn or f"chdb://{folder / 'store'}"
        self.url = f"http://127.0.0.1:{self.port}"
        self.drop = folder / "drop" / "drop"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "milepost.toml").write_text(CONFIG.format(store=self.dsn, data=folder, port=self.port, room=room), "utf-8")

    def start(self) -> float:
        """Return once it answers that it is well; after how many seconds."""
        began = time.monotonic()
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MILEPOST_", "OTEL_"))}
        with (self.folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "milepost", "-c", str(self.folder / "milepost.toml"), "collect"],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
            )  # fmt: skip
        while self.health()[0] != 200:
            if self._process.poll() is not None or time.monotonic() > began + START_S:
                raise RuntimeError(f"Milepost did not start:\n{self.log()[-2000:]}")
            time.sleep(0.02)
        return time.monotonic() - began

    def health(self) -> tuple[int, dict[str, Any]]:
        """What /healthz answers; (0, {}) if nobody does."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=30) as answer:
                return int(answer.status), json.load(answer)
        except urllib.error.HTTPError as err:
            return err.code, json.load(err)
        except (urllib.error.URLError, OSError):
            return 0, {}

    def kill(self) -> None:
        """As the kernel would when memory is short."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As an operator would."""
        self._end(signal.SIGTERM)

    def log(self) -> str:
        """What it said."""
        return (self.folder / "output.log").read_text("utf-8", "replace")

    def _end(self, how: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(timeout=60)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
