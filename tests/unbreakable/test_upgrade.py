"""A store that the first landed version wrote is opened by this one, and what was read of it then is read of it now."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from tests.parts import ROOT
from tests.unbreakable.enterprise import ANCHOR, DAYS
from tests.unbreakable.first_store import FILE

# In a process of its own: an engine holds one folder, and that of the tests is another.
READER = """
import json, sys
from datetime import datetime, timedelta
from pathlib import Path
from schema import definitions, exceptions, governance, kpi, migrate, state
from schema.store import connect

folder, anchor, days = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), int(sys.argv[3])
store = connect(f"chdb://{folder / 'store'}")
pending = migrate.pending(store)
if migrate.migrate(store, governance.load()):
    state.rebuild(store)
exceptions.detect(store, anchor)
window = {"start": anchor - timedelta(days=days), "end": anchor, "as_of": anchor}
print(json.dumps({
    "pending": len(pending),
    "drift": state.drift(store),
    "kpis": {
        f"{name} {by}": [(p.series, p.value, p.n) for p in kpi.headline(store, name, by=by, **window)]
        for name, found in definitions.kpis().items() for by in ("", found.header.by[0])
    },
    "states": store.query("SELECT object_type, object_id, h_state FROM object_state FINAL ORDER BY ALL"),
    "inbox": sorted((e["code"], e["object_id"], e["reason"]) for e in exceptions.find(store, anchor)),
    "rows": {t: store.value(f"SELECT count() FROM {t}") for t in ("events", "messages", "otel_traces", "interface_calls")},
}))
store.close()
"""


def test_a_store_of_the_first_version_opens_migrates_and_answers_the_same(tmp_path: Path) -> None:
    """
    Whoever has run Milepost since its first day loses nothing by taking the next version: every row is there, every state is
    what its events say, and a figure that moves without a word would make all the others doubtful.
    """
    with tarfile.open(FILE) as tar:
        tar.extractall(tmp_path, filter="data")
    then: dict[str, Any] = json.loads((tmp_path / "answers.json").read_text())
    asked = [sys.executable, "-c", READER, str(tmp_path), ANCHOR.isoformat(), str(DAYS)]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    now = json.loads(done.stdout)
    assert now["pending"] > 0, "there is nothing to migrate: the store is none of an earlier version"
    assert now["drift"] == []
    for name in ("rows", "states", "inbox"):
        assert now[name] == then[name], name
    for name, points in then["kpis"].items():
        assert now["kpis"][name] == points, name
    assert any(then["kpis"].values())
