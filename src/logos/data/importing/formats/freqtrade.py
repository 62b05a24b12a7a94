"""What `freqtrade download-data` keeps: JSON arrays, and Feather files of the same columns.

https://www.freqtrade.io/en/latest/data-download/ and freqtrade/data/history/datahandlers: files
are PAIR-TIMEFRAME.ext of spot and PAIR-TIMEFRAME-KIND.ext of contracts, `/` and `:` of the pair
written as `_`; KIND is futures, mark, index, premiumIndex or funding_rate. Trades are
PAIR-trades.ext: timestamp, id, type, side, price, amount, cost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from logos.data.importing.formats.shapes import EPOCH_MS, NUMBER, PRICES, not_open_high_low_close
from logos.data.importing.record import ForeignLayout
from logos.data.layout import BARS, TRADES

_SOURCE: Final = "https://www.freqtrade.io/en/latest/data-download/; freqtrade/data/history"
_TIMEFRAME: Final = r"-(?P<interval>[0-9]{1,2}[smhdwM])"
_SPOT: Final = r"^(?P<base>[A-Z0-9]+)_(?P<quote>[A-Z0-9]+)"
_CONTRACT: Final = _SPOT + r"_(?P<settle>[A-Z0-9]+)"
_END: Final = r"\.(?:json|feather|parquet|gz)"
_ROW: Final = (EPOCH_MS, *PRICES, NUMBER)
_COLUMNS: Final = ("time", "open", "high", "low", "close", "volume")
_HEADER: Final = ("date", "open", "high", "low", "close", "volume")
_ROLES: Final = dict(zip(_HEADER, _COLUMNS, strict=True))
_TRADE_HEADER: Final = ("timestamp", "id", "type", "side", "price", "amount", "cost")
_TRADE_ROLES: Final = {"timestamp": "time", "side": "side", "price": "price", "amount": "size"}
_NOT_TRADED: Final = (
    "these are not prices at which was traded; import the file of candles (PAIR-TIMEFRAME, or"
    " PAIR-TIMEFRAME-futures)"
)


def _candles(title: str, file_name: str, symbol: str, refused: str = "") -> list[ForeignLayout]:
    """The same candles as arrays and as a table."""
    arrays = ForeignLayout(
        name="freqtrade",
        title=f"freqtrade {title}, arrays",
        source=_SOURCE,
        kind=BARS,
        row=_ROW,
        columns=_COLUMNS,
        file_name=file_name,
        name_decides=True,
        symbol=symbol,
        time_format="epoch",
        intervals={"1M": "1mo"},
        doubt=None if refused else not_open_high_low_close(1),
        refused=refused,
    )
    table = ForeignLayout(
        name="freqtrade",
        title=f"freqtrade {title}, Feather",
        source=_SOURCE,
        kind=BARS,
        header=_HEADER,
        roles=_ROLES,
        file_name=file_name,
        name_decides=True,
        symbol=symbol,
        intervals={"1M": "1mo"},
        refused=refused,
    )
    return [arrays, table]


def _trades(title: str, file_name: str, symbol: str) -> list[ForeignLayout]:
    """The same trades as arrays and as a table."""
    arrays = ForeignLayout(
        name="freqtrade",
        title=f"freqtrade {title}, arrays",
        source=_SOURCE,
        kind=TRADES,
        row=(EPOCH_MS, r".*", r".*", r"(?i:buy|sell)", NUMBER, NUMBER, r".*"),
        columns=("time", "-", "-", "side", "price", "size", "-"),
        file_name=file_name,
        name_decides=True,
        symbol=symbol,
        time_format="epoch",
        left="the trade's number, its type and its value",
    )
    table = replace(
        arrays,
        title=f"freqtrade {title}, Feather",
        row=(),
        columns=(),
        header=_TRADE_HEADER,
        roles=_TRADE_ROLES,
    )
    return [arrays, table]


LAYOUTS: Final = (
    *_candles("candles of spot", _SPOT + _TIMEFRAME + _END, "{base}/{quote}"),
    *_candles(
        "candles of contracts",
        _CONTRACT + _TIMEFRAME + "-futures" + _END,
        "{base}/{quote}:{settle}",
    ),
    *_candles(
        "rates of funding, and mark and index prices",
        _CONTRACT + _TIMEFRAME + "-(?:funding_rate|mark|index|premiumIndex)" + _END,
        "{base}/{quote}:{settle}",
        f"rates of funding, mark or index prices: {_NOT_TRADED}",
    ),
    *_trades("trades of spot", _SPOT + "-trades" + _END, "{base}/{quote}"),
    *_trades("trades of contracts", _CONTRACT + "-trades" + _END, "{base}/{quote}:{settle}"),
)
