"""Signals made elsewhere drive a session: a CSV file, or the rows of any dataframe.

One row is a time, a symbol and one wish, in one of three columns:

- `side`: BUY or SELL is a market order; LONG (1) and SHORT (-1) are positions to be held, FLAT,
  EXIT or 0 is none. `quantity` (optional) says how much; else the strategy's parameter does; a
  BUY or SELL without either trades the session's `orders.quantity`.
- `target`: the position to be at, negative for short.
- `weight`: the same as a fraction of equity.

Times are ISO-8601 or epoch numbers in s, ms, us or ns, and must not run backwards. A time without
a zone is one of the zone that is said, and refused where none is. A date alone means the end of
that day in that zone: what was computed from a day's close was not known at its beginning. A file
with any defect is refused whole, with every defect named: half a set of signals is another
strategy.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from logos.core.messages import MarketEvent, ReceivedSignal
from logos.core.strategy import Answer, Context, Request, Target, Weight, market
from logos.core.types import NS_PER_DAY, NS_PER_SECOND, Side
from logos.data.readers.numbers import RowError, parse_timestamp
from logos.data.times.reader import TimeReader, TimeRules
from logos.errors import DataError
from logos.files import cut_words, is_cut, read_whole
from logos.strategies.queued import Queued

WISHES: Final = ("side", "target", "weight")
COLUMNS: Final = ("timestamp", "symbol", *WISHES, "quantity")
FILE_BYTES_MAX: Final = 256 << 20
"""Of a file of signals, which is held in memory: about five million rows."""
_DEFECTS_SHOWN_MAX: Final = 50

_ORDERS: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
_POSITIONS: Final = {"LONG": 1, "1": 1, "SHORT": -1, "-1": -1, "FLAT": 0, "EXIT": 0, "0": 0}
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ABSENT: Final = frozenset(("", "nan", "none", "nat", "<na>"))
"""How an empty cell reads once a dataframe has turned it into text."""


class Signal(NamedTuple):
    """At `ts_ns` (nanoseconds UTC) the maker of the signals wished for `request`."""

    ts_ns: int
    symbol: str
    request: Request


class SignalStrategy(Queued):
    """Acts out signals, each at the first event of its symbol at or after its time.

    `file` is a CSV; `signals` are ready-made ones, as of `from_frame`. `quantity` is for side
    rows that name none. `delay_s` is added to every time: bars are known at their close, so
    signals stamped with the open of the minute they were computed from need 60. `timezone` is
    the zone of the file's times that name none.
    """

    save = Queued.save
    load = Queued.load

    def __init__(
        self,
        file: str = "",
        quantity: Decimal | None = None,
        delay_s: int = 0,
        signals: Sequence[Signal] | None = None,
        timezone: str = "",
    ) -> None:
        if bool(file) == (signals is not None):
            raise ValueError("give the signals either as file or as signals")
        if delay_s < 0:
            raise ValueError(f"delay_s ({delay_s}) cannot be negative: that would be foresight")
        chosen = read_signals(file, quantity, timezone) if signals is None else signals
        super().__init__(chosen, delay_s * NS_PER_SECOND)
        self._chosen = chosen

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the signals and their delay."""
        words = [f"{self._delay_ns}", *map(repr, self._chosen)]
        return hashlib.sha256("\n".join(words).encode()).hexdigest()


class LiveSignals(Queued):
    """Acts out signals that come while the session runs, each at the next event of its symbol.

    `quantity` is for side rows that name none. A signal that could not be acted out within
    `age_max_s` of its receipt (its symbol was silent, the strategy was not asked) is dropped, and
    a note in the session's log says so.
    """

    def __init__(self, quantity: Decimal | None = None, age_max_s: int = 60) -> None:
        if age_max_s <= 0:
            raise ValueError(f"age_max_s ({age_max_s}) must be above 0")
        super().__init__(())
        self.quantity = quantity
        """For sides that name none."""
        self._age_max_ns = age_max_s * NS_PER_SECOND
        self._waiting: list[ReceivedSignal] = []
        self._context: Context | None = None

    def on_start(self, context: Context) -> Answer:
        self._context = context
        return None

    def receive(self, signal: ReceivedSignal) -> None:
        """A signal has come; the session calls this, live and in a replay alike."""
        self._waiting.append(signal)

    def _due(self, event: MarketEvent) -> Answer:
        due: list[Request] = []
        if not self._waiting:
            return None
        kept = []
        for signal in self._waiting:
            if signal.symbol != event.symbol or signal.ts_ns > event.ts_ns:
                kept.append(signal)
            elif event.ts_ns - signal.ts_ns > self._age_max_ns:
                self._drop(signal, event)
            else:
                due.append(request_of(signal, self.quantity))
        self._waiting = kept
        return due or None

    def _drop(self, signal: ReceivedSignal, event: MarketEvent) -> None:
        if self._context is not None:
            age_s = (event.ts_ns - signal.ts_ns) // NS_PER_SECOND
            self._context.log(
                f"signal {signal.wish} {signal.value} dropped: it waited {age_s} s for an event",
                symbol=signal.symbol,
            )

    def save(self) -> dict[str, Any]:
        return {"waiting": [list(msgspec.structs.astuple(each)) for each in self._waiting]}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        self._context = context
        self._waiting = [ReceivedSignal(*each) for each in state["waiting"]]


def request_of(signal: ReceivedSignal, quantity: Decimal | None) -> Request:
    """What a signal asks for; `quantity` is for a side that names none.

    Raises ValueError saying what is wrong with it.
    """
    row = {signal.wish: signal.value, **({"quantity": signal.quantity} if signal.quantity else {})}
    return _request(row, quantity)


def read_signals(
    path: str | Path, quantity: Decimal | None = None, timezone: str = ""
) -> list[Signal]:
    """The signals of a CSV file, all of them or none.

    `quantity` is for side rows without their own, `timezone` for times that name none. Raises
    DataError with every defect as `file:line: what`.
    """
    try:
        content = read_whole(Path(path), FILE_BYTES_MAX).decode("utf-8-sig")
        with io.StringIO(content, newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = [(f"{path}:{reader.line_num}", cells) for cells in reader if cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: the signals cannot be read: {error}") from error
    if not rows:
        raise DataError(f"{path}: the signals file is empty: it needs a header and rows")
    header = [name.strip().lower() for name in rows[0][1]]
    _check_header(f"{rows[0][0]}: ", header)
    width = len(header)
    collector = _Collector(quantity, timezone)
    cut_line = rows.pop()[0] if is_cut(content) else ""
    for place, cells in rows[1:]:
        if len(cells) == width:
            collector.add(place, dict(zip(header, cells, strict=True)))
        else:
            collector.refuse(place, f"{len(cells)} columns, the header names {width}")
    if cut_line:
        collector.refuse(cut_line, cut_words(path))
    return collector.finish(str(path))


def from_frame(frame: Any, quantity: Decimal | None = None, timezone: str = "UTC") -> list[Signal]:
    """The signals of a dataframe (whatever has `to_dict("records")`) or of a list of dicts.

    Columns and rules are those of the file; further columns are passed over, and times may be
    datetimes. Raises DataError with every defect as `row N: what`, counted from 0.
    """
    records: Iterable[Mapping[Any, Any]]
    records = frame.to_dict("records") if hasattr(frame, "to_dict") else frame
    collector = _Collector(quantity, timezone)
    for number, record in enumerate(records):
        row = {str(name).lower(): _text(value) for name, value in record.items()}
        if number == 0:
            _check_header("", [name for name in row if name in COLUMNS])
        collector.add(f"row {number}", row)
    return collector.finish("the frame of signals")


def _check_header(place: str, names: Sequence[str]) -> None:
    """Raise DataError unless the columns make sense together."""
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        raise DataError(f"{place}unknown column {unknown[0]!r}: known are {', '.join(COLUMNS)}")
    if len(set(names)) != len(names):
        raise DataError(f"{place}a column is named twice: {', '.join(names)}")
    wishes = [name for name in WISHES if name in names]
    if "timestamp" not in names or "symbol" not in names or len(wishes) != 1:
        raise DataError(
            f"{place}the columns must be timestamp, symbol and one of {', '.join(WISHES)} "
            f"(quantity may follow side), not {', '.join(names) or 'none'}"
        )
    if "quantity" in names and wishes != ["side"]:
        raise DataError(f"{place}quantity goes with side: a {wishes[0]} is a quantity already")


class _Collector:
    """Signals row by row, and what is wrong with the others."""

    def __init__(self, quantity: Decimal | None, timezone: str) -> None:
        self._quantity = quantity
        self._times = TimeReader(TimeRules(timezone), repeats=True)
        self._signals: list[Signal] = []
        self._defects: list[str] = []
        self._last_ns: int | None = None

    def refuse(self, place: str, why: str) -> None:
        self._defects.append(f"{place}: {why}")

    def add(self, place: str, row: Mapping[str, str]) -> None:
        """Take a row as a signal, or note why not."""
        try:
            ts_ns = self._moment(row.get("timestamp", "").strip())
            for doubt in self._times.doubts():
                self.refuse(place, f"a row before it: {doubt}")
            if self._last_ns is not None and ts_ns < self._last_ns:
                raise ValueError("earlier than the row before it: sort the signals by time")
            self._last_ns = ts_ns
            symbol = row.get("symbol", "").strip()
            if not symbol:
                raise ValueError("no symbol")
            self._signals.append(Signal(ts_ns, symbol, _request(row, self._quantity)))
        except (ValueError, RowError) as error:
            self.refuse(place, str(error))

    def _moment(self, text: str) -> int:
        """Nanoseconds UTC; a date alone is the end of its day."""
        if _DATE.fullmatch(text):
            wall_ns = parse_timestamp(f"{text}T00:00:00Z") + NS_PER_DAY
            return self._times.on_clock(wall_ns, text)
        return self._times.read(text)

    def finish(self, source: str) -> list[Signal]:
        """All signals; raises DataError when any row had a defect, or there is no row."""
        for doubt in self._times.doubts(is_end=True):
            self.refuse("the last rows", doubt)
        if self._defects:
            shown = self._defects[:_DEFECTS_SHOWN_MAX]
            if len(self._defects) > len(shown):
                shown.append(f"and {len(self._defects) - len(shown)} more")
            count = len(self._defects)
            raise DataError(
                f"{source}: {count} defect{'s' * (count != 1)} to correct; none of it was used:\n"
                + "\n".join(shown)
            )
        if not self._signals:
            raise DataError(f"{source}: no signals in it")
        return self._signals


def _request(row: Mapping[str, str], quantity: Decimal | None) -> Request:
    """The wish of a row; raises ValueError saying what is wrong with it."""
    if "target" in row:
        return Target(_number(row["target"], "target"))
    if "weight" in row:
        return Weight(_number(row["weight"], "weight"))
    own = row.get("quantity", "").strip()
    if own:
        quantity = _number(own, "quantity")
        if quantity <= 0:
            raise ValueError(f"quantity {own} must be positive: the side says the direction")
    word = row.get("side", "").strip().upper()
    if word in _ORDERS:
        return _ORDERS[word] if quantity is None else market(_ORDERS[word], quantity)
    if word not in _POSITIONS:
        known = ", ".join((*_ORDERS, *_POSITIONS))
        raise ValueError(f"side is one of {known}, not {row.get('side', '')!r}")
    sign = _POSITIONS[word]
    if sign and quantity is None:
        raise ValueError(f"{word} is a position of what size? add a column or parameter quantity")
    return Target(sign * quantity if quantity is not None else 0)


def _number(text: str, name: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"{name} is not a number: {text!r}") from None
    if not number.is_finite():
        raise ValueError(f"{name} is not finite: {text!r}")
    return number


def _text(value: object) -> str:
    """A dataframe's cell as the file would have it: whole floats lose their '.0', NaN is empty."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    return "" if text.lower() in _ABSENT else text
