"""A fixed schedule of orders: for rehearsals, comparisons with other engines, and odd jobs.

Each entry names a time, a symbol, a side and a quantity, and whatever else its order needs. It
is sent at the first event of its symbol at or after its time. Entries come from a CSV file
(`file`) or, in a session file, as a list of tables (`orders`); the columns are `COLUMNS`, of
which those an order does not need may be absent or empty.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from logos.core.strategy import OrderRequest
from logos.core.types import OrderType, Side, TimeInForce
from logos.files import cut_words, is_cut, read_whole
from logos.strategies.queued import Queued

COLUMNS: Final = (
    *("time", "symbol", "side", "quantity", "type"),
    *("limit_price", "stop_price", "time_in_force", "tag"),
)
FILE_BYTES_MAX: Final = 256 << 20
"""Of a schedule, which is held in memory."""
_REQUIRED: Final = ("time", "symbol", "side", "quantity")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_Entry = tuple[int, OrderRequest]


class Schedule(Queued):
    """Sends what the schedule says. `unused` counts the entries not sent (yet), by symbol."""

    save = Queued.save
    load = Queued.load

    def __init__(self, file: str = "", orders: list[Mapping[str, object]] | None = None) -> None:
        """Raises ValueError, with every defect, for a schedule that cannot be used."""
        if bool(file) == bool(orders):
            raise ValueError("give the schedule either as file or as orders")
        entries = _read_file(file) if file else _read_rows(_numbered(orders or []))
        by_time = sorted(entries, key=lambda entry: entry[0])
        super().__init__([(ts_ns, order.symbol, order) for ts_ns, order in by_time])


def _read_file(path: str) -> list[_Entry]:
    """The entries of a CSV file; raises ValueError with all that is wrong in it."""
    try:
        content = read_whole(Path(path), FILE_BYTES_MAX).decode("utf-8-sig")
        with io.StringIO(content, newline="") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            rows = [(f"{path}:{reader.line_num}", row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"the schedule {path} cannot be read: {error}") from None
    if is_cut(content):
        raise ValueError(f"the schedule {path}: {cut_words(path)}")
    return _read_rows(rows)


def _numbered(orders: list[Mapping[str, object]]) -> Iterable[tuple[str, Mapping[str, object]]]:
    return [(f"orders[{number}]", order) for number, order in enumerate(orders)]


def _read_rows(rows: Iterable[tuple[str, Mapping[Any, Any]]]) -> list[_Entry]:
    entries = []
    problems = []
    for place, row in rows:
        try:
            entries.append(_entry(row))
        except ValueError as error:
            problems.append(f"{place}: {error}")
    if problems:
        raise ValueError("the schedule has defects:\n" + "\n".join(problems))
    return entries


def _entry(row: Mapping[Any, Any]) -> _Entry:
    """One order and its time; raises ValueError saying what is wrong with it."""
    if not isinstance(row, Mapping):
        raise ValueError(f"not a table: {row!r}")
    unknown = [name for name in row if name not in COLUMNS]
    if unknown:
        raise ValueError(f"no column {unknown[0]!r}: they are {', '.join(COLUMNS)}")
    cells = {name: value for name, value in row.items() if str(value).strip()}
    missing = [name for name in _REQUIRED if name not in cells]
    if missing:
        raise ValueError(f"{', '.join(missing)} missing")
    order = OrderRequest(
        _word(Side, cells, "side", ""),
        _number(cells, "quantity"),
        _word(OrderType, cells, "type", "MARKET"),
        _number(cells, "limit_price") if "limit_price" in cells else None,
        _number(cells, "stop_price") if "stop_price" in cells else None,
        _word(TimeInForce, cells, "time_in_force", "GTC"),
        str(cells["symbol"]).strip(),
        str(cells.get("tag", "")).strip(),
    )
    return _time_ns(cells["time"]), order


def _word(kind: Any, cells: Mapping[str, object], name: str, default: str) -> Any:
    text = str(cells.get(name, default)).strip().upper()
    try:
        return kind(text)
    except ValueError:
        words = ", ".join(member.value for member in kind)
        raise ValueError(f"{name} is one of {words}, not {text!r}") from None


def _number(cells: Mapping[str, object], name: str) -> Decimal:
    text = str(cells[name]).strip()
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{name} is not a number: {text!r}") from None
    if not number.is_finite() or number <= 0:
        raise ValueError(f"{name} must be positive: {text}")
    return number


def _time_ns(value: object) -> int:
    """Nanoseconds UTC of an ISO-8601 time (or TOML's own); without a zone it is UTC."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"time is ISO-8601, as 2026-01-05T13:30:00Z, not {value!r}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
