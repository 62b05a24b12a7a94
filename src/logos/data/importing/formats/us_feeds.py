"""Polygon's (Massive's) flat files and Databento's CSV.

https://massive.com/docs/flat-files: one gz a day with all tickers, nanoseconds since 1970 UTC;
`window_start` is a bar's open; https://massive.com/knowledge-base: cancelled and corrected trades
stay in the files, marked in `correction`; a quote without one side has a price of 0 there; sizes of
quotes are as the feed reports them. https://databento.com/docs/schemas: prices are whole numbers of
1e-9 and times nanoseconds, unless "pretty" was asked for; `ts_event` is a bar's open; a price of
9223372036854775807 is none; the side of a trade is the taker's (A: seller, B: buyer, N: unknown);
`rtype` 32 to 35 are bars of a second, a minute, an hour, a day.
"""

from __future__ import annotations

from typing import Final

from logos.data.importing.formats.shapes import OHLC, OHLCV
from logos.data.importing.record import ForeignLayout, LeftOut
from logos.data.layout import BARS, QUOTES, TRADES

_POLYGON: Final = "https://massive.com/docs/flat-files (minute and day aggregates, trades, quotes)"
_DATABENTO: Final = "https://databento.com/docs/schemas/ohlcv, /trades, /mbp-1"
_AGGREGATES: Final = ("ticker", "volume", "open", "close", "high", "low", "window_start")
_ZERO: Final = r"0*(\.0*)?"
_SYMBOL: Final = {"symbol": "symbol", "instrument_id": "symbol"}
_NONE: Final = "9223372036854775807"
_FIXED: Final = "whole prices are counts of 1e-9"


def _aggregates(title: str, interval: str, path: str) -> ForeignLayout:
    return ForeignLayout(
        name="polygon",
        title=f"Polygon {title}",
        source=_POLYGON,
        kind=BARS,
        header=_AGGREGATES,
        roles={"ticker": "symbol", "window_start": "time", **OHLCV},
        path=path,
        interval=interval,
        time_format="epoch",
        left="transactions",
    )


LAYOUTS: Final = (
    _aggregates("minute aggregates", "1m", r"minute_aggs"),
    _aggregates("day aggregates", "1d", r"day_aggs"),
    _aggregates("aggregates", "", r"^(?!.*(?:minute|day)_aggs)"),
    ForeignLayout(
        name="polygon",
        title="Polygon trades",
        source=_POLYGON,
        kind=TRADES,
        header=("ticker", "conditions", "price", "sip_timestamp", "size"),
        roles={"ticker": "symbol", "sip_timestamp": "time", "price": "price", "size": "size"},
        left_out=(LeftOut("correction", r"0*[1-9][0-9]*", "corrected or cancelled"),),
        time_format="epoch",
        note="times are those of the SIP; the taker's side is not in these files",
        left="conditions, exchange, numbers, the other times",
    ),
    ForeignLayout(
        name="polygon",
        title="Polygon quotes",
        source=_POLYGON,
        kind=QUOTES,
        header=("ticker", "ask_price", "ask_size", "bid_price", "bid_size", "sip_timestamp"),
        roles={
            "ticker": "symbol",
            "sip_timestamp": "time",
            "bid_price": "bid",
            "ask_price": "ask",
            "bid_size": "bid_size",
            "ask_size": "ask_size",
        },
        left_out=(
            LeftOut("ask_price", _ZERO, "without an ask"),
            LeftOut("bid_price", _ZERO, "without a bid"),
        ),
        time_format="epoch",
        note="times are those of the SIP; sizes are as reported (until 2025 in round lots)",
        left="exchanges, conditions, indicators, numbers, the other times",
    ),
    ForeignLayout(
        name="databento",
        title="Databento bars",
        source=_DATABENTO,
        kind=BARS,
        header=("ts_event", "rtype", "publisher_id", "instrument_id", *OHLC, "volume"),
        roles={"ts_event": "time", **_SYMBOL, **OHLCV},
        shift_whole=9,
        left_out=(LeftOut("open", _NONE, "without a price"),),
        note=_FIXED,
        left="rtype, publisher_id, instrument_id",
    ),
    ForeignLayout(
        name="databento",
        title="Databento trades",
        source=_DATABENTO,
        kind=TRADES,
        header=("ts_event", "rtype", "publisher_id", "action", "side", "price", "size", "depth"),
        absent=("bid_px_00", "bid_px_01"),
        roles={
            "ts_event": "time",
            **_SYMBOL,
            "price": "price",
            "size": "size",
            "side": "side",
        },
        sides={"a": "sell", "b": "buy", "n": ""},
        shift_whole=9,
        left_out=(LeftOut("action", r"[^T]", "that are no trades"),),
        note=f"{_FIXED}; times are the exchange's (ts_event)",
        left="the time of arrival, flags, numbers",
    ),
    ForeignLayout(
        name="databento",
        title="Databento top of the book (mbp-1 and tbbo)",
        source=_DATABENTO,
        kind=QUOTES,
        header=("ts_event", "publisher_id", "bid_px_00", "ask_px_00", "bid_sz_00", "ask_sz_00"),
        absent=("bid_px_01",),
        roles={
            "ts_event": "time",
            **_SYMBOL,
            "bid_px_00": "bid",
            "ask_px_00": "ask",
            "bid_sz_00": "bid_size",
            "ask_sz_00": "ask_size",
        },
        shift_whole=9,
        left_out=(
            LeftOut("ask_px_00", rf"{_NONE}|", "without an ask"),
            LeftOut("bid_px_00", rf"{_NONE}|", "without a bid"),
        ),
        note=f"{_FIXED}; times are the exchange's (ts_event)",
        left="what happened (action, side, price, size), the time of arrival, flags, numbers",
    ),
    ForeignLayout(
        name="databento",
        title="Databento order books (mbp-10)",
        source=_DATABENTO,
        kind=QUOTES,
        header=("ts_event", "publisher_id", "bid_px_01"),
        refused="an order book, which logos does not read; ask for the schema mbp-1, trades or"
        " ohlcv-1m",
    ),
    ForeignLayout(
        name="databento",
        title="Databento orders (mbo)",
        source=_DATABENTO,
        kind=QUOTES,
        header=("ts_event", "publisher_id", "order_id", "action"),
        refused="orders of an order book, which logos does not read; ask for the schema mbp-1,"
        " trades or ohlcv-1m",
    ),
)
