"""Tables of web sites and of charting programs: investing.com, CoinMarketCap, Quandl, TrueFX,
Finam, NinjaTrader.

Headers and rows are seen in public copies. investing.com rounds its volumes (71.77M), and its
`Price` is the close. NinjaTrader's own files: "exports are always done in the UTC time zone", and
their bars may be stamped at either end
(https://ninjatrader.com/support/helpGuides/nt8/importing.htm).
"""

from __future__ import annotations

from typing import Final

from logos.data.importing.formats.shapes import NUMBER, OHLC, OHLCV, PRICES, WHOLE
from logos.data.importing.record import ForeignLayout
from logos.data.layout import BARS, QUOTES, TRADES

_SEEN: Final = "header and rows seen in public copies"
_NINJA: Final = "https://ninjatrader.com/support/helpGuides/nt8/importing.htm"
_NINJA_NAME: Final = r"^(?P<symbol>.+)\.(?P<half>(?i:last|bid|ask))\.txt"
_STAMP: Final = r"[0-9]{8} [0-9]{6}"


def _ninja(title: str, time: str, time_format: str, interval: str, stamp: str) -> ForeignLayout:
    return ForeignLayout(
        name="ninjatrader",
        title=f"NinjaTrader {title}",
        source=_NINJA,
        kind=BARS,
        row=(time, *PRICES, NUMBER),
        separator=";",
        file_name=_NINJA_NAME,
        name_decides=True,
        columns=("time", *OHLC, "volume"),
        time_format=time_format,
        zone="UTC",
        interval=interval,
        stamp=stamp,
        note="prices are of what the file's name says: trades (Last), bids or asks",
    )


def _ninja_ticks(
    title: str, row: tuple[str, ...], columns: tuple[str, ...], time_format: str
) -> ForeignLayout:
    return ForeignLayout(
        name="ninjatrader",
        title=f"NinjaTrader {title}",
        source=_NINJA,
        kind=TRADES,
        row=row,
        separator=";",
        file_name=r"^(?P<symbol>.+)\.(?i:last)\.txt",
        name_decides=True,
        columns=columns,
        time_format=time_format,
        zone="UTC",
        note="the taker's side is not in these files",
    )


LAYOUTS: Final = (
    ForeignLayout(
        name="investing",
        title="investing.com",
        source=f"https://www.investing.com (Historical Data); {_SEEN}",
        kind=BARS,
        header=("date", "price", "open", "high", "low", "change %"),
        absent=("close",),
        roles={
            "date": "time",
            **{name: name for name in ("open", "high", "low")},
            "price": "close",
            "vol.": "volume",
        },
        file_name=r"^(?P<symbol>[A-Z0-9_.^-]+) Historical Data",
        note="volumes are rounded by the site (K, M, B)",
        left="Change %",
    ),
    ForeignLayout(
        name="coinmarketcap",
        title="CoinMarketCap",
        source=f"https://coinmarketcap.com (historical data); {_SEEN}",
        kind=BARS,
        header=("timeopen", "timeclose", "timehigh", "timelow", *OHLC),
        roles={"timeopen": "time", "timeclose": "close_time", **{name: name for name in OHLC}},
        note="its volumes are values in US dollars, and no units, so they are left out",
        left="volume, marketCap, circulatingSupply, the times of high and low",
    ),
    ForeignLayout(
        name="quandl",
        title="Quandl WIKI",
        source=f"https://data.nasdaq.com/databases/WIKIP; {_SEEN}",
        kind=BARS,
        header=("date", *OHLC, "volume", "ex-dividend", "split ratio"),
        roles={"date": "time", "ticker": "symbol", **OHLCV},
        floats=True,
        note="prices and volumes are as traded, not adjusted",
        left="Ex-Dividend, Split Ratio, the adjusted columns",
    ),
    ForeignLayout(
        name="truefx",
        title="TrueFX ticks",
        source=f"https://www.truefx.com (historical downloads); {_SEEN}",
        kind=QUOTES,
        row=(
            r"[A-Z]{3}/[A-Z]{3}",
            r"[0-9]{8} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}",
            NUMBER,
            NUMBER,
        ),
        columns=("symbol", "time", "bid", "ask"),
        time_format="%Y%m%d %H:%M:%S.%f",
        note="there are no sizes",
    ),
    ForeignLayout(
        name="finam",
        title="Finam ticks",
        source=f"https://www.finam.ru/profile/moex-akcii/gazprom/export/; {_SEEN}",
        kind=TRADES,
        header=("<ticker>", "<per>", "<date>", "<time>", "<last>", "<vol>"),
        roles={
            "<ticker>": "symbol",
            "<date>": "date",
            "<time>": "clock",
            "<last>": "price",
            "<vol>": "size",
        },
        time_format="%Y%m%d %H%M%S",
        note="the taker's side is not in these files",
        left="PER",
    ),
    _ninja("minutes", _STAMP, "%Y%m%d %H%M%S", "1m", ""),
    _ninja("days", "[0-9]{8}", "%Y%m%d", "1d", "open"),
    _ninja_ticks("ticks", (_STAMP, NUMBER, WHOLE), ("time", "price", "size"), "%Y%m%d %H%M%S"),
    _ninja_ticks(
        "ticks with bid and ask",
        (rf"{_STAMP} [0-9]{{7}}", NUMBER, NUMBER, NUMBER, WHOLE),
        ("time", "price", "-", "-", "size"),
        "%Y%m%d %H%M%S %f",
    ),
)
