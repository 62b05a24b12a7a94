"""All layouts that are known, as records."""

from __future__ import annotations

from typing import Final

from logos.data.importing.record import ForeignLayout
from logos.data.layout import BARS, QUOTE_BARS, QUOTES

_NUMBER: Final = r"[0-9.eE+-]+"
_LEAN_BAR: Final = ("open", "high", "low", "close", "volume")
_LEAN_PAIR: Final = tuple(f"{side}_{name}" for side in ("bid", "ask") for name in _LEAN_BAR)
_LEAN: Final = "QuantConnect/Lean, Data/ readme files of each asset class"

LAYOUTS: Final[tuple[ForeignLayout, ...]] = (
    ForeignLayout(
        name="binance",
        title="Binance klines",
        source="binance/binance-public-data, README.md, Klines",
        kind=BARS,
        row=(r"[0-9]{13}|[0-9]{16}", *[_NUMBER] * 5, r"[0-9]{13}|[0-9]{16}", *[_NUMBER] * 5),
        optional_header=True,
        separator=",",
        file_name=r"(?P<symbol>[A-Z0-9]+(?:_PERP|_[0-9]{6})?)-(?P<interval>[0-9]+(?:s|m|h|d|w|mo))-",
        columns=(
            *("time", "open", "high", "low", "close", "volume", "close_time"),
            *("-", "-", "-", "-", "-"),
        ),
        time_format="epoch",
        zone="UTC",
        left="quote volume, number of trades, taker volumes",
    ),
    ForeignLayout(
        name="histdata-m1",
        title="HistData generic ASCII minutes",
        source="histdata.com, Files detailed specification (EST without daylight saving)",
        kind=BARS,
        row=(r"[0-9]{8} [0-9]{6}", *[_NUMBER] * 5),
        separator=";",
        columns=("time", "open", "high", "low", "close", "volume"),
        file_name=r"DAT_ASCII_(?P<symbol>[A-Z0-9]+)_M1_",
        time_format="%Y%m%d %H%M%S",
        zone="-05:00",
        interval="1m",
    ),
    ForeignLayout(
        name="histdata-tick",
        title="HistData generic ASCII ticks",
        source="histdata.com, Files detailed specification (EST without daylight saving)",
        kind=QUOTES,
        row=(r"[0-9]{8} [0-9]{9}", _NUMBER, _NUMBER, "0"),
        separator=",",
        columns=("time", "bid", "ask", "-"),
        file_name=r"DAT_ASCII_(?P<symbol>[A-Z0-9]+)_T_?",
        time_format="%Y%m%d %H%M%S%3",
        zone="-05:00",
        left="the fourth column, which is always 0",
    ),
    ForeignLayout(
        name="lean",
        title="Lean trade bars of a day",
        source=_LEAN,
        kind=BARS,
        row=(r"[0-9]{1,8}", *["[0-9.]+"] * 5),
        separator=",",
        columns=("time", *_LEAN_BAR),
        file_name=r"(?P<day>[0-9]{8})_",
        name_decides=True,
        time_format="midnight-ms",
        interval="1m",
        asset_class=True,
    ),
    ForeignLayout(
        name="lean",
        title="Lean quote bars of a day",
        source=_LEAN,
        kind=QUOTE_BARS,
        row=(r"[0-9]{1,8}", *["[0-9.]*"] * 10),
        separator=",",
        columns=("time", *_LEAN_PAIR),
        file_name=r"(?P<day>[0-9]{8})_",
        name_decides=True,
        time_format="midnight-ms",
        interval="1m",
        asset_class=True,
    ),
    ForeignLayout(
        name="lean",
        title="Lean daily trade bars",
        source=_LEAN,
        kind=BARS,
        row=(r"[0-9]{8} 00:00", *["[0-9.]+"] * 5),
        separator=",",
        columns=("time", *_LEAN_BAR),
        time_format="%Y%m%d %H:%M",
        zone="UTC",
        interval="1d",
        asset_class=True,
        note="a daily bar is stamped with midnight of its trading date",
    ),
)
