"""
A store as the first landed version wrote it, and what that version read of it: `python -m tests.unbreakable.first_store`.

Why kept as a file: the tests must open what that version really wrote, also where there is no history of the project to run it
from. Why this commit: it is the oldest whose migrations are those of today, byte by byte; before it nothing was released.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.parts import ROOT
from tests.unbreakable.enterprise import ANCHOR, DAYS, deliveries

COMMIT = "23e7d3a"
FILE = Path(__file__).with_name("first_store.tar.gz")
EVERY = 120
# Runs over the code of that commit: messages through its sink, one round of its jobs, and what it then reads.
WRITER = """
import base64, json, sys
from datetime import datetime, timedelta
from pathlib import Path
from collectors.message import Message, Source
from collectors.sink import Sink
from schema import definitions, exceptions, governance, kpi, migrate, state
from schema.store import connect

folder, anchor, days = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), int(sys.argv[3])
store, catalogue = connect(f"chdb://{folder / 'store'}"), governance.load()
migrate.migrate(store, catalogue)
sink = Sink(store, catalogue, linger_s=2)
under_way = []
for line in (folder / "messages.jsonl").read_text().splitlines():
    said = json.loads(line)
    message = Message(base64.b64decode(said["body"]), datetime.fromisoformat(said["received_at"]))
    under_way.append(sink.submit(Source(*said["source"]), message))
assert [future.result().rejected for future in under_way if future.result().rejected] == []
sink.close()
state.rebuild(store)
exceptions.detect(store, anchor)
window = {"start": anchor - timedelta(days=days), "end": anchor, "as_of": anchor}
answers = {
    "kpis": {
        f"{name} {by}": [(p.series, p.value, p.n) for p in kpi.headline(store, name, by=by, **window)]
        for name, found in definitions.kpis().items() for by in ("", found.header.by[0])
    },
    "states": store.query("SELECT object_type, object_id, h_state FROM object_state FINAL ORDER BY ALL"),
    "inbox": sorted((e["code"], e["object_id"], e["reason"]) for e in exceptions.find(store, anchor)),
    "rows": {t: store.value(f"SELECT count() FROM {t}") for t in ("events", "messages", "otel_traces", "interface_calls")},
}
(folder / "answers.json").write_text(json.dumps(answers))
parts = store.query("SELECT path FROM system.parts WHERE NOT active AND database = currentDatabase()")
(folder / "inactive.json").write_text(json.dumps([str(Path(part["path"]).relative_to(folder)) for part in parts]))
store.close()
"""


def make(file: Path = FILE) -> None:
    """Write the store with that commit's code, and pack it with its answers."""
    with tempfile.TemporaryDirectory() as place:
        code, folder = Path(place, "code"), Path(place, "first")
        folder.mkdir()
        code.mkdir()
        packed = subprocess.run(["git", "archive", COMMIT], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", str(code)], input=packed, check=True)
        lines = [
            json.dumps({
                "source": [source.name, source.kind, source.format],
                "received_at": message.received_at.isoformat(),
                "body": base64.b64encode(message.body).decode(),
            })
            for source, message in deliveries(EVERY)
        ]  # fmt: skip
        (folder / "messages.jsonl").write_text("\n".join(lines))
        asked = [sys.executable, "-c", WRITER, str(folder), ANCHOR.isoformat(), str(DAYS)]
        subprocess.run(asked, cwd=code, check=True, env=os.environ | {"PYTHONPATH": str(code)})
        for part in json.loads((folder / "inactive.json").read_text()):
            shutil.rmtree(folder / part, ignore_errors=True)
        for name in ("messages.jsonl", "inactive.json"):
            (folder / name).unlink()
        with tarfile.open(file, "w:gz", compresslevel=9) as tar:
            tar.add(folder, arcname=".", filter=_plain)


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Without the engine's logs and what it makes anew, and without whose files they were."""
    if any(part in ("tmp", "preprocessed_configs", "user_files", "status", "flags") for part in Path(info.name).parts):
        return None
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


if __name__ == "__main__":
    make()
    print(f"{FILE.name}: {FILE.stat().st_size:,} bytes")
