"""
Who may see what: the roles and the pages they open, the part of the data that a group sees, and when a session is over.

Why the checks stand where data are read and not in the menu: a page is a URL, and a link to another role's page is easily
had. `queries.Read` asks here before it answers, `session.store()` narrows every statement, and a statement that cannot be cut
to the viewer's part is refused, so that what somebody forgets shows nothing instead of everything.

Nothing here knows Streamlit: `session.viewer()` brings the claims of whoever is signed in.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dashboard import limits
from schema.errors import BadConfig

CUTS = ("region", "warehouse", "carrier", "customer", "order_class")
CLOCK_SKEW_S = 300


@dataclass(frozen=True, slots=True)
class Role:
    """What a role opens: pages, and acts (`verbs` on exceptions, `replay` of rejects)."""

    pages: frozenset[str]
    acts: frozenset[str] = frozenset()


PAGES = frozenset(
    ("operations", "exceptions", "object", "scorecard", "recovery", "failures", "traces", "intake", "numbers", "catalogue")
)
ROLES: Mapping[str, Role] = {
    "ops": Role(frozenset(("operations", "exceptions", "object", "failures", "recovery")), frozenset(("verbs",))),
    "executive": Role(frozenset(("operations", "scorecard", "recovery", "numbers"))),
    "it": Role(PAGES - {"scorecard", "recovery"}, frozenset(("verbs",))),
    "admin": Role(PAGES, frozenset(("verbs", "replay"))),
}
# What no region, customer or carrier cuts: messages before they are read, calls of everybody, Milepost's own telemetry.
NOT_CUT = frozenset(("intake", "failures"))
# Which pages' readers may ask what a module of reads answers; a function of its own right stands with its name.
READERS: Mapping[str, frozenset[str]] = {
    "queries": PAGES,
    "queries.objects_by_id": frozenset(("object",)),
    "queries.objects_by_key": frozenset(("object",)),
    "queries.objects_by_prefix": frozenset(("object",)),
    "queries.is_trace": frozenset(("traces",)),
    "queries.is_exception": frozenset(("exceptions",)),
    "queries.objects_seen": frozenset(("object", "exceptions")),
    "queries.traces_seen": frozenset(("traces",)),
    "queries.exceptions_seen": frozenset(("exceptions", "object", "operations")),
    "queries_operations": frozenset(("operations",)),
    "queries_inbox": frozenset(("exceptions",)),
    "queries_inbox.ids_of": frozenset(("exceptions", "operations")),
    "queries_object": frozenset(("object",)),
    "queries_object.events": frozenset(("object", "exceptions")),
    "queries_scorecard": frozenset(("scorecard",)),
    "queries_failures": frozenset(("failures",)),
    "queries_traces": frozenset(("traces",)),
    "queries_intake": frozenset(("intake",)),
    "queries_numbers": frozenset(("numbers",)),
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever looks. `limits` is the part of the data, as a scope; `why_not` says why there is no page for him at all."""

    name: str = ""
    roles: frozenset[str] = frozenset()
    limits: tuple[str, ...] = ()
    why_not: str = ""
    is_signed_in: bool = False

    @property
    def pages(self) -> frozenset[str]:
        """The pages of all his roles, without those that cannot be cut to his part of the data."""
        seen = frozenset[str]().union(*(ROLES[r].pages for r in self.roles))
        return seen - NOT_CUT if self.limits else seen

    def sees(self, page: str) -> bool:
        """Whether a page is for him."""
        return page in self.pages

    def may(self, act: str) -> bool:
        """Whether one of his roles may act like this; what cannot be cut to a part is for those who see all."""
        return any(act in ROLES[r].acts for r in self.roles) and not (act == "replay" and self.limits)

    def refusal(self, page: str) -> str:
        """Why this page is not for him, and what is."""
        if self.why_not:
            return self.why_not
        if self.limits and page in NOT_CUT:
            return f"You see a part of the data ({limits.said(self.limits)}), and this page cannot be cut to it."
        whose = ", ".join(name for name, role in ROLES.items() if page in role.pages)
        return f"This page is for other roles: {whose}. Yours: {', '.join(sorted(self.roles))}."


EVERYBODY = Viewer(roles=frozenset(("admin",)))


@dataclass(frozen=True, slots=True)
class Policy:
    """Which group of the provider is which role, which part of the data it sees, and how long a login is good for."""

    groups: Mapping[str, str]
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    claim: str = "groups"
    session_h: float = 12

    def viewer(self, claims: Mapping[str, Any], now: datetime) -> Viewer:
        """Whoever these claims of the provider name. Without a valid login or a known group he sees nothing but why."""
        if not claims.get("is_logged_in"):
            return Viewer(why_not="Sign in to see this page.")
        if why := self._over(claims.get("iat"), now):
            return Viewer(why_not=why)
        name = next((str(claims[k]).strip() for k in ("name", "email", "preferred_username", "sub") if claims.get(k)), "")
        mine = _groups(claims, self.claim)
        roles = frozenset(role for group, role in self.groups.items() if group in mine)
        why = "" if roles else "You are signed in, but none of your groups may see Milepost: ask whoever runs it."
        seen = limits.joined([items for group, items in self.scopes.items() if group in mine])
        return Viewer(name[:200], roles, seen, why, is_signed_in=True)

    def _over(self, issued: Any, now: datetime) -> str:
        """Why a login is no longer good; one that does not say when it began never was."""
        if not isinstance(issued, int | float):
            return "Sign in again: your login does not say when it began."
        age_s = now.timestamp() - issued
        if age_s < -CLOCK_SKEW_S:
            return "Sign in again: your login begins in the future. Compare the clocks of the provider and of this machine."
        return f"Sign in again: your login is older than {self.session_h:g} h." if age_s > self.session_h * 3600 else ""


@dataclass(frozen=True, slots=True)
class Login:
    """Single sign-on: `section` is Streamlit's own [auth] section, with its secrets."""

    section: Mapping[str, Any] = field(repr=False)
    policy: Policy

    @property
    def address(self) -> str:
        """Where the provider sends people back to."""
        return str(self.section["redirect_uri"])


def policy(
    groups: Mapping[str, str], scopes: Mapping[str, Sequence[str]], *, claim: str = "groups", session_h: float = 12
) -> Policy:
    """A policy of what a configuration says. Raises: BadConfig for an unknown role or cut, or if nobody could see anything."""
    if not groups:
        raise BadConfig('auth.groups is empty, so nobody could see a page: name a group, such as "logistics-ops" = "ops"')
    for group, role in groups.items():
        if role not in ROLES:
            raise BadConfig(f"auth.groups.{group}: role {role!r} is unknown; known: {', '.join(ROLES)}")
    for group, items in scopes.items():
        for item in items:
            cut, _, value = item.partition("=")
            if cut not in CUTS or not value:
                raise BadConfig(f"auth.scopes.{group}: {item!r} is no 'cut=value'; known cuts: {', '.join(CUTS)}")
        if not items:
            raise BadConfig(f"auth.scopes.{group} is empty: name what the group sees, such as 'region=EU-West'")
    return Policy(dict(groups), {group: tuple(items) for group, items in scopes.items()}, claim, session_h)


def only_on_loopback(host: str, login: Login | None, *, allow_without_login: bool = False) -> None:
    """Raises: BadConfig, if pages without login would be open to the network."""
    if login or allow_without_login or is_loopback(host):
        return
    raise BadConfig(
        f"pages without login would be open to the network on listen.host {host!r}: configure [auth] as docs/security.md "
        'shows, or set listen.host = "127.0.0.1", or, behind a proxy that knows its visitors, listen.allow_without_login = true'
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def readers(module: str, name: str) -> frozenset[str]:
    """The pages whose readers may ask this; a module of reads that is not in the table is a KeyError at its import."""
    tail = module.rpartition(".")[2]
    return READERS.get(f"{tail}.{name}") or READERS[tail]


def _groups(claims: Mapping[str, Any], claim: str) -> frozenset[str]:
    """The groups in a claim, which may lie inside another: `realm_access.roles`."""
    found: Any = claims.get(claim)
    if found is None:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    return frozenset([found] if isinstance(found, str) else map(str, found) if isinstance(found, list) else ())
