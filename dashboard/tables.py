"""
What tables of several pages share: how tall they are, and which row the URL has chosen.

Why not a height of so many pixels a row: a table that is a few pixels too tall ends in half an empty row, which reads as
"there is more"; short tables are as tall as their content, long ones scroll. Why no pinned column: Streamlit writes those in
the grey of something that is switched off, and the first column is what a row is about. Why a unit in the header where a column
holds plain numbers: one unit down a column is compared by eye and sorts as numbers do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import streamlit as st

ROW_PX = 35


def right(help: str | None = None, *, label: str | None = None, width: int | None = None) -> Any:
    """A column of numbers that are written with their units: at the right, where digits are compared."""
    return st.column_config.TextColumn(label, help=help, width=width, alignment="right")


def number(help: str | None = None, *, label: str | None = None, width: int | None = None) -> Any:
    """A column of plain numbers; the unit stands in its header."""
    return st.column_config.NumberColumn(label, help=help, width=width, format="localized")


def text(help: str | None = None, *, label: str | None = None, width: int | None = None) -> Any:
    """A column of words."""
    return st.column_config.TextColumn(label, help=help, width=width)


def height(n: int, most: int) -> int | Literal["content"]:
    """As tall as its rows, or `most` pixels."""
    return "content" if ROW_PX * (n + 1) <= most else most


def chosen(names: Sequence[str], name: str) -> Any:
    """The selection that shows the row of the URL as chosen."""
    return {"selection": {"rows": [i for i, n in enumerate(names) if n == name], "columns": [], "cells": []}}


def choose(table: str, names: Sequence[str], param: str, drop: Sequence[str] = ()) -> None:
    """Put the row that was chosen in a table into the URL, or take it out; `drop` goes with it. For a table's callback."""
    picked = st.session_state[table]["selection"]["rows"]
    for key in (param, *drop):
        st.query_params.pop(key, None)
    if picked and picked[0] < len(names):
        st.query_params[param] = names[picked[0]]


def picked(state: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The row that was chosen just now."""
    found = state["selection"]["rows"]
    return rows[found[0]] if found and found[0] < len(rows) else None
