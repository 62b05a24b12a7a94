"""What a session came to, in short, from the ends of its tables.

A list of a hundred sessions must not read a hundred tables. The last lines of account.csv have the
equity of each currency with what it began with, and trips.csv numbers its lines: so the ends of two
files, a bounded number of bytes, say it. `logos.analysis` reads the whole and says everything.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.files import read_whole
from logos.session.stored.names import SETTINGS

TABLE, TRIPS = "account.csv", "trips.csv"
_TAIL_BYTES: Final = 1 << 16
_HEAD_BYTES: Final = 1 << 10
_SETTINGS_BYTES_MAX: Final = 64 << 20
_EXACT: Final = Context(prec=400, rounding=ROUND_HALF_EVEN, Emin=-9_999, Emax=9_999)
_CENT: Final = Decimal("0.01")


class Came(msgspec.Struct, frozen=True):
    """What a session came to in one currency, all costs taken; at its last sample while it runs."""

    currency: str
    net: Decimal
    initial: Decimal

    @property
    def ratio(self) -> float | None:
        """The net over what it began with; None where that is nothing."""
        return float(self.net) / float(self.initial) if self.initial else None

    def words(self) -> str:
        """The net with its sign, to the cent; smaller amounts exactly."""
        rounded = self.net.quantize(_CENT, context=_EXACT)
        net = rounded if rounded or not self.net else self.net
        return f"{net:+,f} {self.currency}"


class Results(msgspec.Struct, frozen=True):
    """The results of one session."""

    currencies: tuple[Came, ...] = ()
    total: Came | None = None
    """All currencies in the one that the settings report in, at their rates; None: there is one
    currency, or the settings name no rates."""
    trips: int | None = None
    """Round trips; None while the session has not ended, and of sessions of older versions."""

    @property
    def first(self) -> Came | None:
        """The total, or else the only currency; None where there is neither."""
        if self.total is not None:
            return self.total
        return self.currencies[0] if len(self.currencies) == 1 else None


def results_of(folder: Path) -> Results:
    """What the session in `folder` came to, as far as its tables say; never raises."""
    try:
        currencies = _currencies(folder / TABLE)
        return Results(currencies, _total(currencies, folder), _trips(folder / TRIPS))
    except (OSError, ValueError, LookupError, DecimalException, csv.Error):
        return Results()


def _currencies(path: Path) -> tuple[Came, ...]:
    """The last row of each currency, in order of their names' first appearance at the end."""
    columns, rows = _ends(path)
    found: dict[str, Came] = {}
    for row in rows:
        cells = dict(zip(columns, row, strict=True))
        initial = _number(cells["initial"])
        net = _EXACT.subtract(_number(cells["equity"]), initial)
        found[cells["currency"]] = Came(cells["currency"], net, initial)
    return tuple(found[name] for name in sorted(found))


def _total(currencies: tuple[Came, ...], folder: Path) -> Came | None:
    if len(currencies) < 2:
        return None
    settings = msgspec.json.decode(
        read_whole(folder / SETTINGS, _SETTINGS_BYTES_MAX), type=dict[str, Any]
    )
    account = settings.get("account")
    report_in = account.get("report_in") if isinstance(account, Mapping) else None
    rates = account.get("rates") if isinstance(account, Mapping) else None
    if not isinstance(report_in, str) or not report_in or not isinstance(rates, Mapping):
        return None
    net = initial = Decimal(0)
    for each in currencies:
        rate = Decimal(1) if each.currency == report_in else _number(rates[each.currency])
        net = _EXACT.add(net, _EXACT.multiply(each.net, rate))
        initial = _EXACT.add(initial, _EXACT.multiply(each.initial, rate))
    return Came(report_in, net, initial)


def _number(text: object) -> Decimal:
    """Raises ValueError for what is no amount."""
    found = Decimal(str(text))
    if not found.is_finite():
        raise ValueError(f"not an amount: {text!r}")
    return found


def _trips(path: Path) -> int | None:
    """The number in the last line; None where there is no such file."""
    try:
        _, rows = _ends(path)
    except FileNotFoundError:
        return None
    return int(rows[-1][0]) if rows else 0


def _ends(path: Path) -> tuple[list[str], list[list[str]]]:
    """The names of a table's columns, and the whole rows among its last bytes."""
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES).split(b"\n", 1)[0]
        size = os.fstat(file.fileno()).st_size
        file.seek(max(len(head), size - _TAIL_BYTES))
        lines = file.read(_TAIL_BYTES).split(b"\n")[1:-1]  # the first is cut or empty, as the last
    columns = next(csv.reader([head.decode()]))
    rows = csv.reader(line.decode() for line in lines)
    return columns, [row for row in rows if len(row) == len(columns)]
