"""Dates as HTTP writes them. Knows no clock: seconds since 1970 come in and go out.

Source: RFC 9110, 5.6.7: write IMF-fixdate, read that and two older forms.
"""

import re
import time
from functools import cache, lru_cache

__all__ = ["format_date", "parse_date"]

# Not strftime: its names follow the locale, and HTTP's do not.
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_TIME = rb"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_MONTH = rb"(?P<month>[A-Z][a-z]{2})"

# The longest form has 33 bytes; what is longer, less a few spaces, is not worth remembering.
_LONGEST = 64


def format_date(seconds: float) -> bytes:
    """Write a moment as IMF-fixdate, for instance b"Sun, 06 Nov 1994 08:49:37 GMT"."""
    t = time.gmtime(seconds)
    day, month = DAYS[t.tm_wday], MONTHS[t.tm_mon - 1]
    clock = f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02}"
    return f"{day}, {t.tm_mday:02} {month} {t.tm_year:04} {clock} GMT".encode()


def parse_date(field: bytes) -> int | None:
    """Read a date in any of the three forms; None when it is none of them, or no real date."""
    return _parse(field) if len(field) <= _LONGEST else None


@cache
def _forms() -> list[re.Pattern[bytes]]:
    """The three forms, compiled when the first date is read."""
    return [
        re.compile(
            rb"[A-Z][a-z]{2}, (?P<day>\d\d) " + _MONTH + rb" (?P<year>\d{4}) " + _TIME + rb" GMT"
        ),
        re.compile(
            rb"[A-Z][a-z]+day, (?P<day>\d\d)-" + _MONTH + rb"-(?P<year>\d\d) " + _TIME + rb" GMT"
        ),
        re.compile(
            rb"[A-Z][a-z]{2} " + _MONTH + rb" (?P<day>[ \d]\d) " + _TIME + rb" (?P<year>\d{4})"
        ),
    ]


@lru_cache(maxsize=256)  # each condition of a client is a date that we have told many
def _parse(field: bytes) -> int | None:
    for form in _forms():
        if match := form.fullmatch(field.strip(b" \t")):
            return _seconds(match)
    return None


def _seconds(match: re.Match[bytes]) -> int | None:
    import calendar  # a server may never be sent a date

    month = match["month"].decode()
    if month not in MONTHS:
        return None
    numbers = [int(match[name]) for name in ("day", "hour", "minute", "second")]
    day, hour, minute, second = numbers
    year, number = _full_year(match["year"]), MONTHS.index(month) + 1
    # 60 is a leap second, which the grammar allows.
    if year < 1 or hour > 23 or minute > 59 or second > 60:
        return None
    if not 1 <= day <= calendar.monthrange(year, number)[1]:
        return None
    return calendar.timegm((year, number, day, hour, minute, second))


def _full_year(digits: bytes) -> int:
    """Two digits mean the nearest century, 50 years either way of the standard's own decade.

    RFC 9110 asks for "at most 50 years in the future"; without a clock we draw the line
    at 1970, before which no server of ours had files.
    """
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (1900 if year >= 70 else 2000)
