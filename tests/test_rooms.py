"""
What may know what: the rooms, the kinds and the formats, and the rules that keep the house in order.

Why a test over the imports: a rule that only a document states is broken by the first hurried change. The rules are read
from the syntax tree of every file, so a new file is held to them without being named here.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("schema", "collectors", "dashboard", "milepost")
MAX_LINES = 350
IO_MODULES = {
    "aiohttp", "asyncio", "ftplib", "http", "httpx", "multiprocessing", "pathlib", "requests", "shutil", "smtplib", "socket",
    "sqlite3", "ssl", "subprocess", "tempfile", "threading", "urllib.request", "urllib3",
}  # fmt: skip
DRIVERS = {"chdb", "clickhouse_connect"}
# Where a machine gets packages from (any host that is named like one), and a path that exists on one machine only.
HOSTS = re.compile(r"\b(?:registry|pypi|deb|mirrors?|goproxy|proxy)\.(?:[a-z0-9-]+\.)*(?:org|com|io|net)\b|\b[a-z]+cr\.io\b")
PATHS = re.compile(r"""(?<![\w.~$}\-])/(?:root|work|home/[a-z]\w*|Users/\w+)(?=[/"'\s]|$)""")
BINARY = {".png", ".ico", ".gz", ".zip", ".parquet", ".woff2"}


def _files(*rooms: str) -> list[Path]:
    return sorted(file for room in rooms for file in [*(ROOT / room).rglob("*.py"), *ROOT.glob(f"{room}.py")])


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(), str(file))


def _imports(file: Path, *, for_types: bool = True) -> Iterator[str]:
    """The dotted name of each import in a file; `from a import b` is `a.b`."""
    skipped = set() if for_types else _type_checking(_tree(file))
    for node in ast.walk(_tree(file)):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{_absolute(file, node)}.{name.name}" for name in node.names)


def _absolute(file: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = file.relative_to(ROOT).parts[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def _type_checking(tree: ast.Module) -> set[ast.AST]:
    guards = (node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    return {inner for guard in guards for statement in guard.body for inner in ast.walk(statement)}


def _knows(file: Path, *modules: str, for_types: bool = True) -> list[str]:
    """Which of the modules, or what is in them, a file imports."""
    return [
        f"{file.relative_to(ROOT)} imports {name}"
        for name in _imports(file, for_types=for_types)
        if any(name == module or name.startswith(f"{module}.") for module in modules)
    ]


def _breaches(folder: str, *modules: str, for_types: bool = True) -> list[str]:
    return [line for file in _files(folder) for line in _knows(file, *modules, for_types=for_types)]


@pytest.mark.parametrize(
    ("room", "strangers"),
    [
        ("schema", ("collectors", "dashboard", "milepost")),
        ("collectors", ("dashboard", "milepost")),
        ("dashboard", ("collectors", "milepost")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_room_knows_no_room_that_it_must_not(room: str, strangers: tuple[str, ...]) -> None:
    """Data flows one way: collectors -> schema -> dashboard. Only milepost.py knows all three."""
    assert _files(room)
    assert _breaches(room, *strangers) == []


def test_kinds_know_nothing_of_formats_and_tables() -> None:
    """N + M modules and not N x M: a kind knows how bytes arrive, and deliver()."""
    assert _files("collectors/kinds")
    assert _breaches("collectors/kinds", "collectors.formats", "schema.store", "schema.events", "schema.migrate") == []


def test_formats_know_nothing_of_kinds_and_the_store() -> None:
    """A format is a function from a message to rows; a type it needs for a signature is no knowledge at run time."""
    assert _files("collectors/formats")
    assert _breaches("collectors/formats", "collectors.kinds", "schema.store", for_types=False) == []


def test_formats_do_no_input_or_output() -> None:
    """What a message means must not depend on the machine or the hour, or a replay would not be one."""
    assert _breaches("collectors/formats", *IO_MODULES, for_types=False) == []
    assert [line for file in _files("collectors/formats") for line in _opens(file)] == []


def _opens(file: Path) -> Iterator[str]:
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "print", "input"):
            yield f"{file.relative_to(ROOT)}:{node.lineno} calls {node.func.id}()"


def test_only_the_store_knows_the_driver() -> None:
    """Which engine it is, and what its driver calls experimental, is one module's business."""
    others = [file for file in _files(*ROOMS) if file != ROOT / "schema" / "store.py"]
    assert [line for file in others for line in _knows(file, *DRIVERS)] == []


def test_only_the_runner_catches_everything() -> None:
    """Anything unnamed is a bug: the runner logs it and marks the source failed; elsewhere it must not be hidden."""
    others = [file for file in _files(*ROOMS) if file != ROOT / "collectors" / "runner.py"]
    assert [line for file in others for line in _catches_all(file)] == []


def _catches_all(file: Path) -> Iterator[str]:
    for node in ast.walk(_tree(file)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        if any(name is None or ast.unparse(name) in ("Exception", "BaseException") for name in caught) and not _reraises(node):
            yield f"{file.relative_to(ROOT)}:{node.lineno} catches everything"


def _reraises(handler: ast.ExceptHandler) -> bool:
    """A handler that lets go of something and raises the same again hides nothing."""
    return isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None


@pytest.mark.parametrize("room", [*ROOMS, "tests"])
def test_a_file_is_short_enough_to_be_read(room: str) -> None:
    """Past 350 lines a file has two subjects."""
    long = {str(file.relative_to(ROOT)): n for file in _files(room) if (n := len(file.read_text().splitlines())) > MAX_LINES}
    assert long == {}


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    """What works on one machine only is broken on all others; where packages come from is the machine's configuration."""
    tracked = [file for file in _tracked() if file.suffix not in BINARY]
    assert len(tracked) > 20
    assert [line for file in tracked for line in _local_words(file)] == []


def _tracked() -> list[Path]:
    """What git has or would take; without git, what lies here outside the folders that are made."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return [file for name in done.stdout.split("\0") if name and (file := ROOT / name).is_file()]
    made = {".venv", ".cache", "build", "__pycache__", "node_modules", "milepost-data"}
    return [file for file in ROOT.rglob("*") if file.is_file() and not made & set(file.relative_to(ROOT).parts)]


def _local_words(file: Path) -> Iterator[str]:
    for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
        if found := HOSTS.search(line) or PATHS.search(line):
            yield f"{file.relative_to(ROOT)}:{number} names {found.group()!r}"


def test_every_folder_of_tests_is_a_package() -> None:
    """Rooms have modules of one name (formats/otlp, kinds/otlp), and so have their tests: without packages they collide."""
    folders = {file.parent for file in (ROOT / "tests").rglob("test_*.py")}
    assert [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []
