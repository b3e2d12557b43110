"""
How a number, an amount, an age and a time are written: at most three significant digits, the unit always there.

Why here and not in column formats: a tile, a sentence, an alert and a table cell must say the same of the same number, and
rounding lies at the edges. 99.96 % is not 100 % while something is missing, and 0.02 % is not zero.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

NO_DATA = "no data"
DASH = "–"
MINUTE, HOUR, DAY = 60, 3600, 86400
STEPS = ((1e9, "bn"), (1e6, "M"), (1e3, "k"))
ACTIVE = re.compile(r":(?=//|material/)|\bwww(?=\.)|@", re.I)  # an address, an icon, a mailbox


def count(n: float) -> str:
    """A number of things: exact below a thousand, then `1.47 k`, `12.3 M`, which reads as rounded."""
    return _scaled(n)


def exact(n: float) -> str:
    """A whole number in full, thousands separated, for tables that are added up by hand."""
    return f"{round(n):,}"


def money(amount: float, currency: str) -> str:
    """An amount as people say it: `EUR 1.9 M`. Units: `amount` in `currency`."""
    return f"{currency} {_scaled(float(amount))}".strip()


def ratio(share: float | None) -> str:
    """A share in per cent; never `100 %` or `0 %` unless it is exactly so."""
    if share is None:
        return NO_DATA
    if 0.999 < share < 1:
        return "99.9 %"
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{_digits(share * 100)} %"


def duration(seconds: float | None) -> str:
    """An age or a lead time in the unit that people use for it: `45 s`, `12 min`, `9 h`, `3.4 d`."""
    if seconds is None:
        return NO_DATA
    s = abs(seconds)
    if s < 90:
        return f"{s:.0f} s" if s >= 10 or s == int(s) else f"{s:.1f} s"
    if s < 90 * MINUTE:
        return f"{s / MINUTE:.0f} min"
    if s < 48 * HOUR:
        return f"{_digits(s / HOUR, 2)} h"
    return f"{_digits(s / DAY, 2)} d"


def late(due: datetime, at: datetime) -> str:
    """`at` against the time that was promised: `9 h late`, `2 h early`, `on time` within a minute."""
    s = (at - due).total_seconds()
    if abs(s) < MINUTE:
        return "on time"
    return f"{duration(s)} {'late' if s > 0 else 'early'}"


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago something was: `12 min ago`, `in 2 h`, `never`."""
    if at is None or at.year <= 1970:
        return "never"
    s = (now - at).total_seconds()
    return f"in {duration(s)}" if s < 0 else f"{duration(s)} ago"


def moment(at: datetime | None, zone: tzinfo, now: datetime) -> str:
    """A time in the viewer's zone, no longer than it must be: `14:03`, `21 Nov 14:03`, `21 Nov 2025 14:03`."""
    if at is None or at.year <= 1970:
        return DASH
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b %H:%M}" if local.year == today.year else f"{local.day} {local:%b %Y %H:%M}"


def both(at: datetime | None, zone: tzinfo, site: tzinfo) -> str:
    """A time in full for the hover: the viewer's zone, and the site's where it is another."""
    if at is None or at.year <= 1970:
        return DASH
    mine, theirs = f"{at.astimezone(zone):%a %d %b %Y %H:%M:%S %Z}", f"{at.astimezone(site):%a %H:%M %Z}"
    return mine if at.astimezone(zone).utcoffset() == at.astimezone(site).utcoffset() else f"{mine} · at the site {theirs}"


def value(x: float | None, unit: str, currency: str = "") -> str:
    """A KPI's value in its unit: ratio, count, seconds, currency or per_hour."""
    if x is None or x != x:
        return NO_DATA
    if unit == "currency":
        return money(x, currency)
    if unit == "per_hour":
        return f"{count(x)} / h"
    return {"ratio": ratio, "seconds": duration, "count": count}[unit](x)


def words(name: str) -> str:
    """A name of the catalogue as words: `in_transit` is `in transit`."""
    return name.replace("_", " ")


def title(name: str) -> str:
    """A name of the catalogue at the beginning of a line: `In transit`."""
    text = words(name)
    return text[:1].upper() + text[1:]


def of(n: float, noun: str) -> str:
    """A number with its noun: `1 invoice`, `240 invoices`."""
    return f"{count(n)} {noun}{'' if n == 1 else 's'}"


def utc(at: datetime) -> str:
    """A time for a link: `2026-11-20T12:00:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _scaled(x: float) -> str:
    for step, name in STEPS:
        if abs(x) >= step * 0.9995:
            return f"{_digits(x / step)} {name}"
    return _digits(x)


def _digits(x: float, most: int = 3) -> str:
    """At most so many significant digits, without a trailing `.0`."""
    if x == 0:
        return "0"
    whole = len(str(int(abs(x)))) if abs(x) >= 1 else 0
    text = f"{x:.{max(most - max(whole, 1), 0)}f}" if abs(x) >= 0.1 else f"{x:.{most - 1}g}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain(text: str) -> str:
    """
    A foreign text as Markdown that shows it and does nothing else.

    What the front end makes links and icons of after it has read the Markdown, escaped or not, is parted by a sign that has no
    width (U+2060): a copied address has it in it.
    """
    parted = ACTIVE.sub("\\g<0>\u2060", text)
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-.!|:$~" else c for c in parted)
