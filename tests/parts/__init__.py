"""
The real parts that tests stand on: a ClickHouse server, a browser, node with the OpenTelemetry SDK of JavaScript.

Why a folder of its own: each part knows how it is found, how it is had, and what to say when it cannot be. `setup.py`
gets them before the tests run; conftest.py only finds them.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"


class PartMissing(Exception):
    """A part that tests need cannot be had; the message says what a person can do."""
