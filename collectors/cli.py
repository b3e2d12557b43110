"""
The command line's intake: decode (dry run), load, replay.

Why decode prints what load would store: a partner's file is judged before it goes in, by the code that will take it in.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from collectors import config
from collectors.masking import masked
from collectors.message import Context, Decoded, Finding, Message, Source
from collectors.sink import Sink
from schema.errors import BadConfig, BadPayload
from schema.governance import Catalogue

console = Console(stderr=True)


def source_for(settings: config.Settings, format_: str, name: str = "") -> Source:
    """The configured source of that name, or one made up for a format: what is loaded by hand."""
    if name:
        for source in settings.sources:
            if source.name == name:
                return source
        known = ", ".join(s.name for s in settings.sources)
        raise BadConfig(f"source {name!r} is unknown; known: {known}")
    config.format_module(format_)
    return Source(name=f"load.{format_}", kind="files", format=format_)


def decode_files(source: Source, catalogue: Catalogue, paths: list[Path]) -> int:
    """
    Print every canonical event and every finding of the files, one JSON object a line. How many files were rejected.
    """
    rejected = 0
    for path in files_of(paths):
        try:
            message, reason = masked(source, _message(path))
            if reason:
                raise BadPayload(reason)
            decoded = config.format_module(source.format).decode(message, Context(source, catalogue))
        except BadPayload as err:
            rejected += 1
            _line({"file": str(path), "rejected": str(err)})
            continue
        rejected += bool(decoded.rejects and not decoded.batches)
        _say(path, decoded)
    return rejected


def load_files(sink: Sink, source: Source, paths: list[Path]) -> tuple[int, int, int]:
    """
    Deliver files into the store, with a progress bar: (files, rows, rejected files). May be interrupted and run again,
    for an event that is stored twice counts once.
    """
    found = list(files_of(paths))
    rows = rejected = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(f"load {source.format}", total=len(found))
        for path in found:
            receipt = sink.deliver_now(source, _message(path))
            rows += receipt.n_rows
            if receipt.rejected:
                rejected += 1
                progress.console.print(f"rejected {path}: {receipt.rejected}", markup=False)
            _warn(progress.console, path, receipt.findings)
            progress.advance(task)
    return len(found), rows, rejected


def files_of(paths: list[Path]) -> Iterator[Path]:
    """Files, and the files in folders, in order of name; hidden ones are left out. Raises: BadConfig for what is not there."""
    for path in paths:
        if path.is_dir():
            yield from sorted(
                f for f in path.rglob("*") if f.is_file() and not any(p.startswith(".") for p in f.relative_to(path).parts)
            )
        elif path.is_file():
            yield path
        else:
            raise BadConfig(f"{path} is neither a file nor a folder")


def _message(path: Path) -> Message:
    return Message(path.read_bytes(), datetime.now(UTC), name=str(path))


def _say(path: Path, decoded: Decoded) -> None:
    for event in decoded.events:
        _line({"file": str(path), "event": event.model_dump(mode="json", exclude_defaults=True)})
    if not decoded.events:
        for batch in decoded.batches:
            _line({"file": str(path), "table": batch.table, "rows": len(batch)})
    for finding in decoded.findings:
        _line({"file": str(path), "finding": finding.code, "text": finding.text, "where": finding.where})
    for reject in decoded.rejects:
        _line({"file": str(path), "rejected": reject.reason})


def _warn(out: Console, path: Path, findings: tuple[Finding, ...]) -> None:
    for finding in findings[:3]:
        out.print(f"{path}: {finding.code}: {finding.text}", style="yellow", markup=False)
    if len(findings) > 3:
        out.print(f"{path}: {len(findings) - 3} more findings (all are stored; see Intake)", style="yellow", markup=False)


def _line(value: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
