"""
Pieces of Streamlit that several pages use: status words, empty states, links, values with their meaning.

Why status is always glyph, word and colour together: colour alone is lost on one man in twelve, on a projector and in print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from dashboard import frame, session, units

Status = Literal["on_target", "watch", "off_target", "no_data"]  # the words of schema.kpi
WORDS: dict[Status, tuple[str, str, str]] = {
    "on_target": ("●", "On target", "green"),
    "watch": ("▲", "Watch", "orange"),
    "off_target": ("■", "Off target", "red"),
    "no_data": ("○", "No data", "gray"),
}
SEVERITY_COLOUR = {1: "red", 2: "red", 3: "orange", 4: "gray"}


def status(of: Status, word: str = "") -> str:
    """A status as Markdown: `:green[● On target]`."""
    glyph, known, colour = WORDS[of]
    return f":{colour}[{glyph} {word or known}]"


def status_text(of: Status, word: str = "") -> str:
    """A status without colour, for the cells of a table."""
    glyph, known, _ = WORDS[of]
    return f"{glyph} {word or known}"


def severity(level: int) -> str:
    """The severity of an exception as Markdown, P1 to P4."""
    glyph = {1: "■", 2: "■", 3: "▲"}.get(level, "○")
    return f":{SEVERITY_COLOUR.get(level, 'gray')}[{glyph} P{level}]"


def money(amount: float) -> str:
    """A value in the base currency."""
    return units.money(amount, session.currency())


def interface(name: str) -> str:
    """An interface or feed as people call it: its title in the catalogue, in quotes as it is several words; else its name."""
    catalogue = session.catalogue()
    known = catalogue.interfaces.get(name) or catalogue.feeds.get(name)
    return f"“{known.title}”" if known else name


def role(name: str) -> str:
    """The role of a system as it is written: `ERP`, `CARRIER`."""
    return name.upper() or "NO SYSTEM"


def exception_title(code: str) -> str:
    """An exception's code as people call it."""
    policy = session.catalogue().exceptions.get(code)
    return policy.title if policy else code


def said_by(row: Mapping[str, Any]) -> str:
    """What was done with an exception, as one line of its history."""
    team = f" to {session.team(row['team'])}" if row["team"] else ""
    until = f" until {frame.when(row['until'])}" if row["until"].year > 1970 else ""
    comment = f": {units.plain(row['comment'])}" if row["comment"] else ""
    return f":gray[{frame.when(row['at'])}] {units.plain(row['actor'])} · **{row['verb']}**{team}{until}{comment}"


def empty(sentence: str, *, next_step: str = "", code: str = "", language: str = "bash") -> None:
    """Nothing is here: why, and what to do next, with the command filled in."""
    st.markdown(f":gray[○] {sentence}" + (f" {next_step}" if next_step else ""))
    if code:
        st.code(code, language=language, wrap_lines=True)


def heading(text: str, help: str = "") -> None:
    """The heading of a part of a page: what is measured, and in which unit."""
    st.markdown(f"##### {text}", help=help or None)


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """Names and values in a few short lines; an empty value is left out."""
    lines = [f":gray[{name}] {text}" for name, text in pairs if text]
    st.markdown("  \n".join(lines))


def object_table(object_type: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, list[Any]], *, key: str) -> None:
    """A table of objects; choosing a row goes to the object. A column `Trace` holds links."""
    state = st.dataframe(
        {units.title(object_type): [r["object_id"] for r in rows], **columns},
        key=key,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height="content" if len(rows) <= 12 else 420,
        column_config={
            units.title(object_type): st.column_config.TextColumn(),
            "Trace": st.column_config.LinkColumn(display_text="trace"),
        },
        alt=f"{len(rows)} {object_type}s",
    )
    st.caption("Choose a row to open it.")
    if picked := state["selection"]["rows"]:
        frame.go("object", type=object_type, id=rows[picked[0]]["object_id"])
