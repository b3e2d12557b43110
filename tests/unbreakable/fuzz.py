"""
Mutations of the samples of every format: `make fuzz`, or `python -m tests.unbreakable.fuzz --minutes 10`.

A decoder may say BadPayload and nothing else, and what it did decode must be blocks that can be sent. Whatever else comes out is
a bug: the input is kept under .cache/fuzz and named, and the exit code is 1.
Every mutation follows from a seed and a number, so that each can be made again.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import pkgutil
import sys
import time
import traceback
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.progress import Progress

from collectors import arrow, formats
from collectors.message import Context, Decoded, Message, Source
from schema import governance
from schema.errors import BadPayload
from schema.governance import Catalogue
from tests.parts import CACHE
from tests.unbreakable.bodies import cloud_events, telemetry

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
FIELD = Path(__file__).resolve().parents[3] / "shared" / "data"
MAX_SAMPLE = 12_000
RECEIVED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
# Where the field's own files of a format lie.
FOLDERS = {
    "cloudevents": ("cloudevents", "webhooks"),
    "edifact_iftsta": ("edifact", "tradacoms"),
    "x12_214": ("x12", "x12-malformed"),
    "records": ("csv-json-erp", "csv-fixed", "event-logs", "carrier"),
    "otlp": ("otlp",), "otlp_traces": ("otlp",), "otlp_logs": ("otlp",), "otlp_metrics": ("otlp",),
}  # fmt: skip
MAPPING = {
    "object_id": "VBELN", "object_type": "= invoice", "event_type": "invoice.{VBTYP_N}", "occurred_at": "ERDAT", "amount": "NETWR",
    "related.order": "VBELV", "attributes.x": "MATNR", "is_retracted": "STORNO", "quantity": "MENGE",
}  # fmt: skip
# How a source of a format may be configured; each mutation takes one.
OPTIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "records": ({"mapping": MAPPING}, {"mapping": MAPPING, "decimal": ",", "delimiter": ";"}, {"mapping": MAPPING, "shape": "json"}),
}
CSV = b"VBELN;VBTYP_N;ERDAT;NETWR;VBELV;MATNR;STORNO;MENGE\n1;M;20260301;1.234,56-;SO-1;x;true;3\n2;N;2026-03-01T01:00;1;;;0;NaN\n"
TYPES = {
    "cloudevents": ("", "application/cloudevents+json", "application/cloudevents-batch+json", "application/json"),
    "otlp": ("application/json",),
    "otlp_traces": ("application/x-protobuf", "application/json"),
    "otlp_logs": ("application/x-protobuf", "application/json"),
    "otlp_metrics": ("application/x-protobuf", "application/json"),
}
ODD = [
    b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3\x28", "\u2028\ud7ff".encode(), b"'", b"~", b"*", b"+", b":", b"?", b'"', b"\\",
    b"{", b"}", b"[" * 40, b"[" * 3000, b"{\"a\":" * 2000, b"null", b"NaN", b"-1", b"1e999", b"9" * 30, b"-" + b"9" * 20, b"0",
    b"true", b"20261399", b"240000", b"99991231235959", b"0001-01-01T00:00:00+23:59", b"9999-12-31T23:59:59-12:00",
    b"UNA:+.? '", b"ISA*", b"ST*214*0001~", b"BIN*99999999*", b"\r\n", b"\n", b" " * 50, b"\xff" * 10, b"\x08\xff\xff\xff\xff\x0f",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, 0, -1, 2**63, 2**64, -(2**70), 1e308, float("nan"), float("inf"), "", "x" * 9000, "\ud800", "\x00", [], {}, [[[]]],
    {"a": {"a": {}}}, "2026-13-99", "9999-12-31T23:59:59-12:00", [None], {"object_type": 1}, "NaN",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Crash:
    """An input that a decoder did not survive."""

    format: str
    number: int
    body: bytes
    error: str


def names() -> list[str]:
    """Every format that decodes."""
    found = (module.name for module in pkgutil.iter_modules(formats.__path__))
    return [name for name in found if hasattr(importlib.import_module(f"{formats.__name__}.{name}"), "decode")]


def samples(format_: str) -> list[bytes]:
    """What the mutations of a format begin with: its samples here and made ones."""
    files = [file for folder in SAMPLES.glob(f"{format_}*") for file in _files(folder)]
    found = [file.read_bytes() for file in files if not {".golden", ".rows", ".options"} & set(file.suffixes)]
    signal = format_.removeprefix("otlp_")
    if signal in ("traces", "logs", "metrics"):
        found.append(telemetry(signal, "mark", 3, 10**18))
    if format_ == "cloudevents":
        found.append(cloud_events("mark", 2, "2026-11-23T08:00:00Z"))
    if format_ == "records":
        found += [CSV, CSV.replace(b";", b",")]
    return found


def of_the_field(format_: str) -> list[bytes]:
    """What the field sends of a format and its likes, where that is here: much of it is no message of this format at all."""
    files = [file for name in FOLDERS.get(format_, ()) for file in _files(FIELD / name)]
    return [file.read_bytes()[:MAX_SAMPLE] for file in files if file.suffix not in (".sqlite", ".md")]


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


class Fuzz:
    """Mutations of one format, in an order that its seed decides."""

    def __init__(self, format_: str, seed: int, catalogue: Catalogue) -> None:
        self.format, self._seed, self._catalogue = format_, seed, catalogue
        self._module = importlib.import_module(f"{formats.__name__}.{format_}")
        self._samples, self._field = samples(format_), of_the_field(format_)
        self.n = self.n_decoded = 0

    def run(self, n: int) -> Iterator[Crash]:
        """The next n mutations; what crashed."""
        for number in range(self.n, self.n + n):
            rng = Random(f"{self._seed}/{self.format}/{number}")
            message, source = self._message(rng)
            try:
                self.n_decoded += self._decode(message, source)
            except Exception:  # noqa: BLE001 (to catch everything is what this is for)
                yield Crash(self.format, number, message.body, traceback.format_exc())
        self.n += n

    def _message(self, rng: Random) -> tuple[Message, Source]:
        begin = self._field if self._field and rng.random() < 0.3 else self._samples
        body = mutated(rng, rng.choice(begin), self._samples + self._field)
        headers = {"ce-id": "1", "ce-source": "/x", "ce-type": "t", "ce-time": rng.choice(("", "x", "2026-11-23T08:00:00Z"))}
        is_binary = self.format == "cloudevents" and rng.random() < 0.2
        said = headers | {"ce-specversion": rng.choice(("1.0", "0.3", "9"))} if is_binary else {}
        options = rng.choice(OPTIONS.get(self.format, ({},)))
        zone = rng.choice(("UTC", "America/Chicago"))
        source = Source("fuzz", "files", self.format, partner="ACME", zone=zone, options=options)
        return Message(body, RECEIVED, rng.choice(TYPES.get(self.format, ("",))), said), source

    def _decode(self, message: Message, source: Source) -> bool:
        try:
            decoded: Decoded = self._module.decode(message, Context(source, self._catalogue))
        except BadPayload:
            return False
        for batch in decoded.batches:
            if batch.block is not None:
                arrow.stream([batch.block], RECEIVED)
        return bool(decoded.batches)


def mutated(rng: Random, body: bytes, others: list[bytes]) -> bytes:
    """A few changes to a body: of its values, if it is JSON and the dice say so; else of its bytes."""
    if rng.random() < 0.5:
        try:
            said = json.loads(body)
        except ValueError:
            pass
        else:
            for _ in range(rng.randint(1, 3)):
                said = _revalued(rng, said)
            return json.dumps(said).encode("utf-8", "surrogatepass")
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        body = _changed(rng, body, others)
    return body


def _revalued(rng: Random, said: Any) -> Any:
    """One value somewhere in it replaced, taken away, or put a level deeper."""
    if not said or not isinstance(said, dict | list) or rng.random() < 0.1:
        return deepcopy(rng.choice([*VALUES, [said], {"data": said}]))
    key = rng.choice(list(said) if isinstance(said, dict) else range(len(said)))
    if rng.random() < 0.1:
        del said[key]
    else:
        said[key] = _revalued(rng, said[key])
    return said


def _changed(rng: Random, body: bytes, others: list[bytes]) -> bytes:
    at = rng.randint(0, len(body))
    to = min(len(body), at + rng.choice((1, 1, 4, 30, 400)))
    way = rng.randrange(7)
    if way == 0:
        return body[:at] + body[to:]
    if way == 1:
        return body[:at]
    if way == 2:
        return body[:at] + body[at:to] * rng.choice((2, 3, 50)) + body[to:]
    if way == 3:
        return body[:at] + rng.choice(ODD) + body[at:]
    if way == 4:
        return body[:at] + rng.choice(ODD) + body[to:]
    if way == 5:
        return body[:at] + rng.choice(others)[rng.randint(0, 200) :]
    return body[:at] + bytes(rng.randrange(256) for _ in range(to - at)) + body[to:]


def main() -> int:
    """The command line: goes on for so many minutes over all formats in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    told = parser.parse_args()
    console, catalogue, found = Console(), governance.load(), dict[str, Crash]()
    fuzzers = [Fuzz(name, told.seed, catalogue) for name in names()]
    began, end = time.monotonic(), time.monotonic() + 60 * told.minutes
    with Progress(console=console) as progress:
        task = progress.add_task(f"fuzz, seed {told.seed}", total=60 * told.minutes)
        while time.monotonic() < end:
            for fuzz in fuzzers:
                for crash in fuzz.run(50):
                    found.setdefault(crash.error.strip().splitlines()[-1][:120], crash)
                progress.update(task, completed=time.monotonic() - began, description=f"{sum(f.n for f in fuzzers):,} mutations")
    for fuzz in fuzzers:
        console.print(f"{fuzz.format}: {fuzz.n:,} mutations, {fuzz.n_decoded:,} decoded to rows")
    for crash in found.values():
        console.print(f"[red]{crash.format} #{crash.number}[/]: {kept(crash)}\n{crash.error}", markup=True, highlight=False)
    return 1 if found else 0


def kept(crash: Crash) -> Path:
    """The input of a crash in a file, named by its bytes."""
    folder = CACHE / "fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{crash.format}-{hashlib.blake2b(crash.body, digest_size=6).hexdigest()}"
    path.write_bytes(crash.body)
    return path


if __name__ == "__main__":
    sys.exit(main())
