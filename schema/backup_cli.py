"""
The command line's keepers: `milepost backup PATH` and `milepost restore PATH`.

Why restore refuses a store with rows: it would mix two histories, and nobody could take them apart again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from schema import backup
from schema.governance import Catalogue
from schema.store import Store

console = Console(stderr=True)
Opened = Callable[[], tuple[Store, Catalogue]]


def add(app: typer.Typer, opened: Opened) -> None:
    """The two commands, over a way to open the store."""

    @app.command(name="backup")
    def backup_(path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder that is not there yet.")]) -> None:
        """Copy the store into a folder, from either engine; a server may go on taking rows meanwhile."""
        store, _ = opened()
        n = backup.backup(store, path.absolute(), _say)
        console.print(f"{n:,} rows of {store.label} are in {path}.")

    @app.command()
    def restore(path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder that `milepost backup` wrote.")]) -> None:
        """Fill an empty store from a backup, and derive the state."""
        store, _ = opened()
        n = backup.restore(store, path.absolute(), _say)
        console.print(f"{n:,} rows are in {store.label}.")


def _say(table: str, n: int) -> None:
    if n:
        console.print(f"  {table}: {n:,}", highlight=False)
