"""
Figures as data. Why they are read and not looked at: what must hold is that a cell carries its number, a gap is a gap, and
nothing that is missing is drawn as zero.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import plotly.graph_objects as go

from dashboard import charts
from dashboard.charts import Cell, Flag, Gap, Mark

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
    assert [s["data"] for s in spec["series"]] == [[9, 0], [0, 0], [0, 0], [0, 1]]


def test_a_timeline_is_a_valid_figure_with_a_lane_a_system() -> None:
    """Plotly refuses an unknown property, so the figure is built for real; lanes stand in order of first word."""
    marks = [
        Mark("TMS", NOON, NOON, "planned", "h"),
        Mark("CARRIER", NOON + timedelta(hours=2), NOON + timedelta(hours=3), "departed", "h"),
        Mark("CARRIER", NOON + timedelta(hours=9), NOON, "delivered", "h", "EST"),
        Mark("CARRIER", NOON + timedelta(hours=1), NOON, "loaded", "h", "void"),
    ]
    gap = Gap(NOON + timedelta(hours=2), NOON + timedelta(hours=20), "quiet for 18 h")
    spec = charts.swim_lanes(marks, [gap], [Flag(NOON, "SHP.STALE")], NOON + timedelta(hours=20))
    figure = go.Figure(spec)
    assert list(figure.layout.yaxis.categoryarray) == ["CARRIER", "TMS", "exceptions"]
    assert [t.name for t in figure.data] == ["received", "happened", "estimated", "retracted or a copy", "exception"]
    assert [a.text for a in figure.layout.annotations] == ["quiet for 18 h", "now"]


def test_the_tick_of_receipt_stands_where_it_was_received() -> None:
    """An hour between happening and receiving is drawn as an hour."""
    spec = charts.swim_lanes([Mark("TMS", NOON, NOON + timedelta(hours=1), "x", "h")], [], [], NOON)
    assert spec["data"][0]["x"] == ["2026-11-23T12:00:00", "2026-11-23T13:00:00", None]
