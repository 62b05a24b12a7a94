"""A file with the sessions of an exchange: made once, read by sessions, hashed by them.

Problem: holidays and half days are what a library knew on the day it was asked. Method: the
sessions stand in a file, from one day to another, with what made them. A session takes them from
there and from nowhere else; behind its last day the file knows nothing, and is refused.
"""

from __future__ import annotations

import hashlib
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.core.terms.market_hours import MarketSessions
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE
from logos.data.market_sessions import (
    Moments,
    calendar_sessions,
    exchange_calendar,
    read_sessions,
    sessions_text,
)
from logos.errors import DataError
from logos.files import cut_words, is_cut, make_folder, read_whole, replace_file

EXTENSION: Final = ".toml"
"""What tells a file of a calendar from the name of one."""
BYTES_MAX: Final = 16 << 20
_KEYS: Final = frozenset(("calendar", "from", "to", "timezone", "made_with", "sessions"))
_EPOCH: Final = date(1970, 1, 1)
_NIGHT_NS: Final = NS_PER_DAY // 2
"""Sessions of a day may begin on the evening before it, and end on the night behind."""


class Calendar(msgspec.Struct, frozen=True):
    """The sessions of `name` on the days `first` to `last`, as a file has them."""

    name: str
    first: date
    last: date
    sessions: list[Moments]
    sha256: str

    @property
    def first_ns(self) -> int:
        """Before this moment, nanoseconds UTC, the file knows nothing."""
        return _midnight_ns(self.first)

    @property
    def end_ns(self) -> int:
        """From this moment on the file knows nothing."""
        return _midnight_ns(self.last + timedelta(days=1))


def is_calendar_file(calendar: str) -> bool:
    """Whether `calendar`, as settings have it, is a file; else it is a name such as XNYS."""
    return calendar.lower().endswith(EXTENSION)


def write_calendar(name: str, first: date, last: date, path: Path) -> int:
    """Write the sessions of the days `first` to `last` into a new file; how many there are.

    Raises DataError for a calendar or days that the library does not know, without the library,
    when there is no session, and for a file that exists.
    """
    if last < first:
        raise DataError(f"--to {last} is before --from {first}")
    if path.suffix.lower() != EXTENSION:
        raise DataError(f"{path}: the name must end in {EXTENSION}")
    if path.exists():
        raise DataError(f"{path}: exists already and is not overwritten; choose another name")
    start_ns, end_ns = _midnight_ns(first), _midnight_ns(last + timedelta(days=1))
    sessions = [
        each
        for each in calendar_sessions(name, start_ns, end_ns)
        if start_ns <= _middle_ns(each) < end_ns
    ]
    if not sessions:
        raise DataError(f"calendar {name!r} has no session from {first} to {last}")
    from importlib.metadata import version  # it takes a tenth of a session's time to start

    zone, made_with = exchange_calendar(name).tz, version("exchange_calendars")
    lines = [
        f"# The sessions of {name}: open and close, breaks between them, UTC.",
        f'calendar = "{name}"',
        f'from = "{first}"',
        f'to = "{last}"',
        f'timezone = "{zone}"',
        f'made_with = "exchange_calendars {made_with}"',
        "sessions = [",
        *(f'    "{text}",' for text in sessions_text(sessions)),
        "]",
    ]
    make_folder(path.parent)
    replace_file(path, ("\n".join(lines) + "\n").encode())
    return len(sessions)


def read_calendar(path: Path) -> Calendar:
    """Read what `write_calendar` wrote. Raises DataError for anything else."""
    try:
        content = read_whole(path, BYTES_MAX)
        text = content.decode()
        table = tomllib.loads(text)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        words = cut_words(path) if isinstance(error, tomllib.TOMLDecodeError) else "no text"
        raise DataError(f"{path}: no file of a calendar: {error}; {words}") from None
    if is_cut(text):
        raise DataError(f"{path}: {cut_words(path)}")
    try:
        return _calendar_of(table, hashlib.sha256(content).hexdigest())
    except (ValueError, TypeError, DataError) as error:
        raise DataError(
            f"{path}: no file of a calendar: {error}; write one with logos data calendar"
        ) from None


def _calendar_of(table: dict[str, Any], sha256: str) -> Calendar:
    """Raises ValueError, TypeError or DataError for what is wrong."""
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}")
    missing = sorted({"calendar", "from", "to", "sessions"} - set(table))
    if missing:
        raise ValueError(f"{missing[0]} is missing")
    texts = table["sessions"]
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise ValueError("sessions must be a list of texts")
    sessions = read_sessions(texts)
    MarketSessions(sessions)  # that they follow each other
    first, last = date.fromisoformat(table["from"]), date.fromisoformat(table["to"])
    found = Calendar(str(table["calendar"]), first, last, sessions, sha256)
    for each in sessions:
        middle_ns = _middle_ns(each)
        if not found.first_ns <= middle_ns < found.end_ns:
            text = sessions_text([each])[0]
            raise ValueError(f"session {text} is not between {first} and {last}")
    return found


def sessions_between(found: Calendar, path: str, first_ns: int, last_ns: int) -> list[Moments]:
    """The sessions from a week before `first_ns` to a week after `last_ns`, as far as they go.

    Raises DataError where the file does not reach from `first_ns` to `last_ns`.
    """
    if first_ns < found.first_ns - _NIGHT_NS or last_ns > found.end_ns + _NIGHT_NS:
        since, until = _day_text(first_ns), _day_text(last_ns)
        raise DataError(
            f"{path} knows {found.name} from {found.first} to {found.last}, and the session needs"
            f" {since} to {until}: logos data calendar {found.name} --from {since} --to {until}"
        )
    week_ns = 7 * NS_PER_DAY
    return [
        each
        for each in found.sessions
        if each[-1] >= first_ns - week_ns and each[0] <= last_ns + week_ns
    ]


def _middle_ns(session: Moments) -> int:
    """A moment of the session's own day, wherever the exchange is."""
    return (session[0] + session[-1]) // 2 // NS_PER_MINUTE * NS_PER_MINUTE


def _midnight_ns(day: date) -> int:
    return (day - _EPOCH).days * NS_PER_DAY


def _day_text(ts_ns: int) -> str:
    return str(_EPOCH + timedelta(days=ts_ns // NS_PER_DAY))
