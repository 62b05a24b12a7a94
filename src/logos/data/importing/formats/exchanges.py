"""Kraken's archives, CryptoDataDownload, the Bitstamp minutes of Kaggle, and arrays of ccxt."""

from __future__ import annotations

from typing import Final

from logos.data.importing.formats.shapes import (
    EPOCH_MS,
    EPOCH_S,
    NUMBER,
    OHLC,
    OHLCV,
    PRICES,
    WHOLE,
    looks_like_two_prices,
    not_open_high_low_close,
)
from logos.data.importing.record import ForeignLayout
from logos.data.layout import BARS, TRADES

_KRAKEN: Final = (
    "https://support.kraken.com/hc/en-us/articles/360047124832 (OHLCVT), 360047543791 (trades)"
)
_KAGGLE: Final = (
    "https://www.kaggle.com/datasets/mczielinski/bitcoin-historical-data; header and rows seen in"
    " public copies"
)
_KRAKEN_MINUTES: Final = {
    "1": "1m",
    "5": "5m",
    "15": "15m",
    "30": "30m",
    "60": "1h",
    "240": "4h",
    "720": "12h",
    "1440": "1d",
}

LAYOUTS: Final = (
    ForeignLayout(
        name="kraken",
        title="Kraken OHLCVT",
        source=_KRAKEN,
        kind=BARS,
        row=(EPOCH_S, *PRICES, NUMBER, WHOLE),
        file_name=r"^(?P<symbol>[A-Za-z0-9.]+)_(?P<interval>1|5|15|30|60|240|720|1440)\.",
        columns=("time", "open", "high", "low", "close", "volume", "-"),
        time_format="epoch",
        intervals=_KRAKEN_MINUTES,
        doubt=not_open_high_low_close(1),
        note="an interval without a trade has no row; volumes are in the base asset",
        left="number of trades",
    ),
    ForeignLayout(
        name="kraken",
        title="Kraken time and sales",
        source=_KRAKEN,
        kind=TRADES,
        row=(EPOCH_S, NUMBER, NUMBER),
        file_name=r"^(?P<symbol>[A-Z0-9.]+)\.csv",
        name_decides=True,
        columns=("time", "price", "size"),
        time_format="epoch",
        doubt=looks_like_two_prices,
        note="the taker's side is not in these files",
    ),
    ForeignLayout(
        name="cryptodatadownload",
        title="CryptoDataDownload",
        source="https://www.cryptodatadownload.com (line 1 of a file is its address); seen in"
        " public copies: unix,date,symbol,open,high,low,close,Volume BTC,Volume USD",
        kind=BARS,
        header=("unix", "date", "symbol", *OHLC),
        roles={
            "unix": "time",
            "symbol": "symbol",
            **{name: name for name in OHLC},
            "volume *": "volume",
        },
        time_format="epoch",
        zone="UTC",
        note="the first column of volumes counts units of the base",
        left="the other volume, number of trades",
    ),
    ForeignLayout(
        name="bitstamp-minutes",
        title="Bitstamp minutes of Kaggle",
        source=_KAGGLE,
        kind=BARS,
        header=("timestamp", *OHLC, "volume_(btc)", "volume_(currency)", "weighted_price"),
        roles={
            "timestamp": "time",
            **{name: name for name in OHLC},
            "volume_(btc)": "volume",
        },
        time_format="epoch",
        interval="1m",
        note="a minute without a trade is a row of NaN, and is left out",
        left="volume in the currency, weighted price",
    ),
    ForeignLayout(
        name="bitstamp-minutes",
        title="Bitstamp minutes of Kaggle, since 2025",
        source=_KAGGLE,
        kind=BARS,
        header=("timestamp", *OHLC, "volume"),
        roles={"timestamp": "time", **OHLCV},
        file_name=r"^(?P<symbol>[a-z]+)_1-min_data",
        name_decides=True,
        upper=True,
        time_format="epoch",
        interval="1m",
        note="a minute without a trade repeats the price before, with a volume of 0",
    ),
    ForeignLayout(
        name="ccxt",
        title="OHLCV arrays of ccxt",
        source="https://docs.ccxt.com, OHLCV Candlestick Charts: UTC timestamp in milliseconds,"
        " open, high, low, close, volume",
        kind=BARS,
        row=(EPOCH_MS, *PRICES, NUMBER),
        file_name=r"^(?![A-Z0-9]+_[A-Z0-9_]+-[0-9]{1,2}[smhdwM](?:-|\.))",
        name_decides=True,
        columns=("time", "open", "high", "low", "close", "volume"),
        time_format="epoch",
        doubt=not_open_high_low_close(1),
        note="volumes are in the base asset, of contracts in contracts",
    ),
)
