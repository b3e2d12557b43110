"""
Visitors who signed in, for tests of the pages: what the provider says of them, a page as they open it, and all that it sends.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.access import Policy, Viewer
from dashboard.queries import Read

ROOM = Path(dashboard.__file__).parent
GROUPS = {"the-ops": "ops", "the-board": "executive", "the-it": "it", "the-admins": "admin", "velo": "ops", "north": "it"}
PARTS = {"region": ("region=EU-North",), "customer": ("customer=Cedar",), "carrier": ("carrier=HANSA",)}
POLICY = Policy(GROUPS, {"velo": PARTS["carrier"], "north": PARTS["region"], "cedar": PARTS["customer"], "west": ("region=EU-West",)})


def claims(*groups: str, age_h: float = 0, **more: Any) -> dict[str, Any]:
    """What the provider says of somebody who has just signed in."""
    issued = (datetime.now(UTC) - timedelta(hours=age_h)).timestamp()
    return {"is_logged_in": True, "name": "Kim Larsen", "iat": int(issued), "groups": list(groups)} | more


def viewer(*groups: str, **more: Any) -> Viewer:
    """Whoever the policy makes of them."""
    return POLICY.viewer(claims(*groups, **more), datetime.now(UTC))


def reads() -> Iterator[tuple[str, Read[Any, Any]]]:
    """Every read of the pages, by module and name."""
    for found in pkgutil.iter_modules([str(ROOM)]):
        if found.name.startswith("queries"):
            module = importlib.import_module(f"dashboard.{found.name}")
            for name, value in vars(module).items():
                if isinstance(value, Read) and value.module == module.__name__:
                    yield f"{found.name}.{name}", value


def page(name: str, user: dict[str, Any], **params: Any) -> AppTest:
    """A page as this user opens it by its address."""
    test = AppTest.from_file(str(ROOM / "app.py"), default_timeout=60)
    test.user = user
    for key, value in params.items():
        test.query_params[key] = value
    return test.switch_page(f"app_pages/{name}.py").run()


def everything(test: AppTest) -> str:
    """All that a page sends to the browser: every element as it goes over the wire, tables with their cells."""
    return "\n".join(map(str, _protos(test._tree)))


def _protos(node: Any) -> Iterator[Any]:
    for child in node.children.values():
        if hasattr(child, "children") and child.children:
            yield from _protos(child)
        yield getattr(child, "proto", "")


