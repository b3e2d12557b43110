"""
How three workers share the tests: a file on one engine is a unit, long units come first, and a worker keeps to its engine.

Why three on a machine of two cores: what drives browsers and processes waits for them half of the time, and is the third's. Why
not `--dist loadfile` as it is: it begins with the files of the most tests, so that the longest, which have few, come last and
run on one worker while the others are idle; and it gives both engines of a file to one worker, so that every worker starts both
engines and migrates databases on each. All that runs on two shards is one unit, for its servers start once.
"""

from __future__ import annotations

import re
from typing import Any

from xdist.scheduler import LoadScopeScheduling

ENGINE = re.compile(r"\[(embedded|server|cluster)\b")
# What a worker takes first; the third what needs no engine, or two servers of its own.
OWN = (("embedded",), ("server",), ("", "cluster"))
# The units of few and long tests, the longest first; the others follow by the number of their tests.
LONG = (
    "tests/test_browser.py", "two shards", "tests/test_truth.py", "tests/unbreakable/test_store_faults.py",
    "tests/unbreakable/test_half_done.py", "tests/unbreakable/test_thrice.py", "tests/collectors/test_demo_lookback.py",
    "tests/schema/test_kpi_reader.py", "tests/test_browser_empty.py", "tests/test_readme.py", "tests/test_login.py",
    "tests/collectors/test_demo_live.py", "tests/test_browser_review.py", "tests/unbreakable/test_kills.py",
    "tests/unbreakable/test_backup.py", "tests/collectors/test_fairness.py",
)  # fmt: skip


class Shares(LoadScopeScheduling):
    """Hands out units of one file and one engine."""

    def _split_scope(self, nodeid: str) -> str:
        found = ENGINE.search(nodeid)
        engine = found[1] if found else ""
        return f"{'two shards' if engine == 'cluster' else nodeid.partition('::')[0]}@{engine}"

    def _assign_work_unit(self, node: Any) -> None:
        """Of this worker's own units the first; then one that is no engine's, then another engine's."""
        own = OWN[self.nodes.index(node) % len(OWN)]
        self.workqueue.move_to_end(min(self.workqueue, key=lambda unit: _rank(unit, own)), last=False)
        super()._assign_work_unit(node)


def _rank(unit: str, own: tuple[str, ...]) -> tuple[int, int]:
    name, _, engine = unit.partition("@")
    place = LONG.index(name) if name in LONG else len(LONG)
    return 0 if engine in own else 1 if engine in OWN[-1] else 2, place
