"""
`docs/kpis.md`, the list of KPIs for people who read no SQL, says what the KPI files and the catalogue say.

Why written from the files: a list by hand is right on the day it is written. `python -m tests.schema.test_kpi_docs` writes it.
"""

from __future__ import annotations

from pathlib import Path

from schema import definitions, governance
from schema.definitions import Kpi
from schema.governance import Catalogue
from schema.rules import Tolerance

PAGE = Path(__file__).parents[2] / "docs" / "kpis.md"
INTRO = """# The KPIs

Each is one file under `schema/kpis/`, a header and a SELECT, and is read the same way by tiles, alerts and any SQL client:
`SELECT * FROM kpi_<name>(from = …, to = …, as_of = …, bucket_s = …, by = '', scope = [])`. `n` stands beside every value; without
data there is no row. Targets are those of the shipped catalogue (`[tolerances]`); yours override them. Written from the files by
`python -m tests.schema.test_kpi_docs`.
"""


def test_the_list_of_kpis_says_what_the_files_say(catalogue: Catalogue) -> None:
    """A definition on paper that differs from the one in force is worse than none."""
    assert page(catalogue) == PAGE.read_text("utf-8"), "python -m tests.schema.test_kpi_docs writes docs/kpis.md anew"


def page(catalogue: Catalogue) -> str:
    """The text of docs/kpis.md."""
    return INTRO + "".join(_entry(kpi, catalogue.tolerances[kpi.header.target]) for kpi in definitions.kpis().values())


def _entry(kpi: Kpi, tolerance: Tolerance) -> str:
    h = kpi.header
    than = "at most" if h.good == "low" else "at least"
    return (
        f"\n## {h.id} {h.title}\n\n{h.definition}\n\n"
        f"`{kpi.area}/{kpi.name}`, {h.shape}, in {h.unit}; target {than} {tolerance.target:g}, watch to {tolerance.watch:g} "
        f"(`{h.target}`); by {', '.join(h.by)}.\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(governance.load()), "utf-8")
