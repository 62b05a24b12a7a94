"""Writes trips.csv and equity.csv, when a session ends.

They follow from the tables of the session (and its data, for the excursions of trips), so they are
made after its last row, never while it runs. Nothing that goes wrong here is the session's: it is
told in one line, the file is left out, and the session ends as it would have.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from logos.config import Config
from logos.config.actions import Split, actions_of
from logos.core.account import Account
from logos.core.fixed import to_decimal
from logos.core.instrument import Instrument
from logos.core.types import FillRule
from logos.files import sync_file
from logos.session.artifacts.derived.equity import (
    EQUITY,
    EQUITY_COLUMNS,
    Totals,
    equity_points,
)
from logos.session.artifacts.derived.excursions import add_excursions
from logos.session.artifacts.derived.orders import ORDER_CELLS
from logos.session.artifacts.derived.pairing import TRADE_CELLS, round_trips
from logos.session.artifacts.derived.prices import can_be_read_again, price_streams
from logos.session.artifacts.derived.reading import table_cells, table_rows
from logos.session.artifacts.derived.trips import (
    TRIP_COLUMNS,
    TRIPS,
    RoundTrip,
    Worth,
    taken_lots,
    trip_row,
)
from logos.session.artifacts.rows import Moments, Table

DERIVED: Final = (TRIPS, EQUITY)
"""The files that are made of the tables when a session ends."""

EXCURSION_EVENTS_MAX: Final = 200_000
"""Of longer sessions the data is not read once more when they end: their trips have no MAE and MFE
in trips.csv. An analysis reads them when it is asked to."""


class Ground(msgspec.Struct, frozen=True):
    """What the files follow from besides the tables. `feed` is what the prices are read from again,
    None: they are not read."""

    config: Config
    instruments: Mapping[str, Instrument]
    totals: Totals | None
    feed: object = None


def worths_of(config: Config) -> dict[str, Worth]:
    """What a quantity of each symbol is worth at a price."""
    return {
        symbol: Worth(each.multiplier, each.settlement == "inverse")
        for symbol, each in config.instruments.items()
    }


def totals_of(
    config: Config,
    currencies: Sequence[str],
    high_water: Decimal | None = None,
    max_drawdown: Decimal | None = None,
) -> Totals | None:
    """How the books of `currencies` are added up; None where the settings do not say, or there is
    only the one that they report in."""
    report_in = config.account.report_in
    if not report_in or tuple(currencies) == (report_in,):
        return None
    rates = {name: config.account.rates.get(name, Decimal(1)) for name in currencies}
    return Totals(report_in, rates, high_water, max_drawdown)


def totals_at_end(config: Config, account: Account) -> Totals | None:
    """The same with what the session saw of the sum."""
    currencies = [ledger.currency for ledger in account.ledgers]
    total = account.total
    if total is None:
        return None
    return totals_of(
        config,
        currencies,
        to_decimal(total.high_water, account.total_decimals),
        to_decimal(total.max_drawdown, account.total_decimals),
    )


def splits_of(config: Config) -> dict[str, list[int]]:
    """When the splits of each symbol came, nanoseconds UTC."""
    return {
        symbol: [action.ts_ns for action in actions_of(each) if isinstance(action, Split)]
        for symbol, each in config.instruments.items()
        if each.splits
    }


def trips_of(folder: Path, config: Config) -> Iterable[RoundTrip]:
    """The round trips that the tables in `folder` have, without excursions."""
    orders = table_cells(folder / "orders.csv", ORDER_CELLS)
    trades = table_cells(folder / "trades.csv", TRADE_CELLS)
    return round_trips(orders, trades, worths_of(config), taken_lots(config))


def write_trips(folder: Path, ground: Ground) -> None:
    """Write trips.csv. Raises OSError, ValueError, and DataError or Damaged for prices that cannot
    be read again."""
    trips: Iterable[RoundTrip] = trips_of(folder, ground.config)
    if can_be_read_again(ground.feed):
        trips = list(trips)
        fill_excursions(trips, ground)
    moments = Moments()
    rows = (trip_row(number, trip, moments) for number, trip in enumerate(trips, 1))
    _write(folder / TRIPS, TRIP_COLUMNS, rows)


def fill_excursions(trips: Sequence[RoundTrip], ground: Ground) -> None:
    """Give the trips their MAE and MFE. Raises as `write_trips`."""
    add_excursions(
        trips,
        price_streams(ground.feed) if trips else (),
        ground.instruments,
        worths_of(ground.config),
        splits_of(ground.config),
        at_close=ground.config.paper.fill is FillRule.DECISION_CLOSE,
    )


def write_equity(folder: Path, ground: Ground) -> None:
    """Write equity.csv. Raises OSError, ValueError."""
    points = equity_points(table_rows(folder / "account.csv"), ground.totals)
    _write(folder / EQUITY, EQUITY_COLUMNS, (point.line() for point in points))


def write_derived(folder: Path, ground: Ground) -> list[str]:
    """Write both; what went wrong, a line each, of the files that are left out."""
    problems = []
    for name, write in ((TRIPS, write_trips), (EQUITY, write_equity)):
        try:
            drop_derived(folder, name)
            write(folder, ground)
        except Exception as error:  # whatever it is: the session ends as it would have
            problems.append(f"{name} was not made: {type(error).__name__}: {error}")
            with suppress(OSError):  # a disk that is broken may keep it
                _temporary(folder / name).unlink(missing_ok=True)
    return problems


def drop_derived(folder: Path, *names: str) -> None:
    """Remove those files: the session goes on, or they are made anew. Raises OSError."""
    for name in names or DERIVED:
        for path in (folder / name, _temporary(folder / name)):
            if path.exists():
                path.unlink()


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _write(path: Path, columns: Sequence[str], rows: Iterable[str]) -> None:
    """Write a table row by row, and put it into its place when it is whole."""
    temporary = _temporary(path)
    table = Table(temporary, columns, is_there=False)
    try:
        for row in rows:
            table.add(row)
    finally:
        table.close()
    sync_file(temporary)
    os.replace(temporary, path)
