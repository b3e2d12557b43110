"""
A detector's sentence template and an incident's numbers make one sentence that a person can act on.

Why templates stand with the detector and the grammar here: the rule knows what is wrong, and only the number at hand knows
whether it is one invoice that waits or 240 that wait. What is not known is left out of the sentence with its preposition; a
sentence with a hole in it, or with the word "unknown", sends people looking.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from dashboard import units

# The verbs of templates, plural to singular, for the case n = 1.
VERBS = {
    "are": "is", "were": "was", "wait": "waits", "show": "shows", "stand": "stands", "have": "has", "fail": "fails",
    "map": "maps", "need": "needs", "disagree": "disagrees", "do": "does",
}  # fmt: skip
LINKS = r"(?:in warehouse|in|of|from|through|at|by|for|to)"
SEVERITY = {1: "■ P1", 2: "■ P2", 3: "▲ P3", 4: "○ P4"}
TREND = {"growing": "▲ growing", "steady": "▬ steady", "draining": "▼ draining"}
OLDEST = "; oldest {oldest}"
TECHNICAL = re.compile(r"\s*[:;(]\s*\w*(?:Error|Exception|Failure|Fault)\b.*", re.S)
MOST_REASON = 90


def incident(
    template: str, row: Mapping[str, Any], *, currency: str, now: datetime, team: Callable[[str], str] = units.words
) -> str:
    """
    The sentence of an incident, from its detector's template and its row.

    A template may name n, value, oldest, object, reason, owner, place, interface and the cuts.
    """
    return render(template, fields(row, currency=currency, now=now, team=team), is_one=row["n"] == 1)


def headline(
    template: str, row: Mapping[str, Any], *, team: Callable[[str], str] = units.words, interface: Callable[[str], str] = str
) -> str:
    """
    The sentence without what stands beside it in a row: no value, no age, an interface by its title, a reason without its
    technical end. Of many things the oldest one's reason is left out too: it is not the others'.
    """
    head, _, tail = template.partition(OLDEST)
    known = fields(row, currency="", now=row["oldest_at"], team=team) | {"value": "", "oldest": ""}
    known |= {"reason": short(row["reason"]), "interface": interface(row["interface"])}
    return render(head + (tail if row["n"] == 1 else ""), known, is_one=row["n"] == 1)


def short(reason: str, most: int = MOST_REASON) -> str:
    """A reason without its technical end (`…: ParseError: 214 AT7 …`), at most so many characters, cut between words."""
    text = TECHNICAL.sub("", reason).strip() or reason.strip()
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def fields(row: Mapping[str, Any], *, currency: str, now: datetime, team: Callable[[str], str] = units.words) -> dict[str, str]:
    """What a template may name, as it is written; empty where it is not known or worth nothing."""
    return {
        "n": units.count(row["n"]),
        "value": units.money(row["value"], currency) if row["value"] else "",
        "oldest": units.duration((now - row["oldest_at"]).total_seconds()),
        "object": row["object_id"],
        "reason": row["reason"],
        "owner": team(row["owner"]),
        "place": place(row["place"]),
        **{name: row[name] for name in ("region", "warehouse", "carrier", "customer", "interface")},
    }


def render(template: str, known: Mapping[str, str], *, is_one: bool = False) -> str:
    """Fill a template; what is empty goes with its preposition or parentheses, and one thing takes the singular."""
    text = _singular(template) if is_one else template
    for name in re.findall(r"\{(\w+)\}", text):
        if not known.get(name):
            text = _without(text, name)
    return re.sub(r"\s+([,;.])", r"\1", re.sub(r"\{(\w+)\}", lambda m: known[m[1]], text)).strip()


def place(text: str) -> str:
    """The place of an incident as words: `EU-West|ACME` is `EU-West · ACME`."""
    return " · ".join(units.words(part) for part in text.split("|") if part)


def cause(row: Mapping[str, Any], *, when: Callable[[datetime], str], interface: Callable[[str], str] = str) -> str:
    """The technical half of an incident: the interface behind it, what failed there, and the change before it."""
    if not row["cause_interface"]:
        return ""
    calls = _calls(int(row["n_failed"]), int(row["n_retries"]))
    text = f"Behind it: interface {interface(row['cause_interface'])}"
    text += f", {calls} since {when(row['cause_at'])}" if calls else f", in trouble since {when(row['cause_at'])}"
    if row["cause_message"]:
        text += f" ({row['cause_message']})"
    if row["is_change_before"]:
        text += f". Version {row['cause_version']} went live {when(row['changed_at'])}, just before"
    return text + "."


def unknown(code: str, title: str) -> str:
    """A template for an exception whose detector is not installed: it may come from another version or from outside."""
    return f"{{n}} {title or code}: {{reason}} ({{value}}); oldest {{oldest}}"


def _calls(n_failed: int, n_retries: int) -> str:
    failed = f"{units.of(n_failed, 'call')} failed" if n_failed else ""
    return ", ".join(
        t for t in (failed, f"{units.of(n_retries, 'retry')}".replace("retrys", "retries") if n_retries else "") if t
    )


def _singular(template: str) -> str:
    """`{n} shipments … show` for one: the noun after the number, and the first verb after it."""
    match = re.match(r"\{n\} ((?:\w+ )*?)(\w+?)s\b(.*)", template, re.S)
    if not match:
        return template
    rest = re.sub(rf"\b({'|'.join(VERBS)})\b", lambda m: VERBS[m[1]], match[3], count=1)
    return re.sub(
        r"; oldest \{oldest\}(, \{object\})?", lambda m: "; for {oldest}" + (m[1] or ""), f"{{n}} {match[1]}{match[2]}{rest}"
    )


def _without(text: str, name: str) -> str:
    """The template without one placeholder and what only leads to it."""
    hole = rf"\{{{name}\}}"
    for pattern in (rf" \([^()]*{hole}\)", rf" {LINKS} {hole}", rf"[,:;] {hole}", rf"\s*{hole}"):
        text, n = re.subn(pattern, "", text)
        if n:
            break
    return text
