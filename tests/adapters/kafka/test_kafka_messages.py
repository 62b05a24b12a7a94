"""Messages of topics: read to the last digit, or refused by name; never guessed at."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from logos.adapters.kafka.messages import market_event, read_market, read_signal, signal_of
from logos.core.instrument import instrument
from logos.core.messages import Bar, Quote, ReceivedSignal, Trade
from logos.core.types import NS_PER_SECOND, SIZE_UNKNOWN
from logos.data.readers.numbers import RowError
from logos.data.signals import request_of
from logos.feeds.common import UnitReader

ACME = instrument("ACME", tick="0.01", lot="0.001", quote="USD")
UNITS = UnitReader(ACME)
NOON = "2026-01-05T12:00:00Z"
NOON_NS = 1_767_614_400 * NS_PER_SECOND

QUOTE = {"kind": "quote", "symbol": "ACME", "timestamp": NOON, "bid": "10.01", "ask": "10.02"}
TRADE = {"kind": "trade", "symbol": "ACME", "timestamp": NOON, "price": "10.02"}
BAR = {
    "kind": "bar", "symbol": "ACME", "opened": NOON, "interval": "1m",
    "open": "10", "high": "11", "low": "9", "close": "10.5",
}  # fmt: skip


def event_of(message: dict[str, Any]) -> tuple[Any, int]:
    return market_event(read_market(json.dumps(message).encode()), UNITS, 7)


def test_a_quote() -> None:
    assert event_of({**QUOTE, "bid_size": "1.5"}) == (
        Quote(7, "ACME", 1001, 1002, 1500, SIZE_UNKNOWN, ACME),
        NOON_NS,
    )


def test_a_trade() -> None:
    assert event_of({**TRADE, "size": "2", "side": "sell"}) == (
        Trade(7, "ACME", 1002, 2000, "SELL", ACME),
        NOON_NS,
    )


def test_a_bar_is_known_at_its_end() -> None:
    assert event_of({**BAR, "volume": "3"}) == (
        Bar(7, "ACME", 60 * NS_PER_SECOND, 1000, 1100, 900, 1050, 3000, ACME),
        NOON_NS + 60 * NS_PER_SECOND,
    )


def test_a_json_number_is_read_to_its_last_digit() -> None:
    value = json.dumps(TRADE).replace('"10.02"', "90071992547409.93").encode()
    event, _ = market_event(read_market(value), UNITS, 7)
    assert isinstance(event, Trade)
    assert event.price_units == 9_007_199_254_740_993  # a double holds ...992


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({**QUOTE, "bids": "1"}, "unknown field"),
        ({**QUOTE, "kind": "qoute"}, "qoute"),
        ({key: value for key, value in QUOTE.items() if key != "kind"}, "kind"),
        ({**QUOTE, "bid": None}, "bid"),
        ({**QUOTE, "bid": "1O"}, "decimal"),
        ({**QUOTE, "bid": "NaN"}, "not finite"),
        ({**QUOTE, "bid": "1E+999999"}, "out of range"),
        ({**QUOTE, "bid": "1E-999999"}, "out of range"),
        ({**QUOTE, "bid": "10.005"}, "not a multiple of the tick"),
        ({**QUOTE, "bid": "0"}, "is not positive"),
        ({**QUOTE, "bid_size": "-1"}, "negative size"),
        ({**QUOTE, "timestamp": "yesterday"}, "yesterday"),
        ({**TRADE, "side": "both"}, "neither buy nor sell"),
        ({**BAR, "interval": "7m"}, "not an interval"),
        ({**BAR, "high": "9.5"}, "open, high, low, close are"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(message: dict[str, Any], words: str) -> None:
    with pytest.raises(RowError) as caught:
        event_of(message)
    assert words in caught.value.detail


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "without a value"),
        (b"", "without a value"),
        (b"{", "truncated"),
        (b"[]", "array"),
        (b"\xff{}", "malformed"),
        (b'{"symbol":"' + b"x" * 70_000 + b'"}', "a message of 70,013 bytes"),
    ],
)
def test_what_is_no_message_is_refused(value: bytes | None, words: str) -> None:
    for read in (read_market, read_signal):
        with pytest.raises(RowError) as caught:
            read(value)
        assert words in caught.value.detail.lower()


def signal(default: Decimal | None = None, /, **fields: Any) -> ReceivedSignal:
    value = json.dumps({"timestamp": NOON, "symbol": "ACME", **fields}).encode()
    made, made_ns = signal_of(read_signal(value), "ACME", default, 7)
    assert made_ns == NOON_NS
    return made


def test_a_signal_is_what_a_row_of_a_signals_file_is() -> None:
    assert signal(side="BUY", quantity="10") == ReceivedSignal(7, "ACME", "side", "BUY", "10")
    assert signal(target=-3) == ReceivedSignal(7, "ACME", "target", "-3")
    assert signal(weight="0.25") == ReceivedSignal(7, "ACME", "weight", "0.25")
    assert signal(Decimal(5), side="LONG") == ReceivedSignal(7, "ACME", "side", "LONG")
    assert request_of(signal(target=-3), None) == request_of(
        ReceivedSignal(0, "ACME", "target", "-3.0"), None
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "a signal has one of side, target and weight"),
        ({"side": "BUY", "target": 1}, "a signal has one of side, target and weight"),
        ({"target": 1, "quantity": 1}, "quantity goes with side: a target is a quantity already"),
        ({"side": "UP"}, "side is one of BUY"),
        ({"side": "LONG"}, "a position of what size?"),
        ({"side": "BUY", "quantity": "0"}, "must be positive"),
        ({"side": "BUY", "size": "1"}, "unknown field"),
        ({"weight": "Infinity"}, "not finite"),
    ],
)
def test_a_signal_that_makes_no_sense_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(RowError) as caught:
        signal(**fields)
    assert words in caught.value.detail
