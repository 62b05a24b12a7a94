"""Vendors of stocks: yfinance, Stooq, Alpha Vantage, Tiingo, and Interactive Brokers' libraries.

A date alone is the day of the exchange. Weeks and months of Stooq, Alpha Vantage and Tiingo are
stamped with their last day, those of yfinance with their first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from logos.data.importing.formats.shapes import OHLC, OHLCV
from logos.data.importing.record import ForeignLayout
from logos.data.layout import BARS, QUOTES, TRADES

_YAHOO: Final = "https://ranaroussi.github.io/yfinance/ (download, Ticker.history), pandas to_csv"
_STOOQ: Final = "https://stooq.com/db/h/; headers seen in public copies of the archives"
_ALPHA: Final = "https://www.alphavantage.co/documentation/ (datatype=csv)"
_TIINGO: Final = "https://www.tiingo.com/documentation/end-of-day, /iex"
_IB: Final = (
    "https://ib-api-reloaded.github.io/ib_async/ (BarData, HistoricalTick..., util.df);"
    " https://interactivebrokers.github.io/tws-api/historical_bars.html"
)
_YAHOO_ADJUSTED: Final = (
    "prices are as downloaded: adjusted for splits, and for dividends too unless auto_adjust was"
    " off"
)
_STOOQ_NAME: Final = r"^(?P<ticker>[a-z0-9.^-]+?)_(?P<market>[a-z]{1,2})_"
_STOOQ_PLAIN: Final = r"^(?P<symbol>[a-z0-9.^-]+)_"
_STOOQ_ADJUSTED: Final = "prices are adjusted as chosen at the download"
_OTHER_INDEXES: Final = {"date": ("datetime",), "datetime": ("date",), "": ("date", "datetime")}
_STOOQ_BULK: Final = (
    *("<ticker>", "<per>", "<date>", "<time>", "<open>", "<high>", "<low>", "<close>"),
)
_STOOQ_ROLES: Final = {
    "<ticker>": "symbol",
    "<open>": "open",
    "<high>": "high",
    "<low>": "low",
    "<close>": "close",
    "<vol>": "volume",
}


def _is_intraday(rows: Sequence[Sequence[str]]) -> str:
    """The doubt of days: a period that is not D."""
    others = [row[1] for row in rows if row[1].strip().upper() != "D"]
    return f"its period is {others[0]}" if others else ""


def _is_of_days(rows: Sequence[Sequence[str]]) -> str:
    """The doubt of minutes and hours: a period of D."""
    return "its period is D" if any(row[1].strip().upper() == "D" for row in rows) else ""


LAYOUTS: Final = (
    ForeignLayout(
        name="yfinance",
        title="yfinance, header of several lines",
        source=_YAHOO,
        kind=BARS,
        header=("ticker", "price", *OHLC),
        absent=("timestamp", "conditions"),
        floats=True,
        note=_YAHOO_ADJUSTED,
        left="Adj Close, Dividends, Stock Splits",
    ),
    ForeignLayout(
        name="yfinance",
        title="yfinance, one line of header",
        source=_YAHOO,
        kind=BARS,
        header=(*OHLC, "volume", "dividends", "stock splits"),
        roles={"date": "time", "datetime": "time", "": "time", **OHLCV},
        floats=True,
        note=_YAHOO_ADJUSTED,
        left="Dividends, Stock Splits",
    ),
    ForeignLayout(
        name="yfinance",
        title="yfinance, with Adj Close",
        source=_YAHOO,
        kind=BARS,
        header=(*OHLC, "adj close", "volume"),
        absent=("ticker", "price", "dividends", "split ratio"),
        roles={"date": "time", "datetime": "time", "": "time", **OHLCV},
        floats=True,
        note="prices are not adjusted for dividends",
        left="Adj Close",
    ),
    *(
        ForeignLayout(
            name="yfinance",
            title="table as pandas and yfinance write it",
            source=_YAHOO,
            kind=BARS,
            header=(index, *OHLC, "volume"),
            absent=(
                *("adj close", "dividends", "ticker", "price", "symbol", "average", "adjclose"),
                *("per", "unix", "time", "timestamp", "split ratio", *_OTHER_INDEXES[index]),
            ),
            roles={index: "time", **OHLCV},
            decimal="",
            floats=True,
        )
        for index in ("date", "datetime", "")
    ),
    *(
        ForeignLayout(
            name="stooq",
            title=f"Stooq {title}",
            source=_STOOQ,
            kind=BARS,
            header=("date", *OHLC),
            absent=("time", "adj close", "symbol", "ticker"),
            roles={"date": "time", **OHLCV},
            file_name=file_name,
            name_decides=True,
            symbol=symbol,
            upper=True,
            interval=interval,
            is_last_day=interval != "1d",
            note=_STOOQ_ADJUSTED,
        )
        for name, symbol in ((_STOOQ_NAME, "{ticker}.{market}"), (_STOOQ_PLAIN, "{symbol}"))
        for title, interval, file_name in (
            ("days", "1d", name + r"d\.csv"),
            ("weeks", "1w", name + r"w\.csv"),
            ("months", "1mo", name + r"m\.csv"),
        )
    ),
    ForeignLayout(
        name="stooq-bulk",
        title="Stooq archives of days",
        source=_STOOQ,
        kind=BARS,
        header=_STOOQ_BULK,
        roles={**_STOOQ_ROLES, "<date>": "time"},
        doubt=_is_intraday,
        time_format="%Y%m%d",
        zone="UTC",
        interval="1d",
        note=_STOOQ_ADJUSTED,
        left="PER, TIME, OPENINT",
    ),
    ForeignLayout(
        name="stooq-bulk",
        title="Stooq archives of minutes and hours, and others of their header (Finam)",
        source=_STOOQ,
        kind=BARS,
        header=_STOOQ_BULK,
        roles={**_STOOQ_ROLES, "<date>": "date", "<time>": "clock"},
        doubt=_is_of_days,
        time_format="%Y%m%d %H%M%S",
        note="times are of the clock chosen at the download; Stooq's seem to be Warsaw's",
        left="PER, OPENINT",
    ),
    *(
        ForeignLayout(
            name="alpha-vantage",
            title=f"Alpha Vantage {title}",
            source=_ALPHA,
            kind=BARS,
            header=("timestamp", *OHLC),
            roles={"timestamp": "time", **OHLCV},
            file_name=rf"^{word}_(?:adjusted_)?(?P<symbol>[A-Za-z0-9.-]+)\.csv",
            name_decides=True,
            interval=interval,
            is_last_day=interval != "1d",
            left=left,
        )
        for title, word, interval, left in (
            ("days", "daily", "1d", "adjusted close, dividends, split coefficients"),
            ("weeks", "weekly", "1w", "adjusted close, dividends"),
            ("months", "monthly", "1mo", "adjusted close, dividends"),
        )
    ),
    ForeignLayout(
        name="alpha-vantage",
        title="Alpha Vantage intraday",
        source=_ALPHA,
        kind=BARS,
        header=("timestamp", *OHLC),
        roles={"timestamp": "time", **OHLCV},
        file_name=r"^intraday_(?P<interval>1|5|15|30|60)min_(?P<symbol>[A-Za-z0-9.-]+)\.csv",
        name_decides=True,
        intervals={"1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h"},
        zone="America/New_York",
        note="times are of the US/Eastern clock; taken as the bar's open, as the vendor does not"
        " say: at worst a bar is seen late",
    ),
    ForeignLayout(
        name="tiingo",
        title="Tiingo end of day",
        source=_TIINGO,
        kind=BARS,
        header=("date", *OHLC, "volume", "adjclose", "divcash", "splitfactor"),
        roles={"date": "time", "ticker": "symbol", **OHLCV},
        file_name=r"^(?P<symbol>[A-Za-z0-9.-]+)\.csv",
        upper=True,
        is_last_day=True,
        note="prices and volumes are as traded",
        left="the adj... columns, divCash, splitFactor",
    ),
    ForeignLayout(
        name="ib",
        title="Interactive Brokers bars",
        source=_IB,
        kind=BARS,
        header=("date", *OHLC, "volume", "average", "barcount"),
        roles={"date": "time", **OHLCV},
        file_name=r"^(?P<symbol>[A-Z0-9.]+)[._]",
        not_reported=("-1", "-1.0"),
        note="a volume of -1 is unknown; what the prices are of (trades, bids, midpoints) the file"
        " does not say",
        left="average, barCount",
    ),
    ForeignLayout(
        name="ib",
        title="Interactive Brokers ticks of trades",
        source=_IB,
        kind=TRADES,
        header=("time", "price", "size", "exchange", "specialconditions"),
        roles={"time": "time", "price": "price", "size": "size"},
        left="attributes, exchange, special conditions",
    ),
    ForeignLayout(
        name="ib",
        title="Interactive Brokers ticks of bids and asks",
        source=_IB,
        kind=QUOTES,
        header=("time", "pricebid", "priceask", "sizebid", "sizeask"),
        roles={
            "time": "time",
            "pricebid": "bid",
            "priceask": "ask",
            "sizebid": "bid_size",
            "sizeask": "ask_size",
        },
        left="attributes",
    ),
)
