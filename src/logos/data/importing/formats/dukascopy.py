"""Dukascopy: its web export, JForex' export, and the tables of dukascopy-node.

Headers and rows are seen in public copies of the exports: `Gmt time` is UTC, `Local time` has its
offset (GMT+0900), `Time (EET)` is the clock of Athens, with daylight saving. Files of bars are of
one side, and their name says which. https://github.com/Leo4815162342/dukascopy-node: milliseconds
since 1970 UTC, `timestamp,open,high,low,close,volume`, and of ticks
`timestamp,askPrice,bidPrice,askVolume,bidVolume`. Volumes are in the unit chosen at the download.
"""

from __future__ import annotations

from typing import Final

from logos.data.importing.formats.shapes import OHLC, OHLCV
from logos.data.importing.record import ForeignLayout
from logos.data.layout import BARS, QUOTES

_SOURCE: Final = "https://www.dukascopy.com/swiss/english/marketwatch/historical/; public copies"
_NODE: Final = "https://github.com/Leo4815162342/dukascopy-node"
_UNIT: Final = "volumes are in the unit that was chosen at the download"
_ONE_SIDE: Final = (
    "prices are of the side that the file's name says (bid or ask) alone, so the spread is not in"
    f" them; {_UNIT}"
)
_NAME: Final = (
    r"^(?P<symbol>[A-Za-z0-9.-]+)_(?:Candlestick_)?[0-9]+[ _][A-Za-z]+_(?P<half>(?i:bid|ask))"
)
_NODE_INTERVALS: Final = {
    "s1": "1s",
    "m1": "1m",
    "m5": "5m",
    "m15": "15m",
    "m30": "30m",
    "h1": "1h",
    "h4": "4h",
    "d1": "1d",
    "mn1": "1mo",
}
_CLOCKS: Final = (
    ("gmt time", "UTC", ""),
    ("time (utc)", "UTC", ""),
    ("local time", "", ""),
    ("time (eet)", "Europe/Athens", "%Y.%m.%d %H:%M:%S"),
)


def _bars(header: str, zone: str, time_format: str) -> ForeignLayout:
    return ForeignLayout(
        name="dukascopy",
        title=f"Dukascopy bars by {header}",
        source=_SOURCE,
        kind=BARS,
        header=(header, *OHLC),
        roles={header: "time", **OHLCV},
        file_name=_NAME,
        time_format=time_format,
        zone=zone,
        note=_ONE_SIDE,
    )


def _ticks(header: str, zone: str, time_format: str) -> ForeignLayout:
    return ForeignLayout(
        name="dukascopy",
        title=f"Dukascopy ticks by {header}",
        source=_SOURCE,
        kind=QUOTES,
        header=(header, "ask", "bid"),
        roles={
            header: "time",
            "bid": "bid",
            "ask": "ask",
            "bidvolume": "bid_size",
            "askvolume": "ask_size",
            "bid volume": "bid_size",
            "ask volume": "ask_size",
        },
        file_name=r"^(?P<symbol>[A-Za-z0-9.-]+)_Ticks_",
        time_format=time_format,
        zone=zone,
        floats=True,
        note=_UNIT,
    )


LAYOUTS: Final = (
    *(_bars(*clock) for clock in _CLOCKS),
    *(_ticks(*clock) for clock in _CLOCKS),
    ForeignLayout(
        name="dukascopy-node",
        title="dukascopy-node bars",
        source=_NODE,
        kind=BARS,
        header=("timestamp", *OHLC),
        roles={"timestamp": "time", **OHLCV},
        file_name=r"^(?P<symbol>[a-z0-9]+)-(?P<interval>s1|mn1|m1|m5|m15|m30|h1|h4|d1)"
        r"-(?P<half>bid|ask)",
        name_decides=True,
        upper=True,
        intervals=_NODE_INTERVALS,
        note=_ONE_SIDE,
    ),
    ForeignLayout(
        name="dukascopy-node",
        title="dukascopy-node ticks",
        source=_NODE,
        kind=QUOTES,
        header=("timestamp", "askprice", "bidprice"),
        absent=("symbol",),
        roles={
            "timestamp": "time",
            "bidprice": "bid",
            "askprice": "ask",
            "bidvolume": "bid_size",
            "askvolume": "ask_size",
        },
        file_name=r"^(?P<symbol>[a-z0-9]+)-tick-",
        upper=True,
        note=_UNIT,
    ),
)
