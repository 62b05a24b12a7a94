"""A whole live session at a local Alpaca: its prices, its orders, its fees, through alpaca-py.

The broker runs in a thread and a loop of its own, in real time, with its limit of 200 requests a
minute; its coins cost a fee in the coin, its shares fill at fractions of a cent.
"""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from venue_tools import PAPER_KEY, PAPER_SECRET

from logos.audit.verify import verify
from logos.config import Config, make_config
from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy, Target
from logos.core.types import SessionStatus
from logos.session import SessionResult
from logos.session.entry import run_live
from logos.simulators.alpaca import AlpacaAccount, AlpacaData, AlpacaDataStream
from logos.simulators.exchange.market import Listing, Market
from logos.simulators.exchange.server import Exchange

_STEP_S = 0.1


@dataclass
class Broker:
    """What a test sees of the broker in its thread."""

    url: str
    account: AlpacaAccount
    exchange: Exchange


def listing(name: str, cents: int, lot: str, least: str) -> Listing:
    """A market whose best prices move by a cent every tenth of a second, a minute long."""
    made = Listing(name, name.partition("/")[0], "USD", lot=lot, minimum_quantity=least)
    now_ns = time.time_ns()
    for number in range(600):
        bid = cents + number % 7
        ask = f"{(bid + 2) // 100}.{(bid + 2) % 100:02d}"
        moment_ns = now_ns + round(number * _STEP_S * 1e9) - 10**9
        made.add_top(moment_ns, f"{bid // 100}.{bid % 100:02d}", ask, "50", "50")
    return made


@contextmanager
def broker(made: Listing) -> Iterator[Broker]:
    """The broker, its time that of this machine."""
    ready = threading.Event()
    found: list[Broker] = []
    ends: list[asyncio.Event] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        exchange = Exchange(Market([made], time.time_ns()))
        account = AlpacaAccount(exchange, PAPER_KEY, PAPER_SECRET)
        AlpacaDataStream(AlpacaData(exchange, PAPER_KEY, PAPER_SECRET))
        over = asyncio.Event()
        async with exchange:
            found.append(Broker(exchange.url, account, exchange))
            ends.append(over)
            ready.set()
            while not over.is_set():
                await exchange.advance_to(max(time.time_ns(), exchange.market.now_ns))
                try:
                    await asyncio.wait_for(over.wait(), _STEP_S)
                except TimeoutError:
                    continue

    def work() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(30)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(ends[0].set)
        thread.join()


class InAndOut(Strategy):
    """Holds so much, and nothing, by turns of five quotes."""

    def __init__(self, quantity: str) -> None:
        self.quantity = Decimal(quantity)
        self.seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        if context.open_orders(quote.symbol):
            return None
        return Target(self.quantity if self.seen // 5 % 2 else 0)


def settings(url: str, symbol: str, steps: tuple[str, str], decimals: int) -> Config:
    """`steps` are the lot and the least quantity."""
    fees = {"taker": "0.0025", "decimals": decimals}
    traded = {"quote": "USD", "tick": "0.01", "lot": steps[0], "min_quantity": steps[1]}
    return make_config(
        {
            "session": {"id": "live"},
            "account": {"balances": {"USD": "100000"}},
            "instruments": {symbol: traded | {"fees": fees}},
            "venue": {"name": "alpaca", "live": True, "url": url},
            "risk": {
                "max_order_notional": "90000",
                "max_position": "1000",
                "total": {"max_drawdown": "50000"},
            },
            "live": {
                "feed": "alpaca",
                "url": url,
                "kind": "quotes",
                "transport": "websocket",
                "stop_after_s": 3,
            },
        }
    )


def traded(
    there: Broker,
    home: Path,
    symbol: str,
    steps: tuple[str, str],
    quantity: str,
    decimals: int = 9,
) -> SessionResult:
    return run_live(
        settings(there.url, symbol, steps, decimals),
        strategy=InAndOut(quantity),
        switch=InProcessSwitch(),
        home=home,
        tell=lambda _: None,
    )


def wallets(result: SessionResult) -> dict[str, Decimal]:
    state: dict[str, Any] = json.loads((result.folder / "state.json").read_text())
    return {name: Decimal(amount) for name, amount in state["wallets"].items()}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", PAPER_KEY)
    monkeypatch.setenv("APCA_API_SECRET_KEY", PAPER_SECRET)


@pytest.mark.long
def test_coins_are_traded_and_their_fees_booked_to_the_last_digit(tmp_path: Path) -> None:
    steps = ("0.000000001", "0.001")
    with broker(listing("BTC/USD", 10_000_000, *steps)) as there:
        result = traded(there, tmp_path, "BTC/USD", steps, "0.1")
        held = there.account.held
        assert result.status is SessionStatus.ENDED, result.reason
        assert result.summary["fills"] >= 2
        assert wallets(result) == {"USD": there.account.cash, "BTC/USD": held["BTC/USD"]}
        assert there.account.cash != 100_000
        assert there.account.limit.turned_away == 0
        assert not [order for order in there.account.orders if order.is_open]
    assert verify(result.folder).exit_code == 0


@pytest.mark.long
@pytest.mark.parametrize("decimals", [6, 2])
def test_shares_at_fractions_of_a_cent_are_booked_or_stop_the_session_in_words(
    tmp_path: Path, decimals: int
) -> None:
    with broker(listing("AAPL", 20_000, "1", "1")) as there:
        there.account.improvement = Decimal("0.0013")
        result = traded(there, tmp_path, "AAPL", ("1", "1"), "10", decimals)
        if decimals == 6:
            assert result.status is SessionStatus.ENDED, result.reason
            assert result.summary["fills"] >= 2
            assert wallets(result)["USD"] == there.account.cash
        else:
            assert result.status is SessionStatus.HALTED
            assert "fees.decimals = 3" in json.dumps(result.summary)
    assert verify(result.folder).exit_code == 0
