"""What a message of a topic says: one JSON object, read strictly.

    {"kind":"quote","symbol":"ACME","timestamp":"2026-01-05T13:30:00.5Z",
     "bid":"10.01","ask":"10.02","bid_size":"5","ask_size":"7"}
    {"kind":"trade","symbol":"ACME","timestamp":"...","price":"10.02","size":"5","side":"buy"}
    {"kind":"bar","symbol":"ACME","opened":"...","interval":"1m",
     "open":"10","high":"11","low":"9","close":"10.5","volume":"1000"}

    {"timestamp":"...","symbol":"ACME","side":"BUY","quantity":"10"}

The last is a signal, which may have `target` or `weight` in place of `side` (`logos.data.signals`).

Prices and sizes are decimal text or JSON numbers, which are read to their last digit. A key that is
not known, a value of another type or a price off the tick is a RowError: such a message is left
out, counted and told, never guessed at.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from logos.core.messages import Bar, Quote, ReceivedSignal, Trade
from logos.data.defects import BAD_NUMBER, NOT_A_NUMBER
from logos.data.readers.numbers import RowError, parse_timestamp
from logos.data.signals import request_of
from logos.data.source import interval_from_text
from logos.errors import DataError
from logos.feeds.common import UnitReader
from logos.feeds.sequence import RawBar, RawTrade

BAD_MESSAGE: Final = "bad_message"
UNKNOWN_SYMBOL: Final = "unknown_symbol"

MESSAGE_BYTES_MAX: Final = 65_536
_DIGITS_MAX: Final = 60

_M = TypeVar("_M")


class QuoteMessage(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="quote", tag_field="kind"
):
    """The best bid and ask; sizes may be left out."""

    symbol: str
    timestamp: str
    bid: Decimal
    ask: Decimal
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None


class TradeMessage(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="trade", tag_field="kind"
):
    """One print; `side` is that of the aggressor: buy, sell or empty."""

    symbol: str
    timestamp: str
    price: Decimal
    size: Decimal | None = None
    side: str = ""


class BarMessage(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="bar", tag_field="kind"
):
    """A closed bar, by when it opened and how long it is: 1m, 5m, 15m, 30m, 1h, 4h or 1d."""

    symbol: str
    opened: str
    interval: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None = None


class SignalMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of side, target and weight; `quantity` goes with a side."""

    timestamp: str
    symbol: str
    side: str | None = None
    target: Decimal | None = None
    weight: Decimal | None = None
    quantity: Decimal | None = None


MarketMessage = QuoteMessage | TradeMessage | BarMessage

_MARKET: Final = msgspec.json.Decoder(MarketMessage)
_SIGNAL: Final = msgspec.json.Decoder(SignalMessage)


def read_market(value: bytes | None) -> MarketMessage:
    """The message of a topic of market data. Raises RowError."""
    message: MarketMessage = _decode(value, _MARKET)
    return message


def read_signal(value: bytes | None) -> SignalMessage:
    """The message of a topic of signals. Raises RowError."""
    return _decode(value, _SIGNAL)


def _decode(value: bytes | None, decoder: msgspec.json.Decoder[_M]) -> _M:
    if not value:
        raise RowError(BAD_MESSAGE, "a message without a value")
    if len(value) > MESSAGE_BYTES_MAX:
        raise RowError(BAD_MESSAGE, f"a message of {len(value):,} bytes")
    try:
        return decoder.decode(value)
    except ValueError as error:  # what msgspec and the decoding of text raise are such
        raise RowError(BAD_MESSAGE, str(error)) from None


def market_event(
    message: MarketMessage, units: UnitReader, ts_ns: int
) -> tuple[Quote | Trade | Bar, int]:
    """The event, received at `ts_ns`, and when its source says that it happened; of a bar, its end.

    Raises RowError.
    """
    if isinstance(message, QuoteMessage):
        prices = _text(message.bid), _text(message.ask)
        sizes = _text(message.bid_size), _text(message.ask_size)
        return units.quote(*prices, *sizes, ts_ns), parse_timestamp(message.timestamp)
    if isinstance(message, TradeMessage):
        event_ns = parse_timestamp(message.timestamp)
        price, size = _text(message.price), _text(message.size)
        return units.trade(RawTrade("", event_ns, price, size, message.side), ts_ns), event_ns
    try:
        interval_ns = interval_from_text(message.interval)
    except DataError as error:
        raise RowError(BAD_MESSAGE, str(error)) from None
    opened_ns = parse_timestamp(message.opened)
    figures = (message.open, message.high, message.low, message.close, message.volume)
    raw = RawBar(opened_ns, *(_text(figure) for figure in figures))
    return units.bar(raw, interval_ns, ts_ns), opened_ns + interval_ns


def signal_of(
    message: SignalMessage, symbol: str, quantity: Decimal | None, ts_ns: int
) -> tuple[ReceivedSignal, int]:
    """The signal for `symbol`, received at `ts_ns`, and its maker's time.

    `quantity` is for sides that name none. Raises RowError.
    """
    wishes = [
        (name, value)
        for name in ("side", "target", "weight")
        if (value := getattr(message, name)) is not None
    ]
    if len(wishes) != 1:
        raise RowError(BAD_MESSAGE, "a signal has one of side, target and weight")
    [(wish, value)] = wishes
    if message.quantity is not None and wish != "side":
        raise RowError(BAD_MESSAGE, f"quantity goes with side: a {wish} is a quantity already")
    words = value if isinstance(value, str) else _text(value) or ""
    signal = ReceivedSignal(ts_ns, symbol, wish, words, _text(message.quantity) or "")
    try:
        request_of(signal, quantity)
    except ValueError as error:
        raise RowError(BAD_MESSAGE, str(error)) from None
    return signal, parse_timestamp(message.timestamp)


def _text(figure: Decimal | None) -> str | None:
    """A figure as plain decimal text. Raises RowError for one that is none, or has no end."""
    if figure is None:
        return None
    if not figure.is_finite():
        raise RowError(NOT_A_NUMBER, f"not finite: {figure}")
    if not figure:
        return "0"
    exponent = figure.as_tuple().exponent
    assert isinstance(exponent, int)  # it is finite
    if figure.adjusted() > _DIGITS_MAX or exponent < -_DIGITS_MAX:
        raise RowError(BAD_NUMBER, f"out of range: {figure!s:.40}")
    return f"{figure:f}"
