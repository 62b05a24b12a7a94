"""HistData.com: generic ASCII, MetaTrader, NinjaTrader and MetaStock.

https://www.histdata.com/f-a-q/data-files-detailed-specification/ has an example of each, and for
all of them: "Eastern Standard Time (EST) time-zone WITHOUT Day Light Savings adjustments". Bars are
of bid quotes. The column of volumes is always 0, for the vendor has none: it is left out, and
volumes are unknown. Files are DAT_PROGRAM_PAIR_KIND_PERIOD.csv.
"""

from __future__ import annotations

from typing import Final

from logos.data.importing.formats.shapes import NUMBER, PRICES
from logos.data.importing.record import ForeignLayout
from logos.data.layout import BARS, QUOTES, TRADES

_SOURCE: Final = (
    "https://www.histdata.com/f-a-q/data-files-detailed-specification/;"
    " https://github.com/dmidlo/histdata.com-tools (histdata.com_data_specs.md)"
)
_EST: Final = "-05:00"
_STAMP: Final = r"[0-9]{8} [0-9]{6}"
_CLOCK: Final = "times are Eastern Standard Time the whole year, without daylight saving"
_ZEROS: Final = "the column of volumes, which is always 0"
_BIDS: Final = f"{_CLOCK}; prices are bids; there are no volumes"

LAYOUTS: Final = (
    ForeignLayout(
        name="histdata-m1",
        title="HistData minutes, generic ASCII and NinjaTrader",
        source=_SOURCE,
        kind=BARS,
        row=(_STAMP, *PRICES, NUMBER),
        separator=";",
        file_name=r"DAT_(?:ASCII|NT)_(?P<symbol>[A-Z0-9]+)_M1_",
        on_request=True,  # NinjaTrader's own files have this form, and another clock
        columns=("time", "open", "high", "low", "close", "-"),
        time_format="%Y%m%d %H%M%S",
        zone=_EST,
        interval="1m",
        note=_BIDS,
        left=_ZEROS,
    ),
    ForeignLayout(
        name="histdata-mt",
        title="HistData minutes, MetaTrader",
        source=_SOURCE,
        kind=BARS,
        row=(r"[0-9]{4}\.[0-9]{2}\.[0-9]{2}", r"[0-9]{2}:[0-9]{2}", *PRICES, NUMBER),
        file_name=r"^DAT_MT_(?P<symbol>[A-Z0-9]+)_M1_",
        name_decides=True,
        columns=("date", "clock", "open", "high", "low", "close", "-"),
        time_format="%Y.%m.%d %H:%M",
        zone=_EST,
        interval="1m",
        note=_BIDS,
        left=_ZEROS,
    ),
    ForeignLayout(
        name="histdata-ms",
        title="HistData minutes, MetaStock",
        source=_SOURCE,
        kind=BARS,
        row=(r"[A-Z0-9]{3,10}", r"[0-9]{12}", *PRICES, NUMBER),
        columns=("symbol", "time", "open", "high", "low", "close", "-"),
        file_name=r"^DAT_MS_(?P<pair>[A-Z0-9]+)_M1_",
        name_decides=True,
        time_format="%Y%m%d%H%M",
        zone=_EST,
        interval="1m",
        note=_BIDS,
        left=_ZEROS,
    ),
    ForeignLayout(
        name="histdata-tick",
        title="HistData ticks, generic ASCII",
        source=_SOURCE,
        kind=QUOTES,
        row=(r"[0-9]{8} [0-9]{9}", NUMBER, NUMBER, NUMBER),
        separator=",",
        file_name=r"DAT_ASCII_(?P<symbol>[A-Z0-9]+)_T_?",
        columns=("time", "bid", "ask", "-"),
        time_format="%Y%m%d %H%M%S%3",
        zone=_EST,
        note=f"{_CLOCK}; there are no sizes",
        left=_ZEROS,
    ),
    ForeignLayout(
        name="histdata-nt",
        title="HistData ticks, NinjaTrader, last quotes",
        source=_SOURCE,
        kind=TRADES,
        row=(_STAMP, NUMBER, NUMBER),
        separator=";",
        file_name=r"^DAT_NT_(?P<symbol>[A-Z0-9]+)_T_LAST_",
        name_decides=True,
        columns=("time", "price", "-"),
        time_format="%Y%m%d %H%M%S",
        zone=_EST,
        note=f"{_CLOCK}; last quotes by the second, whose sizes are unknown",
        left=_ZEROS,
    ),
    ForeignLayout(
        name="histdata-nt",
        title="HistData ticks, NinjaTrader, one side",
        source=_SOURCE,
        kind=QUOTES,
        row=(_STAMP, NUMBER, NUMBER),
        separator=";",
        file_name=r"^DAT_NT_(?P<symbol>[A-Z0-9]+)_T_(?P<half>BID|ASK)_",
        name_decides=True,
        refused="bids or asks alone, by the second; import DAT_ASCII_PAIR_T_PERIOD.csv of the same"
        " vendor, which has both and milliseconds",
    ),
)
