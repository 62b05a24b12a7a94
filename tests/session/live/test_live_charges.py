"""Live sessions at a venue that charges for a day's trades behind their fills."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from live_session_helpers import TickingClock

from logos.audit.verify import verify
from logos.config import make_config
from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy, Target
from logos.core.types import SessionStatus
from logos.feeds.contract import Sink
from logos.session import SessionResult
from logos.session.build import make_instruments
from logos.session.connections import Outside
from logos.session.entry import replay, resume, run_live
from logos.testing.fake_venue import FakeVenue, FillRules
from logos.venues.contract import VenueCharge

SETTINGS: dict[str, Any] = {
    "session": {"id": "live"},
    "account": {"balances": {"USD": "100000"}},
    "instruments": {"AAPL": {"quote": "USD", "tick": "0.01", "lot": "1"}},
    "venue": {"name": "alpaca", "live": True},
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
FEES = {"reg-1": "0.56", "taf-1": "0.02"}


class InAndOut(Strategy):
    """Holds ten, and none, by turns."""

    def __init__(self) -> None:
        self.seen = 0

    def save(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        self.seen = state["seen"]

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        return None if context.open_orders("AAPL") else Target(self.seen // 10 % 2 * 10)


class Charging(FakeVenue):
    """A venue that charges when it is told to."""

    charged: tuple[VenueCharge, ...] = ()
    is_proved = True

    def charge(self) -> None:
        """The end of a day."""
        number = len(self.charged) // len(FEES)
        for name, amount in FEES.items():
            charge = VenueCharge(f"{name}-{number}", "USD", Decimal(amount), "the fee of a day")
            self.charged += (charge,)
            self.change_balance("USD", -charge.amount)

    async def charges_since(self, ts_ns: int) -> Sequence[VenueCharge]:
        return self.charged if self.is_proved else ()


class World:
    """A venue that fills at once, and sessions on it; it charges after the quotes of `at`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.config = make_config(SETTINGS)
        self.clock = TickingClock()
        [self.instrument] = make_instruments(self.config.instruments).values()
        self.venue = Charging(
            [self.instrument], self.clock, Random(1), {"USD": "150000"}, fills=FillRules(1, 0, 0)
        )
        self.venue.set_price("AAPL", 20_000)
        self.switch = InProcessSwitch()
        self.name, self.symbols = "scripted", ("AAPL",)
        self.count, self.at, self.stop_at = 200, 50, -1

    async def run(self, sink: Sink) -> None:
        """As a feed: so many quotes, a second apart."""
        for number in range(self.count):
            now_ns = self.clock.now_ns()
            quote = Quote(now_ns, "AAPL", 20_000, 20_001, -1, -1, self.instrument)
            while not sink.market(quote, now_ns):
                await sink.room()
            await self.clock.sleep(1)
            if number == self.at:
                self.venue.charge()
            if number == self.stop_at:
                os.kill(os.getpid(), signal.SIGTERM)

    def outside(self) -> Outside:
        return Outside(feeds=[self], venue=self.venue, clock=self.clock)

    def trade(self) -> SessionResult:
        return run_live(
            self.config,
            strategy=InAndOut(),
            outside=self.outside(),
            switch=self.switch,
            home=self.home,
            tell=lambda _: None,
        )

    def go_on(self) -> SessionResult:
        return resume(
            "live",
            strategy=InAndOut(),
            outside=self.outside(),
            switch=self.switch,
            is_acknowledged=True,
            home=self.home,
            tell=lambda _: None,
        )

    def money(self, result: SessionResult) -> Decimal:
        """What the session's wallet has less than the venue's; its owner had 50,000 besides."""
        state = json.loads((result.folder / "state.json").read_text())
        return self.venue.books.balances["USD"] - 50_000 - Decimal(state["wallets"]["USD"])


def payments(result: SessionResult) -> list[list[str]]:
    with (result.folder / "payments.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [[row[name] for name in ("type", "symbol", "currency", "amount")] for row in rows]


@pytest.mark.long
def test_a_fee_of_the_day_is_booked_as_a_payment_and_stops_nothing(tmp_path: Path) -> None:
    there = World(tmp_path)
    result = there.trade()
    assert result.status is SessionStatus.ENDED, result.reason
    assert there.switch.authority().name == "SAFE"
    assert there.money(result) == 0
    rows = payments(result)
    assert [(each[:3], Decimal(each[3])) for each in rows] == [
        (["charge", "", "USD"], Decimal("-0.56")),
        (["charge", "", "USD"], Decimal("-0.02")),
    ]
    [books] = result.summary["currencies"].values()
    assert Decimal(books["payments"]) == Decimal("-0.58")
    assert verify(result.folder).exit_code == 0
    assert replay("live", strategy=InAndOut(), home=tmp_path).summary == result.summary


@pytest.mark.long
def test_a_session_that_is_resumed_books_each_fee_once(tmp_path: Path) -> None:
    there = World(tmp_path)
    there.stop_at = 150
    assert there.trade().status is SessionStatus.STOPPED
    there.venue.charge()  # while nobody was there
    there.stop_at = -1
    result = there.go_on()
    assert result.status is SessionStatus.ENDED, result.reason
    assert there.money(result) == 0
    assert len(payments(result)) == 3 * len(FEES)
    assert verify(result.folder).exit_code == 0


@pytest.mark.long
def test_a_fee_that_is_not_proved_to_be_the_sessions_is_a_difference(tmp_path: Path) -> None:
    there = World(tmp_path)
    there.venue.is_proved = False
    result = there.trade()
    assert there.switch.authority().name == "ENGAGED"
    words = (result.folder / "state.jsonl").read_text()
    assert "USD: fake and the session's books differ by -0.58" in words
    assert payments(result) == []
