"""The real Milepost, killed without a word while it takes everything in; fifty times by `python -m tests.unbreakable.kills`."""

from __future__ import annotations

from pathlib import Path

from tests.unbreakable import kills


def test_three_kills_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    """
    Acknowledged means stored, and a replay changes nothing: of telemetry, events and files alike, behind every view, and in
    the state.
    """
    result = kills.run(tmp_path, 3, seed=2)  # which kills the second life while it warms up
    assert result.wrong == []
    assert result.n_acknowledged > kills.SENDERS * 4, "more than what each sender brings in at the end"
    assert result.n_again > 0
