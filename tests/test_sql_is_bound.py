"""
No value is ever written into a statement: values are bound, as {name:Type}, and only names of ours are put in by formatting.

Why over the syntax tree and not by a look at each change: one f-string with a search word in it is enough, and it looks like
all the others. What may stand in a statement is a constant (in capitals), a name through `quote`, and what is listed here with
where it comes from; a new one is a question to its author.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("schema", "collectors", "dashboard")
SQL = re.compile(
    r"\b(SELECT|INSERT INTO|DELETE FROM|FROM [a-z_{]+|WHERE|TRUNCATE|OPTIMIZE|ALTER (TABLE|VIEW)|(DROP|CREATE)( OR REPLACE)? [A-Z]+)\b"
)
# Names that are made of constants or of the store's own catalogue where they stand, never of what somebody sent.
OF_OURS = {
    "schema/backup.py": {"columns"},  # system.columns, quoted
    "schema/chunks.py": {"said"},  # a statement of the caller's module
    "schema/exceptions.py": {"columns", "detector.sql"},  # DETECTOR_COLUMNS, and a file
    "schema/migrate.py": {"sql"},  # a view's file
    "schema/policy.py": {"table"},  # the names of catalogue_rows
    "schema/retention.py": {"table", "chunk.where()", "orphan"},  # literals of the loop; a condition whose bounds are bound
    "schema/state.py": {"table"},  # literals of the loop
    "schema/telemetry.py": {"columns", "missing", "before", "after", "store.database", "derived(store)"},  # the view's definition
    "schema/waits.py": {"_sql()", "which"},  # the fold, and a condition of the module
    "collectors/demo/lookback.py": {"columns", "detector.sql"},  # DETECTOR_COLUMNS, and a file
    "dashboard/queries.py": {"where", "cut", "counted"},  # literals of the callers, and of the loop
    "dashboard/queries_object.py": {"of_viewer()", "of_viewer(near)", "ours"},  # a condition of constants
}
# Modules whose work is to rewrite the text of statements (migrations for a cluster, a view's file), and which see no values.
OF_STATEMENTS = {"schema/cluster.py", "schema/definitions.py", "schema/flat.py"}


def formatted(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, expression) of whatever is put into a statement by an f-string, %, + or format()."""
    constants = {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def text(node: ast.AST) -> str:
        if isinstance(node, ast.Constant):
            return str(node.value)
        if isinstance(node, ast.JoinedStr):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "{x}" for part in node.values)
        return constants.get(node.id, "") if isinstance(node, ast.Name) else ""

    for node in ast.walk(tree):
        put: list[ast.expr] = []
        if isinstance(node, ast.JoinedStr) and SQL.search(text(node)):
            put = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mod, ast.Add)):
            sides = (node.left, node.right)
            put = [side for side in sides if not text(side)] if any(SQL.search(text(side)) for side in sides) else []
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "format_map", "join"):
            said = [*node.args, *(keyword.value for keyword in node.keywords)]
            put = said if SQL.search(text(node.func.value)) else []
        yield from ((node.lineno, ast.unparse(one)) for one in put if not _is_fixed(one))


def _is_fixed(node: ast.expr) -> bool:
    """A literal, a constant by its name, a whole number, or a name that `quote` has looked at."""
    is_harmless = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("quote", "int")
    return is_harmless or isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


def _files() -> list[Path]:
    return sorted([*(file for room in ROOMS for file in (ROOT / room).rglob("*.py")), ROOT / "milepost.py"])


def test_no_value_is_written_into_a_statement() -> None:
    """The whole of what keeps `'; DROP TABLE events; --` a text: no statement is made of anything that was sent."""
    found = [
        f"{name}:{line} puts {what} into a statement: bind it as {{name:Type}}"
        for file in _files()
        if (name := str(file.relative_to(ROOT))) not in OF_STATEMENTS
        for line, what in formatted(ast.parse(file.read_text("utf-8")))
        if what not in OF_OURS.get(name, ())
    ]
    assert found == []


def test_what_is_allowed_is_still_there() -> None:
    """An entry that nothing needs any more would let a later mistake of the same name through."""
    needed = {str(file.relative_to(ROOT)): {what for _, what in formatted(ast.parse(file.read_text("utf-8")))} for file in _files()}
    assert {name: unused for name, allowed in OF_OURS.items() if (unused := allowed - needed.get(name, set()))} == {}


@pytest.mark.parametrize(
    ("code", "put"),
    [
        ('f"SELECT * FROM events WHERE id = \'{id}\'"', ["id"]),
        ('"SELECT * FROM events WHERE id = \'%s\'" % id', ["id"]),
        ('"SELECT * FROM events WHERE id = " + id', ["id"]),
        ('"SELECT * FROM {} WHERE x".format(table)', ["table"]),
        ('FIND = "SELECT {x} FROM t"\nFIND.format(x=said)', ["said"]),
        ('f"DROP TABLE {table}"', ["table"]),
        ('f"SELECT 1 FROM {quote(t)} WHERE {IN_SCOPE} {{id:String}}"', []),
        ('f"{n} rows from {source}"', []),
    ],
)
def test_each_way_of_formatting_a_statement_is_seen(code: str, put: list[str]) -> None:
    """A test over the code that sees nothing would pass for ever."""
    assert [what for _, what in formatted(ast.parse(code))] == put
