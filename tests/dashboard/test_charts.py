"""
Figures as data. Why they are read and not looked at: what must hold is that a cell carries its number, a gap is a gap, and
nothing that is missing is drawn as zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import plotly.graph_objects as go
import pytest

from dashboard import charts, charts_object
from dashboard.charts import Bar, Cell
from dashboard.charts_object import Flag, Gap, Mark

NOON = datetime(2026, 11, 23, 12)  # noqa: DTZ001 the viewer's clock, as charts draw it
CELLS = [Cell("EU-West", "ACME", 0.67, "67 %\n16 of 24", "ACME|EU-West"), Cell("APAC", "NORD", 0.0, "0 %\n0 of 3", "NORD|APAC")]


def test_a_pair_without_data_is_no_cell() -> None:
    """Two pairs are known of four: the others stay empty, they are not 0 %."""
    data = charts.heatmap(CELLS)["series"][0]["data"]
    assert [d["value"] for d in data] == [[1, 1, 0.67], [0, 0, 0.0]]


def test_a_cell_says_its_number_in_words_too() -> None:
    """Colour is never the only sign, and the tooltip names the pair."""
    cell = charts.heatmap(CELLS)["series"][0]["data"][0]
    assert cell["label"]["formatter"] == "67 %\n16 of 24"
    assert cell["name"] == "ACME · EU-West: 67 %, 16 of 24"


def test_a_wall_shows_the_hottest_rows_whole() -> None:
    """Where there is room for one row it is the worst one, with all its cells."""
    more = [*CELLS, Cell("APAC", "ACME", 0.1, "10 %", "ACME|APAC")]
    assert [c.key for c in charts.worst_rows(more, 1)] == ["ACME|EU-West", "ACME|APAC"]


def test_what_is_beyond_the_largest_few_is_other_and_nothing_is_lost() -> None:
    """Nine carriers in a funnel are seven bars and the rest; the sum is the same."""
    rows = [{"stage": "loaded", "series": f"C{i}", "n": i} for i in range(1, 10)]
    series = charts.split_stages(rows, ["loaded"], most=7)["series"]
    assert [s["name"] for s in series] == ["C9", "C8", "C7", "C6", "C5", "C4", "C3", "other"]
    assert sum(s["data"][0] for s in series) == sum(range(1, 10))


def test_the_team_with_the_oldest_exception_stands_on_top() -> None:
    """The worst thing is first; ECharts counts the axis from below."""
    rows = [
        {"owner": "finance", "bucket": "< 4 h", "n": 9, "oldest_s": 60},
        {"owner": "warehouse", "bucket": "> 3 d", "n": 1, "oldest_s": 400_000},
    ]
    spec = charts.ageing(rows, {"finance": "finance"})
    assert spec["yAxis"]["data"] == ["finance", "warehouse"]
    assert [s["data"] for s in spec["series"][:4]] == [[9, 0], [0, 0], [0, 0], [0, 1]]
    assert spec["series"][4]["data"] == [9, 1]


def test_a_backlog_says_its_numbers_and_marks_what_is_usual_only_where_that_is_known() -> None:
    """A bar without its usual must not look as if zero were usual."""
    bars = [Bar("In transit", 430, 410.0, "■ drains in 2.2 d"), Bar("Loaded", 2, None, "drains in 20 min")]
    now, usual = charts.backlog(bars)["series"]
    assert [d["label"]["formatter"] for d in now["data"]] == [
        "2 · drains in 20 min",
        "430 · usual 410 · ■ drains in 2.2 d",
    ]
    assert usual["data"] == [[410.0, 1]]


@pytest.mark.parametrize("is_dark", [False, True])
def test_what_is_written_in_a_cell_can_be_read(is_dark: bool) -> None:
    """4.5 to 1 at every heat, in both themes."""
    for step in range(21):
        spec = charts.heatmap([Cell("x", "y", step / 20, "l", "k")], is_dark=is_dark)
        ramp = spec["visualMap"]["inRange"]["color"]
        at = step / 20 * (len(ramp) - 1)
        low, high = (bytes.fromhex(ramp[min(int(at) + i, len(ramp) - 1)][1:]) for i in (0, 1))
        ground = [a + (b - a) * (at - int(at)) for a, b in zip(low, high, strict=True)]
        ink = bytes.fromhex(spec["series"][0]["data"][0]["label"]["color"][1:])
        assert contrast(ground, ink) >= 4.5


def contrast(one: Sequence[float], other: Sequence[float]) -> float:
    """The contrast of two colours by WCAG 2."""
    light = [sum(w * _linear(v / 255) for w, v in zip((0.2126, 0.7152, 0.0722), c, strict=True)) for c in (one, other)]
    return (max(light) + 0.05) / (min(light) + 0.05)


def _linear(v: float) -> float:
    return v / 12.92 if v <= 0.04045 else float(((v + 0.055) / 1.055) ** 2.4)


def test_a_lane_writes_a_state_once_and_never_over_its_neighbour() -> None:
    """Twenty reports of one state are twenty marks and one word."""
    hours = [Mark("CARRIER", NOON + timedelta(hours=i), NOON, "in transit", "h") for i in range(20)]
    close = [Mark("TMS", NOON + timedelta(minutes=i), NOON, f"state {i}", "h") for i in range(6)]
    figure = charts_object.swim_lanes([*hours, *close], [], [], NOON + timedelta(hours=20))
    texts = [t for t in figure["data"][1]["text"] if t]
    assert texts.count("in transit") == 1
    assert [t for t in texts if t.startswith("state")] == ["state 0", "state 1", "state 5"]


def test_a_timeline_is_a_valid_figure_with_a_lane_a_system() -> None:
    """Plotly refuses an unknown property, so the figure is built for real; lanes stand in order of first word."""
    marks = [
        Mark("TMS", NOON, NOON, "planned", "h"),
        Mark("CARRIER", NOON + timedelta(hours=2), NOON + timedelta(hours=3), "departed", "h"),
        Mark("CARRIER", NOON + timedelta(hours=9), NOON, "delivered", "h", "EST"),
        Mark("CARRIER", NOON + timedelta(hours=1), NOON, "loaded", "h", "void"),
    ]
    gap = Gap(NOON + timedelta(hours=2), NOON + timedelta(hours=20), "quiet for 18 h")
    spec = charts_object.swim_lanes(marks, [gap], [Flag(NOON, "SHP.STALE")], NOON + timedelta(hours=20))
    figure = go.Figure(spec)
    assert list(figure.layout.yaxis.categoryarray) == ["CARRIER", "TMS", "exceptions"]
    assert [t.name for t in figure.data] == ["received", "happened", "estimated", "retracted or a copy", "exception"]
    assert [a.text for a in figure.layout.annotations] == ["quiet for 18 h", "now"]


def test_the_tick_of_receipt_stands_where_it_was_received() -> None:
    """An hour between happening and receiving is drawn as an hour."""
    spec = charts_object.swim_lanes([Mark("TMS", NOON, NOON + timedelta(hours=1), "x", "h")], [], [], NOON)
    assert spec["data"][0]["x"] == ["2026-11-23T12:00:00", "2026-11-23T13:00:00", None]
