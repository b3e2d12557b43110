"""
How two workers share the tests: a file on one engine is a unit, long units come first, and a worker keeps to its engine.

Why not `--dist loadfile` as it is: it begins with the files of the most tests, so that the longest, which have few, come
last and run on one worker while the other is idle; and it gives both engines of a file to one worker, so that every worker
starts both engines and migrates databases on each.
"""

from __future__ import annotations

import re
from typing import Any

from xdist.scheduler import LoadScopeScheduling

ENGINE = re.compile(r"\[(embedded|server|cluster)\b")
ENGINES = ("embedded", "server")
# The files of few and long tests, the longest first; the others follow by the number of their tests.
LONG = ("tests/test_truth.py", "tests/test_browser.py", "tests/schema/test_kpi_reader.py", "tests/test_readme.py")


class Shares(LoadScopeScheduling):
    """Hands out units of one file and one engine."""

    def _split_scope(self, nodeid: str) -> str:
        found = ENGINE.search(nodeid)
        return f"{nodeid.partition('::')[0]} {found[1] if found else ''}"

    def _assign_work_unit(self, node: Any) -> None:
        """Of the long units and those of this worker's engine the first, then one of no engine, then another engine's."""
        own = ENGINES[self.nodes.index(node) % len(ENGINES)]
        self.workqueue.move_to_end(min(self.workqueue, key=lambda unit: _rank(unit, own)), last=False)
        super()._assign_work_unit(node)


def _rank(unit: str, own: str) -> tuple[int, int]:
    file, _, engine = unit.partition(" ")
    place = LONG.index(file) if file in LONG else len(LONG)
    is_first = engine == own or (not engine and file in LONG)
    return 0 if is_first else 1 if not engine else 2, place
