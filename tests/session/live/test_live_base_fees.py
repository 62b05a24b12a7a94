"""Live sessions at a spot venue that takes the fee of a purchase in the asset that was bought."""

from __future__ import annotations

import json
import os
import signal
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from live_session_helpers import TickingClock

from logos.audit.verify import verify
from logos.config import Config, make_config
from logos.core.clock import Clock
from logos.core.fixed import to_decimal
from logos.core.gates import InProcessSwitch
from logos.core.instrument import Instrument
from logos.core.messages import NOW, Flatten, Quote
from logos.core.strategy import Answer, Context, Strategy, Target
from logos.core.types import SessionStatus, Side
from logos.feeds.contract import Sink
from logos.session import SessionResult
from logos.session.build import make_instruments
from logos.session.connections import Outside
from logos.session.entry import replay, resume, run_live
from logos.testing.fake_books import FakeBooks, FakeOrder, ListedFill
from logos.testing.fake_venue import FakeVenue, FillRules
from logos.venues.contract import VenueFill

SYMBOL = "BTC/USDT"
RATE = Decimal("0.001")


def settings(lot: str = "0.00001") -> Config:
    fees = {"maker": "0.001", "taker": "0.001"}
    traded = {"quote": "USDT", "base": "BTC", "tick": "0.01", "lot": lot, "fees": fees}
    return make_config(
        {
            "session": {"id": "live"},
            "account": {"balances": {"USDT": "10000"}},
            "instruments": {SYMBOL: traded},
            "venue": {"name": "ccxt", "exchange": "binance", "live": True},
            "risk": {
                "max_order_notional": "10000",
                "max_position": "1000",
                "total": {"max_drawdown": "10000"},
                "stale_after_s": "300",
                "actions": {"stale_data": "refuse"},
            },
            # The clock of these tests runs on with every wait of anybody.
            "live": {"drain_timeout_s": 100_000},
        }
    )


class InTheAsset(FakeBooks):
    """Takes the fee of a purchase in what was bought, in eight decimals; `currency` renames it."""

    currency = "BTC"

    def fill(
        self,
        order: FakeOrder,
        quantity: int,
        price: int,
        is_maker: bool,
        ts_ns: int,
        listed_ns: int,
    ) -> VenueFill:
        fill = super().fill(order, quantity, price, is_maker, ts_ns, listed_ns)
        if order.side is not Side.BUY:
            return fill
        instrument = self.instruments[order.symbol]
        bought = to_decimal(quantity, instrument.quantity_decimals)
        fee = (bought * RATE).quantize(Decimal("1E-8"), ROUND_DOWN)
        self.change(instrument.quote, fill.fee)
        self.change(self.currency, -fee)
        fill = msgspec.structs.replace(fill, fee=fee, fee_currency=self.currency)
        self.fills[-1] = ListedFill(fill, listed_ns)
        return fill


class Feed:
    """So many quotes, a second apart; after one of them the process is asked to stop."""

    name = "scripted"

    def __init__(self, clock: Clock, instrument: Instrument, count: int, stop_at: int) -> None:
        self.symbols = (SYMBOL,)
        self._clock = clock
        self._instrument = instrument
        self._count = count
        self._stop_at = stop_at

    async def run(self, sink: Sink) -> None:
        for number in range(self._count):
            now_ns = self._clock.now_ns()
            price = 9_000_000 + number % 13 * 1000
            quote = Quote(now_ns, SYMBOL, price, price + 1, -1, -1, self._instrument)
            while not sink.market(quote, now_ns):
                await sink.room()
            await self._clock.sleep(1)
            if number == self._stop_at:
                os.kill(os.getpid(), signal.SIGTERM)


class InAndOut(Strategy):
    """Holds a bit of bitcoin, and none, by turns; `last` is what it answers in the end."""

    def __init__(self) -> None:
        self.seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        if context.open_orders(SYMBOL):
            return None
        return Target(Decimal("0.00317") if self.seen // 10 % 2 else 0)


class Holding(Strategy):
    """Holds a bit of bitcoin, from the first quote on."""

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return Target(Decimal("0.0317"))


class World:
    """A venue that fills at once, and sessions on it."""

    def __init__(self, home: Path, config: Config) -> None:
        self.home = home
        self.config = config
        self.clock = TickingClock()
        [self.instrument] = make_instruments(config.instruments).values()
        self.venue = FakeVenue(
            [self.instrument],
            self.clock,
            Random(1),
            {"USDT": "10000", "BTC": "0.5"},
            fills=FillRules(1.0, 0.0, 0.0),
        )
        self.books = InTheAsset([self.instrument], {"USDT": "10000", "BTC": "0.5"})
        self.venue.books = self.books
        self.venue.set_price(SYMBOL, 9_000_000)
        self.switch = InProcessSwitch()

    def outside(self, count: int, stop_at: int = -1) -> Outside:
        feed = Feed(self.clock, self.instrument, count, stop_at)
        return Outside(feeds=[feed], venue=self.venue, clock=self.clock)

    def run(self, strategy: Strategy, count: int = 200, stop_at: int = -1) -> SessionResult:
        return run_live(
            self.config,
            strategy=strategy,
            outside=self.outside(count, stop_at),
            switch=self.switch,
            home=self.home,
            tell=lambda _: None,
        )


def snapshot(result: SessionResult) -> dict[str, Any]:
    return dict(json.loads((result.folder / "state.json").read_text()))


@pytest.mark.long
def test_a_session_trades_on_and_its_wallets_are_the_venues_to_the_last_digit(
    tmp_path: Path,
) -> None:
    there = World(tmp_path, settings())
    result = there.run(InAndOut())
    assert result.status is SessionStatus.ENDED, result.reason
    assert result.summary["fills"] > 10
    wallets = snapshot(result)["wallets"]
    # What the account held before is its owner's; of USDT all is the session's.
    assert Decimal(wallets["BTC"]) == there.books.balances["BTC"] - Decimal("0.5")
    assert Decimal(wallets["USDT"]) == there.books.balances["USDT"]
    assert Decimal(wallets["BTC"]).as_tuple().exponent == -8
    assert verify(result.folder).exit_code == 0
    assert replay("live", strategy=InAndOut(), home=tmp_path).summary == result.summary


@pytest.mark.long
def test_the_position_never_runs_away_from_what_is_held(tmp_path: Path) -> None:
    there = World(tmp_path, settings())
    result = there.run(InAndOut(), 400)
    state = snapshot(result)
    held, position = Decimal(state["wallets"]["BTC"]), state["positions"][SYMBOL]["position"]
    assert Decimal(position) <= held < Decimal(position) + Decimal("0.00001")


@pytest.mark.long
def test_the_venues_file_holds_plain_figures(tmp_path: Path) -> None:
    there = World(tmp_path, settings())
    result = there.run(Holding(), 5)
    baseline = json.loads((result.folder / "venue.json").read_text())
    assert {name: Decimal(amount) for name, amount in baseline.items()} == {
        "USDT": Decimal(0),
        "BTC": Decimal("0.5"),
    }
    assert not any("E" in amount for amount in baseline.values())


@pytest.mark.long
@pytest.mark.parametrize(("lot", "left"), [("0.00001", "0.00000"), ("0.005", "0.004")])
def test_a_flatten_sells_what_is_there_and_comes_to_its_end(
    tmp_path: Path, lot: str, left: str
) -> None:
    there = World(tmp_path, settings(lot))
    stopped = there.run(Holding(), 1_000, stop_at=20)
    assert stopped.status is SessionStatus.STOPPED
    ended = resume(
        "live",
        strategy=Holding(),
        outside=there.outside(5_000),
        switch=there.switch,
        is_acknowledged=True,
        home=tmp_path,
        tell=lambda _: None,
        flatten=Flatten(NOW, "enough", "ann"),
    )
    assert ended.status is SessionStatus.ENDED, ended.reason
    assert ended.summary["ticks"] < 1_000, "it did not wait for the end of the feed"
    state = snapshot(ended)
    assert state["positions"][SYMBOL]["position"] == left
    assert Decimal(state["wallets"]["BTC"]) == there.books.balances["BTC"] - Decimal("0.5")
    [dust] = [each for each in ended.summary["warnings"] if each["code"] == "DUST"]
    assert dust["detail"].startswith(f"{state['wallets']['BTC']} BTC stays")
    assert verify(ended.folder).exit_code == 0


@pytest.mark.long
def test_a_fee_in_a_third_asset_halts_and_says_what_to_switch_off(tmp_path: Path) -> None:
    there = World(tmp_path, settings())
    there.books.currency = "BNB"
    result = there.run(Holding(), 30)
    assert there.switch.authority().name == "ENGAGED"
    [guard] = [each for each in result.summary["guards"] if "RECONCILIATION" in each]
    assert guard
    assert (
        "switch off there that fees are paid in BNB" in (result.folder / "state.jsonl").read_text()
    )
