"""What the programming interfaces of exchanges give, as people keep it: BitMEX, Coinbase, Bitfinex,
KuCoin, OKX, HTX, Deribit.

https://github.com/ccxt/ccxt/issues/5641: BitMEX stamps its buckets with their close; its archive
writes `2024-01-01D00:00:03.017000000`, in UTC (seen in public copies).
https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-trades: "The
`side` of a trade indicates the maker order side". ccxt, parse_ohlcv of each exchange: Bitfinex and
KuCoin give open, close, high, low; Coinbase gives low, high, open, close; of HTX `amount` counts
the base and `vol` its value; of OKX the last column says whether the candle had closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from logos.data.importing.formats.shapes import (
    EPOCH_MS,
    EPOCH_S,
    NUMBER,
    OHLC,
    OHLCV,
    PRICES,
    not_open_high_low_close,
)
from logos.data.importing.record import ForeignLayout, LeftOut
from logos.data.layout import BARS, QUOTES, TRADES

_CCXT: Final = "https://github.com/ccxt/ccxt, parse_ohlcv of the exchange"
_BITMEX: Final = "https://github.com/ccxt/ccxt/issues/5641; files seen in public copies"
_COINBASE: Final = (
    "https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-trades"
)
_BITMEX_TIME: Final = "%Y-%m-%dD%H:%M:%S.%f"
_COUNTED: Final = "of BitMEX sizes and volumes count contracts, of inverse ones US dollars"


def _is_not_dated(rows: Sequence[Sequence[str]]) -> str:
    """The doubt of BitMEX's archive: a time without the D between date and clock."""
    odd = next((row[0] for row in rows if row[0][10:11] != "D"), "")
    return f"its time is {odd[:40]!r}" if odd else ""


def _has_others(rows: Sequence[Sequence[str]]) -> str:
    """The doubt of Coinbase's trades: more columns than the five that they have."""
    return "" if len(rows[0]) == 5 else "it has other columns besides"


def _candles(
    name: str, title: str, time: str, columns: tuple[str, ...], note: str = ""
) -> ForeignLayout:
    """Arrays in an order of their own, which their form does not tell."""
    return ForeignLayout(
        name=name,
        title=title,
        source=_CCXT,
        kind=BARS,
        row=(time, *(NUMBER,) * (len(columns) - 1)),
        columns=columns,
        time_format="epoch",
        on_request=True,
        note=note,
    )


LAYOUTS: Final = (
    ForeignLayout(
        name="bitmex",
        title="BitMEX buckets",
        source=_BITMEX,
        kind=BARS,
        header=("timestamp", "symbol", *OHLC, "trades", "volume", "vwap", "lastsize", "turnover"),
        roles={"timestamp": "time", "symbol": "symbol", **OHLCV},
        stamp="close",
        note=_COUNTED,
        left="trades, vwap, lastSize, turnover, notionals",
    ),
    ForeignLayout(
        name="bitmex",
        title="BitMEX trades of the archive",
        source=_BITMEX,
        kind=TRADES,
        header=("timestamp", "symbol", "side", "size", "price", "tickdirection"),
        roles={
            "timestamp": "time",
            **{name: name for name in ("symbol", "side", "size", "price")},
        },
        doubt=_is_not_dated,
        time_format=_BITMEX_TIME,
        zone="UTC",
        note=_COUNTED,
        left="tickDirection, trdMatchID, values and notionals",
    ),
    ForeignLayout(
        name="bitmex",
        title="BitMEX quotes of the archive",
        source=_BITMEX,
        kind=QUOTES,
        header=("timestamp", "symbol", "bidsize", "bidprice", "askprice", "asksize"),
        roles={
            "timestamp": "time",
            "symbol": "symbol",
            "bidprice": "bid",
            "askprice": "ask",
            "bidsize": "bid_size",
            "asksize": "ask_size",
        },
        left_out=(
            LeftOut("bidprice", "", "without a bid"),
            LeftOut("askprice", "", "without an ask"),
        ),
        doubt=_is_not_dated,
        time_format=_BITMEX_TIME,
        zone="UTC",
        note=_COUNTED,
    ),
    ForeignLayout(
        name="coinbase",
        title="Coinbase trades",
        source=_COINBASE,
        kind=TRADES,
        header=("trade_id", "side", "size", "price", "time"),
        roles={name: name for name in ("time", "price", "size", "side")},
        doubt=_has_others,
        sides={"buy": "sell", "sell": "buy"},
        note="its side is the maker's, so the taker's is the other one",
        left="the trade's number",
    ),
    _candles(
        "coinbase", "Coinbase candles", EPOCH_S, ("time", "low", "high", "open", "close", "volume")
    ),
    _candles(
        "bitfinex", "Bitfinex candles", EPOCH_MS, ("time", "open", "close", "high", "low", "volume")
    ),
    _candles(
        "kucoin",
        "KuCoin candles",
        EPOCH_S,
        ("time", "open", "close", "high", "low", "volume", "-"),
        "volumes are in the base asset",
    ),
    ForeignLayout(
        name="okx",
        title="OKX candles",
        source=_CCXT,
        kind=BARS,
        row=(EPOCH_MS, *PRICES, NUMBER, NUMBER, NUMBER, "[01]"),
        columns=("time", "open", "high", "low", "close", "volume", "-", "-", "-"),
        time_format="epoch",
        doubt=not_open_high_low_close(1),
        left_out=(LeftOut(8, "0", "of bars that had not closed"),),
        note="volumes are in the base asset, of contracts in contracts",
        left="the other volumes",
    ),
    ForeignLayout(
        name="htx",
        title="HTX (Huobi) candles",
        source=_CCXT,
        kind=BARS,
        header=("id", *OHLC, "amount", "vol", "count"),
        roles={"id": "time", **{name: name for name in OHLC}, "amount": "volume"},
        time_format="epoch",
        note="amount counts units of the base; vol is their value",
        left="vol (the value), count",
    ),
    ForeignLayout(
        name="deribit",
        title="Deribit chart data",
        source="https://docs.deribit.com (public/get_tradingview_chart_data)",
        kind=BARS,
        header=("ticks", *OHLC, "volume", "cost"),
        roles={"ticks": "time", **OHLCV},
        time_format="epoch",
        note="volumes are in the base asset",
        left="cost (the value)",
    ),
)
