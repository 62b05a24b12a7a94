"""How exchanges and charting programs write bars, with all lengths that they have."""

from __future__ import annotations

import json
from datetime import UTC, timedelta

from foreign_bars import (
    ATHENS,
    HEAD,
    MINUTES,
    NEW_YORK,
    SYMBOL,
    Form,
    Rows,
    Time,
    arrays,
    lines,
    local,
    millis,
    seconds,
    wall_of,
)

_IN_ATHENS = ("--timezone", "Europe/Athens")
_PERIODS = {"1m": "M1", "1h": "H1", "4h": "H4", "1d": "Daily", "1w": "Weekly", "1mo": "Monthly"}
_CHART = {"1m": "1", "1h": "60", "4h": "240", "1d": "1D", "1w": "1W", "1mo": "1M"}
_NODE = {"1m": "m1", "1h": "h1", "4h": "h4", "1d": "d1", "1mo": "mn1"}


def _klines(bars: Rows, interval: str) -> str:
    # Spot data of 2025 and later is in microseconds.
    unit = 1000 if bars[0].opened.year < 2025 else 1_000_000
    rows = []
    for bar in bars:
        opened, closed = seconds(bar.opened) * unit, seconds(bar.closed) * unit - 1
        rows.append(f"{opened},{','.join(bar.figures)},7,{closed},1,1,1,1,0\n")
    return "".join(rows)


def _mt5(bars: Rows, interval: str) -> str:
    is_long = interval in ("1d", "1w", "1mo")
    names = ("OPEN", "HIGH", "LOW", "CLOSE", "TICKVOL", "VOL", "SPREAD")
    head = "\t".join(f"<{name}>" for name in ("DATE", *(() if is_long else ("TIME",)), *names))
    rows = [
        "\t".join(
            (
                wall_of(bar.opened, ATHENS).strftime(
                    "%Y.%m.%d" if is_long else "%Y.%m.%d\t%H:%M:%S"
                ),
                *bar.figures,
                "5\t0\t2",
            )
        )
        for bar in bars
    ]
    return "\n".join((head, *rows)) + "\n"


def _columns(bars: Rows, interval: str) -> str:
    named = zip(*(bar.figures for bar in bars), strict=True)
    prices = dict(
        zip(("open", "high", "low", "close"), ([*map(float, x)] for x in named), strict=True)
    )
    ticks = [millis(bar.opened) for bar in bars]
    return json.dumps(
        {"result": {"ticks": ticks, **prices, "volume": [7] * len(ticks), "cost": [7] * len(ticks)}}
    )


def _htx(bars: Rows, interval: str) -> str:
    rows = [
        dict(zip(("open", "high", "low", "close"), map(float, bar.figures), strict=True))
        | {"id": seconds(bar.opened), "amount": 7, "vol": 700.5, "count": 3}
        for bar in bars
    ]
    return json.dumps({"status": "ok", "data": rows[::-1]})


def _eastern(pattern: str) -> Time:
    return lambda bar, interval: (bar.opened - timedelta(hours=5)).strftime(pattern)


FORMS = (
    Form(
        "binance",
        ("1m", "5m", "1h", "4h", "12h", "1d", "1w", "1mo"),
        lambda i: f"BTCUSDT-{i}-2024-03.csv",
        _klines,
    ),
    Form(
        "kraken",
        ("1m", "5m", "1h", "4h", "12h", "1d"),
        lambda i: f"XBTEUR_{MINUTES[i]}.csv",
        lines("", lambda bar, i: seconds(bar.opened), ",7,3"),
    ),
    Form(
        "cryptodatadownload",
        ("1m", "1h", "1d"),
        lambda i: f"Bitstamp_BTCUSD_{i}.csv",
        lines(
            "https://www.CryptoDataDownload.com\n"
            "unix,date,symbol,open,high,low,close,Volume BTC,Volume USD\n",
            lambda bar, i: f"{seconds(bar.opened)},{bar.opened:%Y-%m-%d %H:%M:%S},BTC/USD",
            ",7,700",
            newest_first=True,
        ),
    ),
    Form(
        "bitstamp-minutes",
        ("1m",),
        lambda i: "btcusd_1-min_data.csv",
        lines("Timestamp,Open,High,Low,Close,Volume\n", lambda bar, i: f"{seconds(bar.opened)}.0"),
    ),
    Form(
        "ccxt",
        ("1m", "1h", "4h", "1d"),
        lambda i: "ohlcv.json",
        arrays("ohlc", millis),
        options=SYMBOL,
    ),
    Form(
        "freqtrade",
        ("1m", "5m", "1h", "4h", "1d", "1w", "1mo"),
        lambda i: f"BTC_USDT-{i.replace('1mo', '1M')}.json",
        arrays("ohlc", millis),
    ),
    Form(
        "bitfinex",
        ("1m", "1h"),
        lambda i: "c.json",
        arrays("ochl", millis),
        options=(*SYMBOL, "--format", "bitfinex"),
    ),
    Form(
        "coinbase",
        ("1m", "1h"),
        lambda i: "c.json",
        arrays("lhoc", seconds),
        options=(*SYMBOL, "--format", "coinbase"),
    ),
    Form(
        "kucoin",
        ("1m", "1h"),
        lambda i: "c.json",
        arrays("ochl", seconds, "700.5"),
        options=(*SYMBOL, "--format", "kucoin"),
    ),
    Form(
        "okx",
        ("1m", "1h", "4h"),
        lambda i: "c.json",
        arrays("ohlc", millis, "7", "700", "1"),
        options=SYMBOL,
    ),
    Form("htx", ("1m", "1h"), lambda i: "c.json", _htx, options=SYMBOL),
    Form("deribit", ("1m", "1h"), lambda i: "c.json", _columns, options=SYMBOL),
    Form(
        "bitmex",
        ("1m", "1h", "1d"),
        lambda i: "buckets.csv",
        lines(
            "timestamp,symbol,open,high,low,close,trades,volume,vwap,lastSize,turnover\n",
            lambda bar, i: f"{bar.closed:%Y-%m-%dT%H:%M:%S.000Z},XBTUSD",
            ",3,7,1,1,1",
        ),
    ),
    Form(
        "mt5",
        tuple(_PERIODS),
        lambda i: f"EURUSD_{_PERIODS[i]}_202401010000_202412310000.csv",
        _mt5,
        ATHENS,
        _IN_ATHENS,
        first_weekday=6,
    ),
    Form(
        "mt5",
        ("1m", "1h", "4h"),
        lambda i: "rates.csv",
        lines(
            "time,open,high,low,close,tick_volume,spread,real_volume\n",
            lambda bar, i: seconds(wall_of(bar.opened, ATHENS).replace(tzinfo=UTC)),
            ",5,2,0",
        ),
        ATHENS,
        (*SYMBOL, *_IN_ATHENS),
    ),
    Form(
        "mt4",
        ("1m", "1h", "4h", "1d", "1w", "1mo"),
        lambda i: f"EURUSD{MINUTES[i]}.csv",
        lines("", local("%Y.%m.%d,%H:%M", ATHENS)),
        ATHENS,
        _IN_ATHENS,
        first_weekday=6,
    ),
    Form(
        "tradingview",
        tuple(_CHART),
        lambda i: f"OANDA_EURUSD, {_CHART[i]}.csv",
        lines(f"time,{HEAD}", lambda bar, i: seconds(bar.opened)),
        NEW_YORK,
    ),
    Form(
        "dukascopy",
        ("1m", "1h", "1d"),
        lambda i: f"EURUSD_Candlestick_{i[0]}_{i[1]}_BID.csv",
        lines(f"Gmt time,{HEAD}", local("%d.%m.%Y %H:%M:%S.000", UTC)),
    ),
    Form(
        "dukascopy-node",
        tuple(_NODE),
        lambda i: f"eurusd-{_NODE[i]}-bid-2024.csv",
        lines(f"timestamp,{HEAD}", lambda bar, i: millis(bar.opened)),
    ),
    Form(
        "histdata-m1",
        ("1m",),
        lambda i: "DAT_ASCII_EURUSD_M1_2024.csv",
        lines("", _eastern("%Y%m%d %H%M%S"), ";0", separator=";"),
    ),
    Form(
        "histdata-mt",
        ("1m",),
        lambda i: "DAT_MT_EURUSD_M1_2024.csv",
        lines("", _eastern("%Y.%m.%d,%H:%M"), ",0"),
    ),
    Form(
        "histdata-ms",
        ("1m",),
        lambda i: "DAT_MS_EURUSD_M1_2024.csv",
        lines("", _eastern("EURUSD,%Y%m%d%H%M"), ",0"),
    ),
)
