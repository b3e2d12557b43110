"""
Statements as the engine likes them: the views that they name put in their places as text, down to the tables.

Why: a parameterised view is analysed when it is named and once more when it is read, and each view that it names twice as often
again, so that most answers took longer to analyse than to read; flat, a statement is analysed once. The views stay for whoever
asks in a client of his own, and say the same, which is a test. What a file marks as MATERIALIZED is read once in flat text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from schema import definitions
from schema.errors import BadDefinition

COMMENT = r"--[^\n]*|/\*.*?\*/"
STRING = r"'(?:[^'\\]|\\.)*'"
CALL = re.compile(rf"(?:{COMMENT})|{STRING}|\b(?:FROM|JOIN)\s+`?(?P<name>\w+)`?\s*(?P<opens>\()", re.S)
MARK = re.compile(rf"{STRING}|[()\[\]{{}},]", re.S)
PARAMETER = re.compile(r"\{(\w+):([^{}]+)\}")


@cache
def flat(sql: str) -> str:
    """
    The statement with the text of every view that it calls by arguments, at any depth. Comments are left out.

    Raises: BadDefinition, if an argument is missing or a parenthesis stays open.
    """
    out, end = [], 0
    for call in CALL.finditer(sql):
        if call.start() < end:  # within the arguments of the last one
            continue
        if call["name"] in definitions.views():
            out.append(sql[end : call.start("name")].rstrip("`"))
            arguments, end = _arguments(sql, call.end())
            out.append(f"(\n{_bound(call['name'], arguments)}\n)")
        elif not call["name"] and call[0][0] in "-/":
            out.append(sql[end : call.start()])
            end = call.end()
    return "".join((*out, sql[end:]))


def _bound(name: str, arguments: dict[str, str]) -> str:
    """The flat text of a view with what it is called with in the place of its parameters."""
    text = flat(definitions.views()[name])
    wanted = {parameter for parameter, _ in PARAMETER.findall(text)}
    if missing := wanted - arguments.keys():
        raise BadDefinition(f"{name} is called without {', '.join(sorted(missing))}")
    return PARAMETER.sub(lambda found: _value(arguments[found[1]], found[2]), text)


def _value(argument: str, type_: str) -> str:
    """An argument where the parameter stood; what is no parameter itself takes its type."""
    if PARAMETER.fullmatch(argument) or (type_ == "String" and re.fullmatch(STRING, argument)):
        return argument
    return f"CAST({argument} AS {type_})"


def _arguments(sql: str, begin: int) -> tuple[dict[str, str], int]:
    """The arguments by name that begin here, behind the opening parenthesis, and where the call ends."""
    pieces, end = _pieces(sql, begin)
    named = (piece.partition("=") for piece in pieces if piece.strip())
    return {name.strip(): value.strip() for name, _, value in named}, end


def _pieces(sql: str, begin: int) -> tuple[list[str], int]:
    pieces, depth, last = list[str](), 1, begin
    for mark in _marks(sql, begin):
        depth += (mark[0] in "([{") - (mark[0] in ")]}")
        if depth == 0 or (depth == 1 and mark[0] == ","):
            pieces.append(sql[last : mark.start()])
            last = mark.end()
        if depth == 0:
            return pieces, last
    raise BadDefinition(f"no closing parenthesis behind {sql[max(0, begin - 40) : begin]!r}")


def _marks(sql: str, begin: int) -> Iterator[re.Match[str]]:
    return (mark for mark in MARK.finditer(sql, begin) if mark[0][0] != "'")
