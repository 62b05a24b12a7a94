"""The one list of venues that real orders may go to."""

from __future__ import annotations

import pytest

from logos.config import make_config
from logos.config.environment import Environment
from logos.config.permission import refusals
from logos.config.proved import unproved

LIMITS = {"max_order_notional": "1", "max_position": "1", "total": {"max_drawdown": "1"}}
SHARE = {"quote": "USD", "tick": "0.01", "lot": "1"}


def why_not(name: str, exchange: str = "", symbol: str = "AAPL", market: str = "") -> str:
    config = make_config(
        {
            "venue": {"name": name, "exchange": exchange, "live": name != "paper"},
            "risk": LIMITS,
            "account": {"balances": {"USD": "1000"}},
            "instruments": {symbol: SHARE},
            "live": {"markets": {symbol: market} if market else {}},
        }
    )
    return unproved(config)


@pytest.mark.parametrize(
    ("name", "exchange"),
    [("paper", ""), ("ccxt", "binance"), ("ccxt", "kraken"), ("alpaca", ""), ("mt5", "")],
)
def test_what_was_proved_may_be_traded_at(name: str, exchange: str) -> None:
    assert why_not(name, exchange) == ""


@pytest.mark.parametrize("exchange", ["bitstamp", "binanceus", "binanceusdm", "htx", "x"])
def test_no_other_exchange_may(exchange: str) -> None:
    assert f"the exchange {exchange!r} has not been proved" in why_not("ccxt", exchange)


@pytest.mark.parametrize(("symbol", "market"), [("BTC/USD", ""), ("BTCUSD", "BTC/USD")])
def test_coins_against_dollars_may_at_alpaca(symbol: str, market: str) -> None:
    assert why_not("alpaca", "", symbol, market) == ""


@pytest.mark.parametrize(("symbol", "market"), [("ETH/BTC", ""), ("ETHBTC", "ETH/BTC")])
def test_coins_against_coins_may_not(symbol: str, market: str) -> None:
    assert "coins against coins at Alpaca (ETH/BTC)" in why_not("alpaca", "", symbol, market)


def test_the_permission_to_send_orders_says_it_beside_what_else_is_missing() -> None:
    tables = {"venue": {"name": "ccxt", "exchange": "htx", "live": True}, "risk": LIMITS}
    refused, no_keys = refusals(make_config(tables), Environment.read({}))
    assert refused.startswith("venue: the exchange 'htx' has not been proved")
    assert "no sandbox keys" in no_keys
