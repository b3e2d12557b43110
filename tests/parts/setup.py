"""
Get the real parts that tests stand on, and say in one line each what was found or installed.

Why a script and not a fixture: a download belongs before the tests, where its failure is one clear sentence and not the
error of every test. It is idempotent: a second run only looks.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.parts import PartMissing, chromium, clickhouse_server, node

PARTS: tuple[tuple[str, Callable[[], object | None], Callable[[], object]], ...] = (
    ("ClickHouse server", clickhouse_server.find, clickhouse_server.install),
    ("node with the OpenTelemetry SDK", node.find, node.install),
    ("browser", chromium.find, chromium.install),
)


def main() -> int:
    """0 when every part is there; 1 with a sentence a missing part."""
    missing = 0
    for name, find, install in PARTS:
        started = time.monotonic()
        try:
            found = find()
            part, verb = (found, "found") if found else (install(), "installed")
        except PartMissing as err:
            print(f"{name}: missing. {err}", file=sys.stderr)
            missing += 1
        else:
            print(f"{name}: {verb} in {time.monotonic() - started:.1f} s ({_where(part)})", flush=True)
    return 1 if missing else 0


def _where(part: object) -> str:
    path = Path(part.path if isinstance(part, node.Node) else str(part))
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    sys.exit(main())
