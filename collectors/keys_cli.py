"""
`milepost keys`: make, show, rotate and revoke the API keys of the intake. A token is printed once and kept nowhere.

Why it asks for no store: it must work beside a running Milepost, which holds an embedded store alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collectors import keys
from collectors.config import Settings, format_module, kind_module
from collectors.keys import Key
from collectors.message import Source
from collectors.sender import KeyOptions
from schema.errors import BadConfig

SPAN = re.compile(r"([0-9]{1,5})([smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
KEPT = "It is not kept and cannot be shown again. Send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'."

Id = Annotated[str, typer.Argument(metavar="ID", help="As `milepost keys list` shows it: the middle part of the token.")]
PIPED = 200  # columns where no terminal says how wide it is: what another program reads is not folded
console = Console(width=None if sys.stdout.isatty() else PIPED)


def keys_app(settings: Callable[[], Settings]) -> typer.Typer:
    """The sub-command `keys`, over the settings in force."""
    app = typer.Typer(help="API keys of the intake, in force at once: add, list, rotate, revoke.", no_args_is_help=True)

    @app.command()
    def add(
        source: Annotated[str, typer.Argument(metavar="SOURCE", help="The source of milepost.toml that the key is for.")],
        format_: Annotated[str, typer.Option("--format", help="Only this format (default: that of the source).")] = "",
        expires: Annotated[str, typer.Option(help="How long it is good, such as 90d (default: until it is revoked).")] = "",
        note: Annotated[str, typer.Option(help="Who holds it, and what for.")] = "",
    ) -> None:
        """Make a key for a source and print its token, once."""
        found = settings()
        mine = _keyed(found, source)
        made, token = keys.add(found.keys_file, source, _format(mine, format_), _span(expires) if expires else None, note)
        _say_token(token, f"Key {made.id} for source {made.source}, format {made.format}, {_until(made)}.")

    @app.command("list")
    def list_() -> None:
        """Every key with its source, its format and how it stands. Secrets are not shown, for they are not kept."""
        table = Table("id", "source", "format", "made", "note")
        table.add_column("stands", no_wrap=True)
        for key in keys.read(settings().keys_file).values():
            table.add_row(key.id, key.source, key.format or "any", f"{key.created_at:%Y-%m-%d}", escape(key.note), _stands(key))
        console.print(table if table.row_count else f"No keys in {settings().keys_file}.")

    @app.command()
    def rotate(
        id_: Id,
        overlap: Annotated[str, typer.Option(help="How long the old key stays good, such as 7d.")] = "7d",
    ) -> None:
        """Make a successor of a key; the old one stays good for a while, so that no message is refused meanwhile."""
        old, made, token = keys.rotate(settings().keys_file, id_, _span(overlap))
        _say_token(token, f"Key {made.id} follows {old.id}, which is good {_until(old)}.")

    @app.command()
    def revoke(id_: Id) -> None:
        """End a key now."""
        console.print(f"Key {id_} {keys.revoke(settings().keys_file, id_).ended(datetime.now(UTC))}.", markup=False)

    return app


def _keyed(settings: Settings, name: str) -> Source:
    """The source of that name, if there is a door at which a key is asked for."""
    with_doors = {source.name: source for source in settings.sources if _has_door(source)}
    if name not in with_doors:
        raise BadConfig(f"{name!r} is no source that takes requests; known: {', '.join(with_doors) or 'none'}")
    return with_doors[name]


def _has_door(source: Source) -> bool:
    return issubclass(getattr(kind_module(source.kind), "Options", object), KeyOptions)


def _format(source: Source, said: str) -> str:
    known = (source.format, *getattr(format_module(source.format), "SIGNALS", ()))
    if said and said not in known:
        raise BadConfig(f"source {source.name} does not speak format {said!r}; known: {', '.join(known)}")
    return said or source.format


def _span(text: str) -> timedelta:
    if not (said := SPAN.fullmatch(text)):
        raise BadConfig(f"{text!r} is no span of time; write it as 90d (s, m, h, d, w)")
    return timedelta(**{UNITS[said[2]]: int(said[1])})


def _until(key: Key) -> str:
    return f"until {key.expires_at:%Y-%m-%d %H:%M:%SZ}" if key.expires_at else "until it is revoked"


def _stands(key: Key) -> str:
    why = key.ended(datetime.now(UTC))
    return f"○ {why}" if why else f"● good {_until(key)}"


def _say_token(token: str, about: str) -> None:
    console.print(f"{about}\n", markup=False, highlight=False)
    console.print(token, markup=False, highlight=False, soft_wrap=True)
    console.print(f"\n{KEPT}", markup=False, highlight=False)
