"""Exports of MetaTrader 4 and 5, and of TradingView's charts.

MetaTrader 5 (Symbols, Bars or Ticks, Export): tabs between, names in angle brackets, no <TIME> in
daily bars and longer; of ticks a bid or ask that is empty has not changed (MqlTick.flags, 2 bid,
4 ask: https://www.mql5.com/en/docs/constants/structures/mqltick); files are
SYMBOL_PERIOD_FROM_TO.csv. MetaTrader 4 (History Center, Export): seven columns without a header,
files are SYMBOL and the minutes of the period. Both write their server's clock, and do not say it.
Prices are bids; the volume of bars is a count of ticks, unless there is a real one.
TradingView (Export chart data): the time of a bar's open as seconds since 1970 or as ISO, then the
chart's plots; files are `EXCHANGE_SYMBOL, PERIOD.csv`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from logos.data.importing.formats.shapes import (
    OHLC,
    OHLCV,
    PRICES,
    WHOLE,
    not_open_high_low_close,
)
from logos.data.importing.record import ForeignLayout
from logos.data.layout import BARS, QUOTES

_MT5: Final = (
    "https://www.metatrader5.com/en/terminal/help/trading_advanced/custom_instruments;"
    " https://www.mql5.com/en/docs/constants/structures/mqltick; headers seen in public exports"
)
_MT4: Final = "https://www.metatrader4.com/en/trading-platform/help/service/history_center"
_PERIODS: Final = {
    **{f"M{minutes}": f"{minutes}m" for minutes in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)},
    **{f"H{hours}": f"{hours}h" for hours in (1, 2, 3, 4, 6, 8, 12)},
    "Daily": "1d",
    "Weekly": "1w",
    "Monthly": "1mo",
    "D1": "1d",
    "W1": "1w",
    "MN1": "1mo",
}
_MINUTES: Final = {
    "1": "1m",
    "5": "5m",
    "15": "15m",
    "30": "30m",
    "60": "1h",
    "240": "4h",
    "1440": "1d",
    "10080": "1w",
    "43200": "1mo",
}
_CHART: Final = {
    **{str(minutes): f"{minutes}m" for minutes in (1, 2, 3, 5, 10, 15, 30, 45)},
    "60": "1h",
    "120": "2h",
    "180": "3h",
    "240": "4h",
    "360": "6h",
    "720": "12h",
    "D": "1d",
    "1D": "1d",
    "W": "1w",
    "1W": "1w",
    "M": "1mo",
    "1M": "1mo",
    "1S": "1s",
}
_TICK_COUNTS: Final = "volumes are counts of ticks (tick volume), not of units"
_BIDS: Final = "prices are bids"


def _time_of(row: Sequence[str]) -> str:
    """The cell of the time, behind the count of rows that pandas writes first."""
    return row[1 if len(row) > 8 else 0].strip()


def _is_written_out(rows: Sequence[Sequence[str]]) -> str:
    """The doubt of numbers: a time with signs between."""
    odd = next((text for text in map(_time_of, rows) if not text.isdigit()), "")
    return f"its time is {odd[:40]!r}" if odd else ""


def _is_a_number(rows: Sequence[Sequence[str]]) -> str:
    """The doubt of times: a number."""
    return "its time is a number" if any(_time_of(row).isdigit() for row in rows) else ""


LAYOUTS: Final = (
    ForeignLayout(
        name="mt5",
        title="MetaTrader 5 bars",
        source=_MT5,
        kind=BARS,
        header=("<date>", "<open>", "<high>", "<low>", "<close>", "<tickvol>", "<vol>"),
        roles={
            "<date>": "date",
            "<time>": "clock",
            "<open>": "open",
            "<high>": "high",
            "<low>": "low",
            "<close>": "close",
            "<vol>": "volume",
        },
        second_choice={"<vol>": "<tickvol>"},
        file_name=r"^(?P<symbol>.+?)_(?P<interval>M[0-9]+|H[0-9]+|Daily|Weekly|Monthly|D1|W1|MN1)"
        r"[_.]",
        intervals=_PERIODS,
        note=f"{_BIDS}; volumes are the real ones (VOL), or counts of ticks (tick volume) where all"
        " real ones are 0",
        left="SPREAD, so half of what a trade costs: set slippage",
    ),
    ForeignLayout(
        name="mt5",
        title="MetaTrader 5 ticks",
        source=_MT5,
        kind=QUOTES,
        header=("<date>", "<time>", "<bid>", "<ask>", "<last>", "<volume>"),
        roles={"<date>": "date", "<time>": "clock", "<bid>": "bid", "<ask>": "ask"},
        carries_quotes=True,
        file_name=r"^(?P<symbol>.+?)(?:_[0-9]{12}){1,2}\.",
        note="an empty bid or ask has not changed since the row before",
        left="LAST and VOLUME of trades, FLAGS",
    ),
    *(
        ForeignLayout(
            name="mt5",
            title=f"MetaTrader 5 rates of the Python package, {what}",
            source="https://www.mql5.com/en/docs/python_metatrader5/mt5copyratesfrom_py",
            kind=BARS,
            header=("time", *OHLC, "tick_volume", "real_volume"),
            roles={
                **{name: name for name in ("time", *OHLC)},
                "real_volume": "volume",
            },
            second_choice={"real_volume": "tick_volume"},
            doubt=doubt,
            time_format=time_format,
            note="times are of the server's clock, also where they are numbers since 1970; prices"
            " are bids; volumes are the real ones, or counts of ticks (tick volume) where all real"
            " ones are 0",
            left="spread",
        )
        for what, doubt, time_format in (
            ("numbers", _is_written_out, "clock-epoch"),
            ("times", _is_a_number, ""),
        )
    ),
    ForeignLayout(
        name="mt4",
        title="MetaTrader 4 bars",
        source=_MT4,
        kind=BARS,
        row=(r"[0-9]{4}\.[0-9]{2}\.[0-9]{2}", r"[0-9]{2}:[0-9]{2}", *PRICES, WHOLE),
        file_name=r"^(?!DAT_MT_)(?:(?P<symbol>.+?)(?P<interval>43200|10080|1440|240|60|30|15|5|1)"
        r"\.)?",
        name_decides=True,
        columns=("date", "clock", "open", "high", "low", "close", "volume"),
        time_format="%Y.%m.%d %H:%M",
        intervals=_MINUTES,
        doubt=not_open_high_low_close(2),
        note=f"{_BIDS}; {_TICK_COUNTS}",
    ),
    ForeignLayout(
        name="tradingview",
        title="TradingView chart",
        source="https://www.tradingview.com/support/solutions/43000537255 (Export chart data);"
        " headers seen in public exports",
        kind=BARS,
        header=("time", *OHLC),
        absent=(
            *("date", "symbol", "ticker", "window_start", "average", "barcount"),
            *("tick_volume", "real_volume", "spread"),
        ),
        roles={"time": "time", **OHLCV},
        file_name=r"^(?:[A-Za-z0-9]+_)?(?P<symbol>[^,_]+), (?P<interval>[0-9]*[SDWM]?)[_.,]",
        intervals=_CHART,
        note="the chart's last bar may not have closed when it was exported",
        left="indicators and other plots of the chart",
    ),
)
