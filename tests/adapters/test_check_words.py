"""The dry runs of ccxt and Alpaca, line by line and word for word."""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import asyncio
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import ccxt.async_support as library
import pytest
from venue_tools import bitcoin, broker_desk, coin, share

from logos.adapters.alpaca import check as alpaca
from logos.adapters.ccxt import check as ccxt
from logos.config.proved import EXCHANGES
from logos.core.instrument import instrument
from logos.venues.contract import CheckLine, Refused, Unavailable
from logos.venues.rules import MarketRules, clock_line, compare_rules, names_lines

MS = 1_000_000

Line = tuple[str, bool, str]


def plain(lines: list[CheckLine]) -> list[Line]:
    return [(line.name, line.is_ok, line.detail) for line in lines]


# ---- what both share ----


@pytest.mark.parametrize(
    ("tick", "theirs", "line"),
    [
        ("0.01", "0.01", ("A tick", True, "0.01")),
        ("0.010", "0.01", ("A tick", True, "0.01")),
        ("0.01", "0.05", ("A tick", False,
                          'session 0.01, venue 0.05: set instruments.A.tick = "0.05"')),
        ("100", "100", ("A tick", True, "100")),
        ("100", "10", ("A tick", False, 'session 100, venue 10: set instruments.A.tick = "10"')),
        ("1", "0.50", ("A tick", False, 'session 1, venue 0.5: set instruments.A.tick = "0.5"')),
        ("0.01", None, ("A tick", True, "0.01; the venue says none")),
    ],
)  # fmt: skip
def test_a_rule_is_compared_in_plain_figures(tick: str, theirs: Any, line: Line) -> None:
    rules = MarketRules(tick=None if theirs is None else Decimal(theirs))
    made = instrument("A", tick=tick, lot="1", quote="USD")
    assert plain(compare_rules(made, rules))[0] == line


def test_a_minimum_of_one_s_own_may_be_higher_and_not_lower() -> None:
    made = instrument("A", tick="1", lot="1", quote="USD", min_quantity="5", min_notional="5")
    lower = MarketRules(min_quantity=Decimal(3), min_notional=Decimal(5))
    assert plain(compare_rules(made, lower))[2:] == [
        ("A min_quantity", True, "5, venue 3"),
        ("A min_notional", True, "5"),
    ]
    higher = MarketRules(lot=Decimal(2), min_quantity=Decimal(6))
    assert plain(compare_rules(made, higher))[1:3] == [
        ("A lot", False, 'session 1, venue 2: set instruments.A.lot = "2"'),
        ("A min_quantity", False, 'session 5, venue 6: set instruments.A.min_quantity = "6"'),
    ]


def test_names_that_differ_are_told() -> None:
    made = instrument("A", tick="1", lot="1", quote="USD", base="ABC")
    assert plain(names_lines(made, "ABC", "USD")) == []
    assert plain(names_lines(made, "XYZ", "EUR")) == [
        ("A base", False, 'session ABC, venue XYZ: set instruments.A.base = "XYZ"'),
        ("A quote", False, 'session USD, venue EUR: set instruments.A.quote = "EUR"'),
    ]


@pytest.mark.parametrize(
    ("before_ms", "venue_ms", "after_ms", "is_ok", "words"),
    [
        (1000, 1100, 1200, True, "the venue's clock is +0 ms from ours (give or take 100 ms)"),
        (1000, 2100, 1000, False,
         "the venue's clock is +1100 ms from ours (give or take 0 ms); at most 1000 ms: set this "
         "machine's clock"),
        (1000, 2000, 1000, True, "the venue's clock is +1000 ms from ours (give or take 0 ms)"),
        (2000, 999, 2000, False,
         "the venue's clock is -1001 ms from ours (give or take 0 ms); at most 1000 ms: set this "
         "machine's clock"),
        (1000, 2300, 1400, True, "the venue's clock is +1100 ms from ours (give or take 200 ms)"),
    ],
)  # fmt: skip
def test_clocks_are_compared_with_what_the_question_took(
    before_ms: int, venue_ms: int, after_ms: int, is_ok: bool, words: str
) -> None:
    line = clock_line(before_ms * MS, venue_ms * MS, after_ms * MS, 1000 * MS)
    assert (line.name, line.is_ok, line.detail) == ("clock", is_ok, words)


# ---- ccxt ----


def test_what_an_exchange_says_of_itself() -> None:
    assert plain([ccxt.time_line(0, "noon", 0, MS)]) == [
        ("clock", False, "the exchange's time cannot be read")
    ]
    assert plain([ccxt.time_line(1000 * MS, 1000, 1000 * MS, MS)]) == [
        ("clock", True, "the venue's clock is +0 ms from ours (give or take 0 ms)")
    ]
    odd = SimpleNamespace(id="odd", urls={"api": {"private": "https://x.odd"}}, has={})
    assert plain(ccxt.environment_lines(odd, False))[-1] == (
        "adapter", False, "the exchange 'odd' has not been proved: real orders, a sandbox's "
        f"included, go to spot at {', '.join(EXCHANGES)} (ccxt), shares and coins against "
        "USD at Alpaca, and the terminal of `logos mt5-sim` only; trade it on paper "
        "(venue.name = 'paper')",
    )  # fmt: skip
    assert plain(ccxt.environment_lines(odd, True))[-1][:2] == ("adapter", False)
    wanting = SimpleNamespace(
        requiredCredentials={"apiKey": True, "secret": True, "uid": False}, apiKey="k", secret="",
        uid="",
    )  # fmt: skip
    assert ccxt.missing_credentials(wanting) == ["secret"]


@pytest.mark.parametrize(
    ("info", "line"),
    [
        ({"canTrade": True}, ("permissions", True, "may trade")),
        ({"canTrade": False},
         ("permissions", False, "may not trade: enable spot trading for this key")),
        ({}, ("permissions", True, "the exchange does not say whether this key may trade")),
        (None, ("permissions", True, "the exchange does not say whether this key may trade")),
    ],
)  # fmt: skip
def test_whether_a_key_may_trade_is_a_line(info: object, line: Line) -> None:
    lines = plain(ccxt.account_lines({"info": info}, 3))
    assert lines == [("account", True, "balances can be read; 3 assets above zero"), line]


def test_the_rules_of_an_exchange_s_market_are_lines() -> None:
    market: dict[str, Any] = {
        "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", "active": True,
        "precision": {"price": "0.01", "amount": "0.00001"},
        "limits": {"amount": {"min": "0.00001"}, "cost": {"min": "5"}},
    }  # fmt: skip
    good = [
        ("BTCUSDT market", True, "BTC/USDT: open for trading"),
        ("BTCUSDT tick", True, "0.01"),
        ("BTCUSDT lot", True, "0.00001"),
        ("BTCUSDT min_quantity", True, "0.00001"),
        ("BTCUSDT min_notional", True, "5"),
    ]
    assert plain(ccxt.market_lines(bitcoin(), market, library.TICK_SIZE)) == good
    closed = ccxt.market_lines(bitcoin(), {**market, "active": False}, library.TICK_SIZE)
    assert plain(closed)[0] == (
        "BTCUSDT market", False, "BTC/USDT: not open for trading at the exchange",
    )  # fmt: skip
    digits = ccxt.market_lines(bitcoin(), market, library.DECIMAL_PLACES)
    assert plain(digits)[1:] == [
        ("BTCUSDT tick", False, "the exchange counts digits, not steps: compare tick and lot by "
         "hand"),
    ]  # fmt: skip
    silent = {**market, "limits": {"amount": {"min": "0"}, "cost": {"min": None}}}
    assert plain(ccxt.market_lines(bitcoin(), silent, library.TICK_SIZE))[3:] == [
        ("BTCUSDT min_quantity", True, "0.00001; the venue says none"),
        ("BTCUSDT min_notional", True, "5; the venue says none"),
    ]


# ---- Alpaca ----


@pytest.mark.parametrize(
    ("key", "secret", "sandbox", "is_ok", "words"),
    [
        ("PK1", "s", True, True, "present"),
        ("AK1", "s", False, True, "present"),
        ("", "s", True, False,
         "no key or no secret: set APCA_API_KEY_ID and APCA_API_SECRET_KEY in .env"),
        ("PK1", "", True, False,
         "no key or no secret: set APCA_API_KEY_ID and APCA_API_SECRET_KEY in .env"),
        ("AK1", "s", True, False, "the key is of a live account, the venue is paper"),
        ("PK1", "s", False, False, "the key is of a paper account, the venue is live"),
    ],
)  # fmt: skip
def test_a_key_of_alpaca_is_a_line(
    key: str, secret: str, sandbox: bool, is_ok: bool, words: str
) -> None:
    assert plain([alpaca.key_line(key, secret, sandbox)]) == [("credentials", is_ok, words)]


GOOD = {
    "status": "ACTIVE", "trading_blocked": False, "account_blocked": False,
    "trade_suspended_by_user": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        ({}, [("account", True, "active"), ("permissions", True, "may trade")]),
        ({"status": "CLOSED"}, [("account", False, "closed"), ("permissions", True, "may trade")]),
        *(
            ({name: True}, [("account", True, "active"),
             ("permissions", False, f"{name}: see the account's page at Alpaca")])
            for name in ("trading_blocked", "account_blocked", "trade_suspended_by_user")
        ),
        ({"trading_blocked": None}, [("account", True, "active"),
         ("permissions", False, "trading_blocked: see the account's page at Alpaca")]),
    ],
)  # fmt: skip
def test_an_account_of_alpaca_is_two_lines(change: dict[str, Any], lines: list[Line]) -> None:
    assert plain(alpaca.account_lines({**GOOD, **change})) == lines
    assert plain(alpaca.account_lines([])) == [("account", False, "the answer holds no account")]


SHARE = {
    "class": "us_equity", "status": "active", "tradable": True, "fractionable": True,
    "shortable": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "change", "line"),
    [
        ({}, {}, ("AAPL market", True, "tradable")),
        ({}, {"tradable": False}, ("AAPL market", False, "not tradable at Alpaca")),
        ({}, {"status": "inactive"}, ("AAPL market", False, "not tradable at Alpaca")),
        ({}, {}, ("AAPL tick", True, "0.01")),
        ({"tick": "0.001"}, {},
         ("AAPL tick", False, "0.001: orders from 1 dollar on are refused below a cent")),
        ({}, {}, ("AAPL lot", True, "1")),
        ({"lot": "0.5"}, {}, ("AAPL lot", True, "0.5")),
        ({}, {"fractionable": False}, ("AAPL lot", True, "1")),
        ({"lot": "0.5"}, {"fractionable": False},
         ("AAPL lot", False, '0.5: set instruments.AAPL.lot = "1"')),
        ({}, {}, ("AAPL shorts", True, "may be sold short")),
        ({}, {"shortable": False}, ("AAPL shorts", True, "may not be sold short")),
    ],
)  # fmt: skip
def test_a_share_s_rules_are_lines(
    rules: dict[str, str], change: dict[str, Any], line: Line
) -> None:
    assert line in plain(alpaca.asset_lines(share(**rules), {**SHARE, **change}))


def test_an_asset_that_is_none_or_a_coin_that_cannot_be_read_is_a_line() -> None:
    assert plain(alpaca.asset_lines(share(), None)) == [
        ("AAPL market", False, "Alpaca has no such asset")
    ]
    odd = {"class": "crypto", "status": "active", "tradable": True, "price_increment": "x"}
    assert plain(alpaca.asset_lines(coin(), odd))[-1] == (
        "BTC/USD tick", False, "price_increment is not a decimal number",
    )  # fmt: skip


@pytest.mark.parametrize(("key", "secret"), [("", "s"), ("PK", ""), ("", "")])
def test_alpaca_is_not_opened_without_both_keys(key: str, secret: str) -> None:
    async def story() -> None:
        async with broker_desk(key=key, secret=secret, is_open=False) as desk:
            with pytest.raises(Refused) as caught:
                await desk.venue.open()
            assert str(caught.value) == "alpaca (paper): no key or no secret; see docs/VENUES.md"
            assert not desk.exchange.requests

    asyncio.run(story())


def test_a_share_with_a_multiplier_is_refused() -> None:
    made = instrument("AAPL", tick="0.01", lot="1", quote="USD", multiplier="10")

    async def story() -> None:
        async with broker_desk(what=made, is_open=False) as desk:
            with pytest.raises(Refused) as caught:
                await desk.venue.open()
            words = "alpaca (paper): AAPL: the multiplier of shares and coins is 1"
            assert str(caught.value) == words

    asyncio.run(story())


def test_a_page_of_orders_that_brings_nothing_new_ends_the_question() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            body = {
                "symbol": "AAPL", "side": "sell", "type": "limit", "time_in_force": "day",
                "qty": "1", "limit_price": "900.00",
            }  # fmt: skip
            for number in range(501):
                desk.account.place_by_hand(body | {"client_order_id": f"hand-{number}"})
            with pytest.raises(Unavailable) as caught:
                await desk.venue.open_orders()
            words = "alpaca (paper): open orders: no answer: a whole page of orders brought nothing"
            assert str(caught.value).startswith(words)

    asyncio.run(story())
