"""
Dates, times and zones as EDI writes them: X12 elements 373, 337 and 623, EDIFACT DTM with its format code (2379).

Why one place: both standards write a wall clock and leave the zone to a code or to nobody, and one wrong hour moves a
milestone over a deadline. A zone that is only "local", or missing, is the source's own; a standard-time code (ES) is a
fixed offset even in summer, a general one (ET) follows the place. What cannot be is refused here (BadDate) and becomes a
finding where it is read, because one impossible date must not cost the other statuses of a message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from collectors import wall_clock

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(2200, 1, 1, tzinfo=UTC)
PIVOT = 70  # two-digit years from here on are 19xx

X12_OFFSETS = {
    "ES": -5, "ED": -4, "CS": -6, "CD": -5, "MS": -7, "MD": -6, "PS": -8, "PD": -7, "AS": -9, "AD": -8,
    "HS": -10, "HD": -9, "NS": -3.5, "ND": -2.5, "TS": -4, "TD": -3, "GM": 0, "UT": 0,
    **{f"{hours:02}": hours for hours in range(1, 13)}, **{f"{25 - hours}": -hours for hours in range(1, 13)},
}  # fmt: skip
X12_PLACES = {
    "ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver", "PT": "America/Los_Angeles",
    "AT": "America/Anchorage", "HT": "Pacific/Honolulu", "NT": "America/St_Johns", "TT": "America/Halifax",
}  # fmt: skip
EDIFACT_OFFSETS = {
    "UTC": 0, "GMT": 0, "UT": 0, "Z": 0, "WET": 0, "CET": 1, "MEZ": 1, "CEST": 2, "EET": 2, "EEST": 3,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9, "HKT": 8, "SGT": 8,
}  # fmt: skip
# DTM format code -> digits of the date, digits of the time; 205 and 3xx go on with a zone.
DTM_DIGITS = {
    "101": (6, 0), "102": (8, 0), "201": (6, 4), "202": (6, 6), "203": (8, 4), "204": (8, 6),
    "205": (8, 4), "301": (6, 4), "302": (6, 6), "303": (8, 4), "304": (8, 6),
}  # fmt: skip
WITH_ZONE = frozenset({"205", "301", "302", "303", "304"})
# Formats that begin with the day or the month: slices that put year, month and day in order.
DTM_TURNED = {
    "2": (slice(4, 6), slice(2, 4), slice(0, 2)),
    "3": (slice(4, 6), slice(0, 2), slice(2, 4)),
    "4": (slice(4, 8), slice(2, 4), slice(0, 2)),
}
BY_LENGTH = {6: "101", 8: "102", 10: "201", 12: "203", 14: "204"}
OFFSET = re.compile(r"([+-])(\d{2})(?::?(\d{2}))?", re.ASCII)


class BadDate(ValueError):
    """A date or time that cannot be; the text says what was got."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A time in UTC; `notes` are the codes and texts of what was odd about how it was written."""

    at: datetime
    notes: tuple[tuple[str, str], ...] = ()


def x12_zone(code: str, local: tzinfo) -> tzinfo | None:
    """The zone of a time code (623); `local` for LT and for none; None if the code is unknown."""
    if code in ("", "LT"):
        return local
    if code in X12_PLACES:
        return ZoneInfo(X12_PLACES[code])
    return _offset(X12_OFFSETS.get(code))


def x12_time(date: str, time: str, code: str, local: tzinfo) -> Reading:
    """
    A date (CCYYMMDD or YYMMDD), a time (HHMM to HHMMSSDD) and a time code, as one instant.

    Raises: BadDate, if date or time cannot be; an unknown time code is only noted, and `local` counts.
    """
    zone = x12_zone(code, local)
    notes = [] if zone else [("unknown_zone", f"time code {code!r} is unknown: the source's zone {local} counts")]
    if not time:
        notes.append(("no_time", f"date {date} has no time: the day's first minute counts"))
    return _reading(date, time.replace(":", ""), zone or local, notes)


def edifact_time(value: str, format_: str, local: tzinfo) -> Reading:
    """
    The value of a DTM with its format code; a code that does not fit the value is noted, and the value's length counts.

    Raises: BadDate, if the value is no date with a year, month and day, or cannot be.
    """
    if format_ in DTM_TURNED and len(value) in (6, 8):
        return _reading("".join(value[part] for part in DTM_TURNED[format_]), "", local, [])
    digits, tail = _digits(value)
    fits = sum(DTM_DIGITS.get(format_, ())) == len(digits) and (not tail or format_ in WITH_ZONE)
    effective = format_ if fits else _by_length(digits, value)
    n_date, n_time = DTM_DIGITS[effective]
    zone = _edifact_zone(tail, local)
    notes = [] if fits else [("date_format", f"{value!r} does not have format {format_!r}: read as {effective}")]
    if zone is None:
        notes.append(("unknown_zone", f"zone {tail!r} is unknown: the source's zone {local} counts"))
    if not n_time:
        notes.append(("no_time", f"date {value} has no time: the day's first minute counts"))
    return _reading(digits[:n_date], digits[n_date:], zone or local, notes)


def _digits(value: str) -> tuple[str, str]:
    n = next((i for i, char in enumerate(value) if not (char.isascii() and char.isdigit())), len(value))
    return value[:n], value[n:].strip()


def _by_length(digits: str, value: str) -> str:
    if len(digits) == 12 and digits[:2] not in ("19", "20"):
        return "202"
    if len(digits) not in BY_LENGTH:
        raise BadDate(f"{value!r} is no date; allowed are the formats {', '.join(DTM_DIGITS)}")
    return BY_LENGTH[len(digits)]


def _edifact_zone(tail: str, local: tzinfo) -> tzinfo | None:
    if not tail or (tail.startswith("-2") and len(tail) > 6):  # a period such as 20260101-20260105 begins with its first day
        return local
    if found := OFFSET.fullmatch(tail):
        sign, hours, minutes = found.groups()
        return _offset((int(hours) + int(minutes or 0) / 60) * (-1 if sign == "-" else 1))
    return _offset(EDIFACT_OFFSETS.get(tail.upper()))


def _offset(hours: float | None) -> tzinfo | None:
    return None if hours is None or abs(hours) > 14 else timezone(timedelta(hours=hours))


def _reading(date: str, time: str, zone: tzinfo, notes: list[tuple[str, str]]) -> Reading:
    text = f"{date} {time}".strip()
    if not (_is_number(date, (6, 8)) and _is_number(time, (0, 4, 6, 7, 8))):
        raise BadDate(f"{text!r} is no date and time (CCYYMMDD or YYMMDD, HHMM to HHMMSSDD)")
    try:
        shown = _civil(date, time)
        at, doubt = shown.replace(tzinfo=zone).astimezone(UTC), wall_clock.doubt(shown, zone)
    except (ValueError, OverflowError) as err:
        raise BadDate(f"{text!r} cannot be: {err}") from err
    if not FIRST <= at < LAST:
        raise BadDate(f"{text!r} lies outside of {FIRST.year} to {LAST.year}")
    return Reading(at, (*notes, *([(wall_clock.CODE, doubt)] if doubt else [])))


def _is_number(text: str, lengths: tuple[int, ...]) -> bool:
    return len(text) in lengths and text.isascii() and (not text or text.isdigit())


def _civil(date: str, time: str) -> datetime:
    year = int(date[:-4]) if len(date) == 8 else int(date[:2]) + (1900 if int(date[:2]) >= PIVOT else 2000)
    day = datetime(year, int(date[-4:-2]), int(date[-2:]))  # noqa: DTZ001  (the caller knows the zone)
    if time[:4] == "2400":
        return day + timedelta(days=1)
    clock = time.ljust(8, "0")
    return day.replace(
        hour=int(clock[:2]), minute=int(clock[2:4]), second=int(clock[4:6]), microsecond=int(clock[6:8]) * 10_000
    )
