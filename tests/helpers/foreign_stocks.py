"""How vendors of stocks, web sites and tables of no vendor write bars."""

from __future__ import annotations

from datetime import UTC, timedelta, tzinfo

from foreign_bars import (
    HEAD,
    MINUTES,
    NEW_YORK,
    SYMBOL,
    Form,
    MadeBar,
    Rows,
    Text,
    lines,
    local,
    seconds,
    wall_of,
)

_WORDS = {"1d": "daily", "1w": "weekly", "1mo": "monthly"}
_ACTIONS = "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
_IB = ",date,open,high,low,close,volume,average,barCount\n"
_NINJA = "%Y%m%d %H%M%S"
_WIKI = "Date,Open,High,Low,Close,Volume,Ex-Dividend,Split Ratio\n"
_CLOSE = (*SYMBOL, "--stamp", "close")
_CLOSES = lines(f"timestamp,{HEAD}", lambda bar, i: bar.closed.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _last_day(bar: MadeBar, interval: str) -> str:
    day = bar.closed - timedelta(days=1)
    while interval == "1w" and day.weekday() > 4:
        day -= timedelta(days=1)
    return day.strftime("%Y-%m-%d")


def _offset(bar: MadeBar, interval: str) -> str:
    text = bar.opened.astimezone(NEW_YORK).isoformat(" ")
    return text[:10] if interval in ("1w", "1mo") else text


def _lean(pattern: str | None, zone: tzinfo) -> Text:
    def text(bars: Rows, interval: str) -> str:
        rows = []
        for bar in bars:
            wall = wall_of(bar.opened, zone)
            passed = wall - wall.replace(hour=0, minute=0, second=0)
            time = wall.strftime(pattern) if pattern else passed // timedelta(milliseconds=1)
            figures = ",".join(str(round(float(each) * 10_000)) for each in bar.figures)
            rows.append(f"{time},{figures},7")
        return "\n".join(rows)

    return text


def _databento(bars: Rows, interval: str) -> str:
    rtype = {"1s": 32, "1m": 33, "1h": 34, "1d": 35}[interval]
    rows = [
        f"{seconds(bar.opened)}000000000,{rtype},1,5,"
        + ",".join(str(round(float(each) * 100) * 10_000_000) for each in bar.figures)
        + ",7,ESH4\n"
        for bar in bars
    ]
    return (
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n"
        + "".join(rows)
    )


def _polygon(bars: Rows, interval: str) -> str:
    rows = []
    for bar in bars:
        opened, high, low, closed = bar.figures
        rows.append(f"A,7,{opened},{closed},{high},{low},{seconds(bar.opened)}000000000,3\n")
    return "ticker,volume,open,close,high,low,window_start,transactions\n" + "".join(rows)


def _cmc(bars: Rows, interval: str) -> str:
    head = "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;timestamp\n"
    rows = []
    for bar in bars:
        ends = [
            each.strftime('"%Y-%m-%dT%H:%M:%S.') + part
            for each, part in (
                (bar.opened, '000Z"'),
                (bar.closed - timedelta(seconds=1), '999Z"'),
            )
        ]
        rows.append(";".join((*ends, ends[0], ends[0], "1", *bar.figures, "7.5", ends[1])) + "\n")
    return head + "".join(rows[::-1])


def _investing(bar: MadeBar, interval: str) -> str:
    figures = [bar.figures[3], *bar.figures[:3]]
    return bar.opened.strftime('"%m/%d/%Y",') + ",".join(f'"{each}"' for each in figures)


def _investing_text(bars: Rows, interval: str) -> str:
    rows = [f'{_investing(bar, interval)},"1.5K","0.1%"\n' for bar in bars]
    return '"Date","Price","Open","High","Low","Vol.","Change %"\n' + "".join(rows[::-1])


FORMS = (
    Form(
        "yfinance",
        ("1m", "1h", "1d"),
        lambda i: "history.csv",
        lines(_ACTIONS, _offset, ",7,0.0,0.0"),
        NEW_YORK,
        SYMBOL,
    ),
    Form(
        "yfinance",
        ("1w", "1mo"),
        lambda i: "history.csv",
        lines(_ACTIONS, _offset, ",7,0.0,0.0"),
        NEW_YORK,
        SYMBOL,
        is_exchange=True,
    ),
    Form(
        "yfinance",
        ("1d", "1w", "1mo"),
        lambda i: "x.csv",
        lines("Date,Open,High,Low,Close,Adj Close,Volume\n", local("%Y-%m-%d", UTC), ",1,7"),
        options=SYMBOL,
    ),
    Form(
        "stooq",
        ("1d", "1w", "1mo"),
        lambda i: f"aapl_us_{i.replace('mo', 'm')[-1]}.csv",
        lines("Date,Open,High,Low,Close,Volume\n", _last_day),
    ),
    Form(
        "stooq-bulk",
        ("5m", "1h", "1d"),
        lambda i: "aapl.us.txt",
        lines(
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n",
            lambda bar, i: f"AAPL.US,{'D' if i == '1d' else MINUTES[i]},{bar.opened:%Y%m%d,%H%M%S}",
            ",7,0",
        ),
        options=("--timezone", "UTC"),
    ),
    Form(
        "alpha-vantage",
        ("1d", "1w", "1mo"),
        lambda i: f"{_WORDS[i]}_IBM.csv",
        lines(f"timestamp,{HEAD}", _last_day, newest_first=True),
    ),
    Form(
        "alpha-vantage",
        ("5m",),
        lambda i: "intraday_5min_IBM.csv",
        # The vendor does not say which end is stamped: the close is the harder one.
        lines(
            f"timestamp,{HEAD}",
            lambda bar, i: wall_of(bar.closed, NEW_YORK).strftime("%Y-%m-%d %H:%M:%S"),
        ),
        NEW_YORK,
    ),
    Form(
        "tiingo",
        ("1d", "1w", "1mo"),
        lambda i: "aapl.csv",
        lines(
            "date,close,high,low,open,volume,adjClose,divCash,splitFactor\n",
            lambda bar, i: f"{_last_day(bar, i)}T00:00:00.000Z",
            ",7,1,0.0,1.0",
            order="chlo",
        ),
        say_interval=("1mo",),
    ),
    Form(
        "ib",
        ("1m", "5m", "1h"),
        lambda i: "SPY_history.csv",
        lines(_IB, lambda bar, i: f"0,{_offset(bar, i)}", ",7,1,3"),
        NEW_YORK,
    ),
    Form(
        "ib",
        ("1d",),
        lambda i: "SPY_history.csv",
        lines(_IB, lambda bar, i: f"0,{_offset(bar, i)[:10]}", ",7,1,3"),
        NEW_YORK,
        is_exchange=True,
    ),
    Form("polygon", ("1m",), lambda i: "minute_aggs_v1/2024-03-08.csv", _polygon, NEW_YORK),
    Form("polygon", ("1d",), lambda i: "day_aggs_v1/2024-03-08.csv", _polygon, NEW_YORK),
    Form("databento", ("1s", "1m", "1h", "1d"), lambda i: "x.ohlcv.csv", _databento),
    Form(
        "lean",
        ("1m",),
        lambda i: "equity/usa/minute/spy/{day:%Y%m%d}_trade.zip",
        _lean(None, NEW_YORK),
        NEW_YORK,
    ),
    Form(
        "lean",
        ("1h",),
        lambda i: "equity/usa/hour/spy.zip",
        _lean("%Y%m%d %H:%M", NEW_YORK),
        NEW_YORK,
    ),
    Form("lean", ("1d",), lambda i: "equity/usa/daily/spy.zip", _lean("%Y%m%d %H:%M", UTC)),
    Form(
        "ninjatrader",
        ("1m",),
        lambda i: "ES 03-24.Last.txt",
        lines("", lambda bar, i: bar.closed.strftime(_NINJA), ";7", separator=";"),
        options=("--stamp", "close"),
    ),
    Form(
        "ninjatrader",
        ("1m",),
        lambda i: "ES 03-24.Last.txt",
        lines("", local(_NINJA, UTC), ";7", separator=";"),
        options=("--stamp", "open"),
    ),
    Form(
        "ninjatrader",
        ("1d",),
        lambda i: "MSFT.Last.txt",
        lines("", local("%Y%m%d", UTC), ";7", separator=";"),
    ),
    Form("coinmarketcap", ("1d",), lambda i: "cmc.csv", _cmc, options=SYMBOL),
    Form(
        "investing",
        ("1d", "1w", "1mo"),
        lambda i: "AAPL Historical Data.csv",
        _investing_text,
        options=("--time-format", "%m/%d/%Y"),
    ),
    Form(
        "quandl",
        ("1d",),
        lambda i: "WIKI.csv",
        lines(_WIKI, local("%Y-%m-%d", UTC), ",7,0.0,1.0", newest_first=True),
        options=SYMBOL,
    ),
    Form(
        "table",
        ("1m", "1h", "4h", "1d", "1w", "1mo"),
        lambda i: f"X_{i}.csv",
        lines(f"timestamp,{HEAD}", lambda bar, i: bar.opened.strftime("%Y-%m-%dT%H:%M:%SZ")),
        NEW_YORK,
    ),
    Form("table", ("1m", "1h", "4h", "12h", "1d"), lambda i: "X.csv", _CLOSES, UTC, _CLOSE),
    Form(
        "table",
        ("1m", "1h", "1d", "1w"),
        lambda i: "X.csv",
        _CLOSES,
        NEW_YORK,
        (*_CLOSE, "--timezone", "America/New_York"),
    ),
    Form(
        "table",
        ("1m", "1h", "4h", "12h", "1d", "1w", "1mo"),
        lambda i: f"X_{i}.csv",
        lines(
            f"Date;{HEAD.replace(',', ';')}", local("%d.%m.%Y %H:%M", NEW_YORK), ";7", separator=";"
        ),
        NEW_YORK,
        ("--timezone", "America/New_York", "--decimal", "."),
    ),
)
