"""
How fast it is here, against the bars: `make bench`. Each line is a figure, its bar and a verdict; a shortfall exits 1.

    python -m tests.bench [--events 5,20] [--only PART] [--hour MINUTES] [--write] [--json FILE] [--keep FOLDER]

Why each part is a process of its own: an embedded store is held by one process, and what one part has loaded is no other's memory.

Why those last that delete their stores: a disk without a journal (ext4 on small virtual machines) looks for the place of each new file
past all that were deleted in the last five minutes, which made an INSERT take 20 to 45 ms more.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.row import Row

PARTS = ("history", "refreshes", "mining", "serving", "seen", "in", "hour")
PAGE, MARK = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md", "## The last run"
console = Console(stderr=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--events", default="5,20", help="sizes of the history, in millions of events")
    parser.add_argument("--only", default="", choices=["", *PARTS], help="only one part")
    parser.add_argument("--hour", type=float, default=0, help="minutes under load at the end, for what memory does; 0 is none")
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    parser.add_argument("--keep", type=Path, help="keep the stores there, and use what is there")
    asked = parser.parse_args()
    began, rows = datetime.now(UTC), list[Row]()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (asked.keep or Path(scratch)).absolute()
        for row in measured(folder, asked.events.split(","), asked.only, asked.hour):
            rows.append(row)
            console.print(f"{row.verdict or '·':>6}  {row.what}: {row.figure}  {row.bar}", highlight=False)
    Console(width=160).print(table(rows, began))
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=1), "utf-8")
    if asked.write:
        document(rows, began)
    sys.exit(any(row.holds is False for row in rows))


def measured(folder: Path, sizes: list[str], only: str, minutes: float) -> Iterator[Row]:
    """Every row that was asked for, as it is known."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        "in": ["getting_in"],
        "history": ["history", str(folder), *sizes],
        "refreshes": ["refreshes", str(folder), sizes[-1]],
        "mining": ["mining", str(folder), sizes[0]],
        "seen": ["freshness"],
        "serving": ["serving", str(folder), sizes[-1]],
        "hour": ["endurance", str(folder), sizes[-1], str(minutes)],
    }
    for name in PARTS:
        module, *rest = parts[name]
        if only in ("", name) and (name != "hour" or minutes):
            yield from _rows_of([sys.executable, "-m", f"tests.bench.{module}", *rest])


def _rows_of(command: list[str]) -> Iterator[Row]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as part:
        for line in part.stdout or ():
            if line.startswith("{"):
                yield Row(**json.loads(line))
    if part.returncode:
        yield Row(f"{command[2]} ended", f"exit code {part.returncode}", "0", holds=False)


def table(rows: list[Row], began: datetime) -> Table:
    """The rows as a table to read and to keep."""
    shown = Table("what", "figure", "bar", "verdict", title=f"Milepost, {began:%Y-%m-%d %H:%M} UTC", title_justify="left")
    for row in rows:
        shown.add_row(row.what, row.figure, row.bar, row.verdict)
    return shown


def document(rows: list[Row], began: datetime) -> None:
    """The table of this run below the page's own words."""
    words = PAGE.read_text("utf-8").partition(MARK)[0]
    lines = [f"| {row.what.strip()} | {row.figure} | {row.bar} | {row.verdict} |" for row in rows]
    head = f"{began:%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}"
    table = ["| what | figure | bar | verdict |", "|---|---|---|---|", *lines]
    PAGE.write_text(words + MARK + "\n\n" + head + "\n\n" + "\n".join(table) + "\n", "utf-8")


if __name__ == "__main__":
    main()
