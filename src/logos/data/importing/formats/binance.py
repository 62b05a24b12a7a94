"""Binance's public archive (data.binance.vision): spot, USD-M and COIN-M futures.

https://github.com/binance/binance-public-data, README.md, has the columns of klines, trades and
aggTrades of each market, and "The timestamp for SPOT Data from January 1st 2025 onwards will be in
microseconds". Files of spot have no header, those of futures one that began about 2022. Of the
makers' column true says that the buyer was the maker, so the seller took.
"""

from __future__ import annotations

from typing import Final

from logos.data.importing.formats.shapes import (
    EPOCH_MS_OR_US,
    NUMBER,
    PRICES,
    TRUTH,
    WHOLE,
    not_open_high_low_close,
)
from logos.data.importing.record import ForeignLayout
from logos.data.layout import BARS, QUOTES, TRADES

_SOURCE: Final = "https://github.com/binance/binance-public-data (README.md)"
_UNITS: Final = "are in the base asset, of COIN-M (BTCUSD_PERP, BTCUSD_240329) in contracts"
_SYMBOL: Final = r"^(?P<symbol>[A-Z0-9_]+)-"
_AGGREGATE_ROW: Final = (WHOLE, NUMBER, NUMBER, WHOLE, WHOLE, EPOCH_MS_OR_US, TRUTH)
_TRADE_ROW: Final = (WHOLE, NUMBER, NUMBER, NUMBER, EPOCH_MS_OR_US, TRUTH)


def _trades(
    what: str, market: str, row: tuple[str, ...], columns: tuple[str, ...], left: str
) -> ForeignLayout:
    return ForeignLayout(
        name="binance",
        title=f"Binance {what} of {market}",
        source=_SOURCE,
        kind=TRADES,
        row=row,
        optional_header=True,
        file_name=_SYMBOL + what,
        columns=columns,
        time_format="epoch",
        note=f"quantities {_UNITS}" if market == "futures" else "",
        left=left,
    )


LAYOUTS: Final = (
    ForeignLayout(
        name="binance",
        title="Binance klines",
        source=_SOURCE,
        kind=BARS,
        row=(EPOCH_MS_OR_US, *PRICES, NUMBER, EPOCH_MS_OR_US, *(NUMBER,) * 5),
        optional_header=True,
        file_name=_SYMBOL + r"(?P<interval>[0-9]{1,2}(?:mo|[smhdwM]))(?:-|\.|$)",
        columns=("time", "open", "high", "low", "close", "volume", "close_time", *("-",) * 5),
        time_format="epoch",
        intervals={"1M": "1mo"},
        doubt=not_open_high_low_close(1),
        note=f"volumes {_UNITS}",
        left="quote volume, number of trades, volumes of takers",
    ),
    _trades(
        "aggTrades",
        "spot",
        (*_AGGREGATE_ROW, TRUTH),
        ("-", "price", "size", "-", "-", "time", "maker", "-"),
        "the numbers of the trades, and whether it was the best price",
    ),
    _trades(
        "aggTrades",
        "futures",
        _AGGREGATE_ROW,
        ("-", "price", "size", "-", "-", "time", "maker"),
        "the numbers of the trades",
    ),
    _trades(
        "trades",
        "spot",
        (*_TRADE_ROW, TRUTH),
        ("-", "price", "size", "-", "time", "maker", "-"),
        "the trade's number, its value, and whether it was the best price",
    ),
    _trades(
        "trades",
        "futures",
        _TRADE_ROW,
        ("-", "price", "size", "-", "time", "maker"),
        "the trade's number and its value",
    ),
    ForeignLayout(
        name="binance",
        title="Binance bookTicker of futures",
        source=_SOURCE,
        kind=QUOTES,
        row=(WHOLE, NUMBER, NUMBER, NUMBER, NUMBER, EPOCH_MS_OR_US, EPOCH_MS_OR_US),
        optional_header=True,
        file_name=_SYMBOL + "bookTicker",
        name_decides=True,
        columns=("-", "bid", "bid_size", "ask", "ask_size", "time", "-"),
        time_format="epoch",
        note=f"sizes {_UNITS}",
        left="the update's number and the time of its event",
    ),
)
