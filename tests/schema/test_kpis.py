"""
Every KPI against its case file, and what all KPI files owe their one reader.

Why a contract test over all of them: one tile, one chart and one snapshot job read every KPI, so a column of another type or a
literal threshold in one file is a fault of the product and not of that file.
"""

from __future__ import annotations

import pytest

from schema.governance import Catalogue
from schema.store import Store
from tests.schema import cases
from tests.schema.cases import Case


@pytest.mark.parametrize("case", cases.find("kpi"))
def test_a_kpi_answers_as_its_case_says(store: Store, catalogue: Catalogue, case: Case) -> None:
    """The rows beside the number are the only proof that the number means what its definition says."""
    cases.check(store, catalogue, case, kind="kpi")
