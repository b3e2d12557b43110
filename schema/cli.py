"""
The command line's readers: kpi, exceptions, object. Each with --json and --as-of, and exit codes that a script can use.

Exit codes: 0 fine; 1 something is wrong out there (a KPI off target, open exceptions, an object not found); 2 a person must
change the call or a file; 3 the store is away.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from schema import definitions, exceptions, kpi, objects
from schema.errors import BadConfig
from schema.governance import Catalogue
from schema.store import Store

Opened = Callable[[], tuple[Store, Catalogue]]
AsOf = Annotated[str, typer.Option("--as-of", help="The moment to read, ISO 8601 (default: now).")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]
Scope = Annotated[list[str] | None, typer.Option("--where", help="A cut, such as region=EU-West. May be repeated.")]

console = Console()


def moment(text: str) -> datetime:
    """An ISO time as aware UTC; empty is now. Raises: BadConfig."""
    if not text:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as err:
        raise BadConfig(f"{text!r} is no time; write it as 2026-11-23T08:15:00Z") from err
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def plain(value: Any) -> Any:
    """What JSON has no word for."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"cannot write {type(value).__name__} as JSON")


def say_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, default=plain, indent=2) + "\n")


def say_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(_cell(v) for v in row))
    console.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


def readers(opened: Opened) -> tuple[typer.Typer, typer.Typer, Callable[..., None]]:
    """The sub-commands `kpi` and `exceptions`, and the command `object`, over a way to open the store."""
    return _kpi_app(opened), _exceptions_app(opened), _object_command(opened)


def _kpi_app(opened: Opened) -> typer.Typer:
    app = typer.Typer(help="KPIs: list them, show one's definition, read its value.", no_args_is_help=True)

    @app.command("list")
    def list_(as_json: AsJson = False) -> None:
        """Every KPI with its unit, direction and target."""
        rows = [(k.header.id, k.name, k.header.title, k.header.unit, k.header.target) for k in definitions.kpis().values()]
        if as_json:
            say_json([dict(zip(("id", "name", "title", "unit", "target"), r, strict=True)) for r in rows])
        else:
            say_table("KPIs", ("id", "name", "title", "unit", "target"), rows)

    @app.command()
    def show(name: str) -> None:
        """A KPI's definition in words and its SQL."""
        found = _known_kpi(name)
        console.print(f"[bold]{found.header.id} {found.header.title}[/] ({found.header.unit}, {found.header.good} is good)")
        console.print(f"{found.header.definition}\n\nSource: {found.header.source}. Target: {found.header.target}.\n")
        console.print(found.sql, markup=False, highlight=False)

    @app.command()
    def read(
        name: str,
        window: Annotated[int, typer.Option(help="Hours back from --as-of.")] = 24,
        by: Annotated[str, typer.Option(help="A cut, such as region.")] = "",
        where: Scope = None,
        as_of: AsOf = "",
        as_json: AsJson = False,
    ) -> None:
        """A KPI's headline over a window. Exit code 1 if a value is off target."""
        found = _known_kpi(name)
        store, catalogue = opened()
        at = moment(as_of)
        points = kpi.headline(
            store, found.name, start=at - timedelta(hours=window), end=at, as_of=at, by=by, scope=tuple(where or ())
        )
        tolerance = catalogue.tolerances[found.header.target]
        rows = [(p.series, p.value, p.n, kpi.status(found, p.value, tolerance)) for p in points]
        if as_json:
            points_ = [dict(zip(("series", "value", "n", "status"), r, strict=True)) for r in rows]
            say_json({"kpi": found.name, "unit": found.header.unit, "as_of": at, "points": points_})
        elif rows:
            say_table(f"{found.header.title} ({found.header.unit})", ("series", "value", "n", "status"), rows)
        else:
            console.print(f"○ No data for {found.name} in the {window} h before {_cell(at)}.")
        if any(row[3] == "off_target" for row in rows):
            raise typer.Exit(1)

    return app


def _known_kpi(name: str) -> definitions.Kpi:
    for found in definitions.kpis().values():
        if name in (found.name, found.header.id):
            return found
    raise BadConfig(f"KPI {name!r} is unknown; known: {', '.join(definitions.kpis())}")


def _exceptions_app(opened: Opened) -> typer.Typer:
    app = typer.Typer(help="The inbox: list and show exceptions, and act on them.", no_args_is_help=True)

    @app.command("list")
    def list_(where: Scope = None, code: str = "", as_of: AsOf = "", as_json: AsJson = False) -> None:
        """Open exceptions, worst first. Exit code 1 if there are any."""
        store, _ = opened()
        rows = exceptions.find(store, moment(as_of), scope=tuple(where or ()))
        rows = [r for r in rows if not code or r["code"] == code]
        columns = ("id", "code", "object_id", "reason", "value", "began_at", "owner", "status")
        if as_json:
            say_json(rows)
        else:
            say_table(f"{len(rows)} open exceptions", columns, ([r[c] for c in columns] for r in rows))
        if rows:
            raise typer.Exit(1)

    @app.command()
    def show(id_: Annotated[str, typer.Argument(metavar="ID")], as_of: AsOf = "", as_json: AsJson = False) -> None:
        """One exception with its history. Exit code 1 if there is none with this id."""
        store, _ = opened()
        at = moment(as_of)
        rows = exceptions.find(store, at, id_=id_)
        if not rows:
            console.print(f"No exception has the id {id_!r}.")
            raise typer.Exit(1)
        past = exceptions.history(store, id_, as_of=at)
        if as_json:
            say_json({**rows[0], "history": past})
            return
        say_table(f"{rows[0]['code']} {rows[0]['object_id']}", ("field", "value"), rows[0].items())
        columns = ("at", "verb", "actor", "comment")
        say_table("History", columns, ([p[c] for c in columns] for p in past))

    def verb_command(verb: str, help_: str) -> None:
        @app.command("ack" if verb == "acknowledge" else verb, help=help_)
        def act(
            ids: Annotated[list[str], typer.Argument(metavar="ID…")],
            actor: Annotated[str, typer.Option(help="Who acts (default: the login name).")] = "",
            comment: Annotated[str, typer.Option("--comment", "-m")] = "",
            team: Annotated[str, typer.Option(help="assign: to which team.")] = "",
        ) -> None:
            store, catalogue = opened()
            if team and team not in catalogue.teams:
                raise BadConfig(f"team {team!r} is unknown; known: {', '.join(catalogue.teams)}")
            who = actor or os.environ.get("USER") or "command line"
            for id_ in ids:
                exceptions.act(store, exceptions.Verb(id_, verb, who, comment, team), at=datetime.now(UTC))
            console.print(f"{verb}: {len(ids)} by {who}")

    verb_command("acknowledge", "I have seen it.")
    verb_command("assign", "It belongs to this team.")
    verb_command("comment", "A note for the others.")
    verb_command("resolve", "It is dealt with.")
    return app


def _object_command(opened: Opened) -> Callable[..., None]:
    def object_(
        type_: Annotated[str, typer.Argument(metavar="TYPE", help="order, shipment, inventory, invoice or return")],
        id_: Annotated[str, typer.Argument(metavar="ID")],
        as_of: AsOf = "",
        as_json: AsJson = False,
    ) -> None:
        """What happened to an object, and what it waits for. Exit code 1 if nobody has named it."""
        store, _ = opened()
        found = objects.read(store, type_, id_, as_of=moment(as_of))
        if found is None:
            console.print(f"No {type_} {id_!r} is known.")
            raise typer.Exit(1)
        if as_json:
            say_json(found)
            return
        waits = f"; waits for {found['waits_for']} (owner: {found['owner']})" if found["waits_for"] else ""
        console.print(f"[bold]{type_} {id_}[/]: {found['state'] or 'known only by others'}{waits}")
        columns = ("occurred_at", "event_type", "classifier", "system", "source_code", "received_at", "trace_id")
        say_table("Events", columns, ([e[c] for c in columns] for e in found["events"]))
        names = ("object_type", "object_id", "state")
        say_table("Related", names, ([r[c] for c in names] for r in found["relatives"]))

    return object_
