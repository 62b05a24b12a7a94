"""Bars made of trades whose last instants are known, written as vendors write them.

Each close is another price, so that a bar that was imported tells which trades it is made of. What
a vendor does (whose days, which end is stamped, in which unit) is written here by hand from what
the vendors say, and not taken from the importer's records.
"""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

HEAD = "open,high,low,close,volume\n"
SYMBOL = ("--symbol", "X")
MINUTES = {
    "1m": 1,
    "5m": 5,
    "1h": 60,
    "4h": 240,
    "12h": 720,
    "1d": 1440,
    "1w": 10080,
    "1mo": 43200,
}
ATHENS, NEW_YORK = ZoneInfo("Europe/Athens"), ZoneInfo("America/New_York")
STARTS = (
    datetime(2024, 1, 29, tzinfo=UTC),
    datetime(2024, 2, 27, tzinfo=UTC),
    datetime(2024, 3, 8, tzinfo=UTC),
    datetime(2024, 3, 29, tzinfo=UTC),
    datetime(2024, 10, 25, tzinfo=UTC),
    datetime(2024, 11, 1, tzinfo=UTC),
    datetime(2024, 12, 30, tzinfo=UTC),
)
"""Around the ends of months and years, and the changes of the clocks of both zones."""
ROWS = 40
_STEPS = {
    "1s": timedelta(seconds=1),
    "1m": timedelta(minutes=1),
    "5m": timedelta(minutes=5),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "12h": timedelta(hours=12),
}


@dataclass(frozen=True)
class MadeBar:
    """A bar, and the last instant of the trades that it is made of."""

    opened: datetime
    closed: datetime
    last: datetime
    cents: int

    @property
    def figures(self) -> tuple[str, str, str, str]:
        """Open, high, low, close."""
        return tuple(f"{(self.cents + more) / 100:.2f}" for more in (1, 5, -5, 0))  # type: ignore[return-value]


def wall_of(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _instant(wall: datetime, zone: tzinfo) -> datetime:
    """The first moment at which clocks show `wall`."""
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _begin(wall: datetime, interval: str, first_weekday: int) -> datetime:
    """Where the period of a wall clock begins that holds `wall`."""
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    if interval == "1d":
        return midnight
    if interval == "1w":
        return midnight - timedelta(days=(midnight.weekday() - first_weekday) % 7)
    if interval == "1mo":
        return midnight.replace(day=1)
    return midnight + (wall - midnight) // _STEPS[interval] * _STEPS[interval]


def _next(wall: datetime, interval: str) -> datetime:
    if interval == "1mo":
        return (wall + timedelta(days=32)).replace(day=1)
    days = {"1d": 1, "1w": 7}.get(interval)
    return wall + (_STEPS[interval] if days is None else timedelta(days=days))


def made_bars(chance: random.Random, form: Form, interval: str) -> list[MadeBar]:
    """Bars in a row, with holes after the first eight, of periods of the form's clock."""
    zone, first_weekday = form.zone, form.first_weekday
    wall = _begin(wall_of(chance.choice(STARTS), zone), interval, first_weekday)
    # Of short bars the days around the change of the clocks are reached by a later start.
    if interval in ("1h", "4h", "12h"):
        wall += timedelta(days=chance.randrange(2))
    bars: list[MadeBar] = []
    step = _STEPS.get(interval)
    is_by_clock = step is None or step > timedelta(hours=1)
    closed = _instant(wall, zone)
    while len(bars) < ROWS:
        opened = closed
        wall = _next(wall, interval)
        # Longer bars go by the clock of the zone: the night on which it is set back makes one of
        # them an hour longer.
        closed = _instant(wall, zone) if is_by_clock or step is None else opened + step
        if opened >= closed or (len(bars) >= 8 and chance.random() < 0.1):
            continue
        length = (closed - opened) // timedelta(milliseconds=1)
        before = min(chance.choice((1, 1, length, chance.randrange(1, length + 1))), length)
        last = closed - timedelta(milliseconds=before)
        if form.is_exchange:
            evening = closed.astimezone(NEW_YORK) - timedelta(hours=7)
            last = min(last, evening.astimezone(UTC) - timedelta(milliseconds=1))
        bars.append(MadeBar(opened, closed, last, 10_000 + 20 * len(bars)))
    return bars


Rows = Sequence[MadeBar]
Text = Callable[[Rows, str], str]
Time = Callable[[MadeBar, str], object]


@dataclass(frozen=True)
class Form:
    """How a vendor writes bars. `name` and `text` are asked with the interval; `options` are those
    of the command line."""

    layout: str
    intervals: tuple[str, ...]
    name: Callable[[str], str]
    text: Text
    zone: tzinfo = UTC
    options: tuple[str, ...] = ()
    first_weekday: int = 0
    say_interval: tuple[str, ...] = ()
    """Lengths that the file does not tell, and that are said."""
    is_exchange: bool = False
    """Its days are those of an exchange in New York, whose last trade is at 17:00 at the latest."""

    def options_of(self, interval: str) -> tuple[str, ...]:
        """The options of the command line for this interval."""
        more = ("--interval", interval) if interval in self.say_interval else ()
        return (*self.options, *more)

    def file(self, bars: Rows, interval: str) -> tuple[str, bytes]:
        """(name, bytes) of the file."""
        day = wall_of(bars[0].opened, self.zone)
        name, text = self.name(interval).format(day=day), self.text(bars, interval)
        if not name.endswith(".zip"):
            return name, text.encode()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(name.rsplit("/", 1)[-1].replace(".zip", ".csv"), text)
        return name, packed.getvalue()


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def millis(moment: datetime) -> int:
    return seconds(moment) * 1000


def lines(
    head: str,
    time: Time,
    tail: str = ",7",
    *,
    order: str = "ohlc",
    separator: str = ",",
    newest_first: bool = False,
) -> Text:
    """A table: the time, the figures in `order`, and what stands behind them."""

    def text(bars: Rows, interval: str) -> str:
        rows = []
        for bar in bars:
            named = dict(zip("ohlc", bar.figures, strict=True))
            figures = separator.join(named[each] for each in order)
            rows.append(f"{time(bar, interval)}{separator}{figures}{tail}\n")
        return head + "".join(rows[::-1] if newest_first else rows)

    return text


def arrays(order: str, time: Callable[[datetime], int], *more: str) -> Text:
    """JSON arrays as interfaces give them."""

    def text(bars: Rows, interval: str) -> str:
        rows = [
            [
                time(bar.opened),
                *(float(dict(zip("ohlc", bar.figures, strict=True))[each]) for each in order),
                7,
                *more,
            ]
            for bar in bars
        ]
        return json.dumps(rows)

    return text


def local(pattern: str, zone: tzinfo) -> Time:
    return lambda bar, interval: wall_of(bar.opened, zone).strftime(pattern)
