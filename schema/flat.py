"""
Statements as the engine likes them: the views that they name put in their places as text, down to the tables, and of that text
only what is asked for.

Why flat: a parameterised view is analysed when it is named and once more when it is read, and each view that it names twice as
often again, so that most answers took longer to analyse than to read; flat, a statement is analysed once. Why only what is
asked for: a view is made for every cut and every scope, and who asks for none has each of them analysed to find that out.

The views stay for whoever asks in a client of his own, and say the same, which is a test. Values are never put into the text:
they stay parameters. What a file marks as MATERIALIZED is read once in flat text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from schema import definitions
from schema.errors import BadDefinition

ASKS = re.compile(r"\s*(?:SELECT|WITH|INSERT|EXPLAIN)\b")
COMMENT = r"--[^\n]*|/\*.*?\*/"
STRING = r"'(?:[^'\\]|\\.)*'"
CALL = re.compile(rf"(?:{COMMENT})|{STRING}|\b(?:FROM|JOIN)\s+`?(?P<name>\w+)`?(?P<arguments>\s*\()?", re.S)
MARK = re.compile(rf"{STRING}|[()\[\]{{}},]", re.S)
PARAMETER = re.compile(r"\{(\w+):([^{}]+)\}")
NO_SCOPE = "CAST([] AS Array(String))"
# How views write them: migrations/0052_in.sql, 0053_cut.sql.
IN_SCOPE = re.compile(
    rf"(\bAND )?\bmilepost_in\((?:\{{(?P<asked>\w+):Array\(String\)\}}|{re.escape(NO_SCOPE)}), '(\w+)', ([\w.]+)\)"
)
CUT = re.compile(rf"\bmilepost_cut\((?:\{{(?P<asked>\w+):String\}}|'(\w*)'), {', '.join(definitions.CUTS)}\)")


def asked(sql: str, params: Mapping[str, Any]) -> str:
    """
    A statement that reads, flat, and without what these parameters do not ask for. Anything else stays as it is.

    Raises: BadDefinition, as `flat` does.
    """
    if not ASKS.match(sql):
        return sql
    text = flat(sql)
    scopes, words = _asks_for(text)
    named = tuple((name, frozenset(_cuts(params[name]))) for name in scopes if name in params)
    chosen = tuple((name, params[name] if params[name] in definitions.CUTS else "") for name in words if name in params)
    return _pruned(text, named, chosen)


def _cuts(scope: Any) -> Iterator[str]:
    """The cuts that the items of a scope name."""
    return (str(item).partition("=")[0] for item in scope)


@lru_cache(2000)
def flat(sql: str) -> str:
    """
    The statement with the text of every view that it names, at any depth. Comments are left out.

    Raises: BadDefinition, if an argument is missing or a parenthesis stays open.
    """
    out, end = [], 0
    for call in CALL.finditer(sql):
        if call.start() < end:  # within the arguments of the last one
            continue
        if _names_a_view(call):
            out.append(sql[end : call.start("name")].rstrip("`"))
            arguments, end = _arguments(sql, call.end()) if call["arguments"] else ({}, call.end())
            out.append(f"(\n{_bound(call['name'], arguments)}\n)")
        elif not call["name"] and call[0][0] in "-/":
            out.append(sql[end : call.start()])
            end = call.end()
    return "".join((*out, sql[end:]))


def _names_a_view(call: re.Match[str]) -> bool:
    """A word without arguments is a view only where the view of this name takes none; else it may be what a WITH has named."""
    text = definitions.views().get(call["name"] or "")
    return text is not None and (call["arguments"] is not None or not PARAMETER.search(text))


def _bound(name: str, arguments: dict[str, str]) -> str:
    """The flat text of a view with what it is called with in the place of its parameters."""
    text = flat(definitions.views()[name])
    if missing := {parameter for parameter, _ in PARAMETER.findall(text)} - arguments.keys():
        raise BadDefinition(f"{name} is called without {', '.join(sorted(missing))}")
    return PARAMETER.sub(lambda found: _value(arguments[found[1]], found[2]), text)


def _value(argument: str, type_: str) -> str:
    """An argument where the parameter stood; what is no parameter itself takes its type."""
    if PARAMETER.fullmatch(argument) or (type_ == "String" and re.fullmatch(STRING, argument)):
        return argument
    return f"CAST({argument} AS {type_})"


def _arguments(sql: str, begin: int) -> tuple[dict[str, str], int]:
    """The arguments by name that begin here, behind the opening parenthesis, and where the call ends."""
    pieces, depth, last = list[str](), 1, begin
    for mark in MARK.finditer(sql, begin):
        depth += (mark[0] in "([{") - (mark[0] in ")]}")
        if depth == 0 or (depth == 1 and mark[0] == ","):
            pieces.append(sql[last : mark.start()])
            last = mark.end()
        if depth == 0:
            named = (piece.partition("=") for piece in pieces if piece.strip())
            return {name.strip().strip("`"): value.strip() for name, _, value in named}, last
    raise BadDefinition(f"no closing parenthesis behind {sql[max(0, begin - 40) : begin]!r}")


@lru_cache(2000)
def _asks_for(text: str) -> tuple[list[str], list[str]]:
    """The parameters that conditions of scope and choices of a cut in this text take."""
    scopes, words = (sorted({found["asked"] for found in mark.finditer(text) if found["asked"]}) for mark in (IN_SCOPE, CUT))
    return scopes, words


@lru_cache(4000)
def _pruned(text: str, scopes: tuple[tuple[str, frozenset[str]], ...], words: tuple[tuple[str, str], ...]) -> str:
    """The text with conditions on those cuts only that the scopes name, and with the column of the cut that is asked for."""
    named, chosen = dict(scopes), dict(words)

    def condition(found: re.Match[str]) -> str:
        besides, scope, cut, column = found.groups(default="")
        if not scope or (scope in named and cut not in named[scope]):
            return "" if besides else "true"
        return f"{besides}has({{{scope}:Array(String)}}, '{cut}=' || {column})" if scope in named else found[0]

    def column(found: re.Match[str]) -> str:
        cut = found[2] if found[1] is None else chosen.get(found[1])
        return found[0] if cut is None else f"toString({cut})" if cut in definitions.CUTS else "''"

    return CUT.sub(column, IN_SCOPE.sub(condition, text))
