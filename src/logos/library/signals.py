"""Signals of another program, in a table: rows as `logos.data.signals` reads them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from logos.core.types import NS_PER_DAY
from logos.data.readers.numbers import format_timestamp
from logos.data.signals import COLUMNS, SignalStrategy, from_frame
from logos.errors import DataError
from logos.library.table import INDEX, Times, read_table

_TIME_NAMES: Final = ("timestamp", "time", "datetime", "date")


def signal_rows(frame: Any) -> list[dict[str, Any]]:
    """The rows of a table of signals. Times that name no zone are UTC; a column of midnights
    without a zone is one of dates, each of which means the end of its day.

    Raises DataError for what is no table.
    """
    table = read_table(frame)
    lowered = {name.strip().lower(): column for name, column in table.items() if name != INDEX}
    moment = next((lowered[name] for name in _TIME_NAMES if name in lowered), table.get(INDEX))
    columns = {name: lowered[name].values for name in COLUMNS if name in lowered}
    if moment is not None:
        columns["timestamp"] = [
            value if moment.times is Times.NONE or value is None else format_timestamp(value)
            for value in moment.values
        ]
        known = [value for value in moment.values if value is not None]
        if moment.times is Times.WALL and not any(value % NS_PER_DAY for value in known):
            columns["timestamp"] = [text and text[:10] for text in columns["timestamp"]]
    if not columns:
        raise DataError(f"the table of signals has none of the columns {', '.join(COLUMNS)}")
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def signal_strategy(frame: Any, quantity: Any = None, delay_s: int = 0) -> SignalStrategy:
    """A strategy that acts out the signals of a table; see `SignalStrategy`."""
    amount = None if quantity is None else Decimal(str(quantity))
    return SignalStrategy(
        quantity=amount, delay_s=delay_s, signals=from_frame(signal_rows(frame), amount)
    )
