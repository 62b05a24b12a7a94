"""Tardis.dev's downloadable CSV files.

https://docs.tardis.dev/downloadable-csv-files/data-types: microseconds since 1970 UTC; `timestamp`
is the exchange's, `local_timestamp` that of the arrival; `side` is the taker's, or unknown. Of a
quote without one side its cells are empty. Files are EXCHANGE_KIND_DATE_SYMBOL.csv.gz.
"""

from __future__ import annotations

from typing import Final

from logos.data.importing.record import ForeignLayout, LeftOut
from logos.data.layout import QUOTES, TRADES

_SOURCE: Final = "https://docs.tardis.dev/downloadable-csv-files/data-types"
_KEYS: Final = ("exchange", "symbol", "timestamp", "local_timestamp")
_TRADES: Final = (*_KEYS, "id", "side", "price", "amount")
_QUOTES: Final = (*_KEYS, "ask_amount", "ask_price", "bid_price", "bid_amount")


def _refused(title: str, header: tuple[str, ...], why: str, file_name: str = "") -> ForeignLayout:
    return ForeignLayout(
        name="tardis",
        title=f"Tardis {title}",
        source=_SOURCE,
        kind=QUOTES,
        header=header,
        file_name=file_name,
        name_decides=bool(file_name),
        refused=f"{why}; download the quotes or trades of that day",
    )


LAYOUTS: Final = (
    ForeignLayout(
        name="tardis",
        title="Tardis trades",
        source=_SOURCE,
        kind=TRADES,
        header=_TRADES,
        roles={
            "symbol": "symbol",
            "timestamp": "time",
            "side": "side",
            "price": "price",
            "amount": "size",
        },
        file_name=r"^(?!.*_liquidations_)",
        name_decides=True,
        time_format="epoch",
        note="times are the exchange's",
        left="exchange, time of arrival, the trade's number",
    ),
    _refused("liquidations", _TRADES, "liquidations are not trades", r"_liquidations_"),
    ForeignLayout(
        name="tardis",
        title="Tardis quotes",
        source=_SOURCE,
        kind=QUOTES,
        header=_QUOTES,
        roles={
            "symbol": "symbol",
            "timestamp": "time",
            "bid_price": "bid",
            "ask_price": "ask",
            "bid_amount": "bid_size",
            "ask_amount": "ask_size",
        },
        time_format="epoch",
        left_out=(
            LeftOut("ask_price", "", "without an ask"),
            LeftOut("bid_price", "", "without a bid"),
        ),
        note="times are the exchange's",
        left="exchange, time of arrival",
    ),
    _refused(
        "incremental book",
        (*_KEYS, "is_snapshot", "side", "price", "amount"),
        "changes of an order book, which logos does not read",
    ),
    _refused(
        "book snapshots",
        (*_KEYS, "asks[0].price", "asks[0].amount", "bids[0].price", "bids[0].amount"),
        "snapshots of an order book, which logos does not read",
    ),
    _refused(
        "derivative ticker and options chain",
        (*_KEYS, "open_interest"),
        "figures of contracts, not prices at which was traded",
    ),
)
