"""Whole sessions at the simulated gateway: paper fills on its prices, and orders at its desk."""

from __future__ import annotations

import ib_libraries  # noqa: F401 - first

# isort: split

import csv
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from ib_threads import gateway_in_thread
from live_venue_helpers import venue_settings

from logos.adapters.ib.connection import Address
from logos.adapters.ib.feed import IbFeed, IbMarket
from logos.adapters.ib.lines import Plan
from logos.adapters.ib.venue import IbSettings, IbVenue
from logos.cli.main import main
from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import Side
from logos.execution.clock import SystemClock
from logos.session.build import make_instruments
from logos.session.connections import Outside
from logos.session.entry import run_live
from logos.simulators.ib import TwsGateway

STRATEGY = """
from logos.core.strategy import Strategy
from logos.core.types import Side

class Turns(Strategy):
    def __init__(self):
        self.seen = 0

    def on_quote(self, context, quote):
        self.seen += 1
        return {2: Side.BUY, 6: Side.SELL}.get(self.seen)
"""
SETTINGS = """
[session]
id = "broker"
[strategy]
name = "turns.py:Turns"
[instruments.AAPL]
tick = "0.01"
lot = "1"
quote = "USD"
[account]
balances = { USD = "100000" }
[risk]
unlimited = true
[live]
feed = "ib"
url = "%s"
stop_after_s = 1
"""


def moving(gateway: TwsGateway, count: int) -> None:
    """A market that is another one at each beat."""
    cents = 25_700 + count % 50
    gateway.quote("AAPL", f"{cents / 100:.2f}", f"{(cents + 2) / 100:.2f}")


@pytest.mark.long
def test_a_session_trades_on_paper_at_the_prices_of_a_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    (tmp_path / "turns.py").write_text(STRATEGY)
    with gateway_in_thread(moving) as gateway:
        settings = tmp_path / "session.toml"
        settings.write_text(SETTINGS % f"tcp://127.0.0.1:{gateway.port}/7")
        assert main(["trade", "--config", str(settings)]) == 0, capsys.readouterr().err
        assert gateway.asked(3) == 0  # placeOrder
        assert gateway.unread == []
    [folder] = tmp_path.glob("runs/*/sessions/broker")
    rows = list(csv.DictReader((folder / "trades.csv").read_text().splitlines()))
    assert [row["side"] for row in rows] == ["BUY", "SELL"]
    assert all(257 <= float(row["price"]) <= 257.6 for row in rows)
    assert main(["verify", "broker"]) == 0


class Once(Strategy):
    """Buys once, then sells, at the market."""

    def __init__(self) -> None:
        self.seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        return {3: Side.BUY, 20: Side.SELL}.get(self.seen)


@pytest.mark.long
def test_a_session_trades_at_the_gateways_own_desk(tmp_path: Path) -> None:
    instruments = {"AAPL": {"quote": "USD", "tick": "0.01", "lot": "1", "settlement": "margin"}}
    live = {"reconcile_every_s": 60, "drain_timeout_s": 5, "stop_after_s": 3}
    config = venue_settings(instruments=instruments, live=live)
    clock = SystemClock()
    with gateway_in_thread(moving, 0.05) as gateway:
        gateway.cash["DU1234567"]["USD"] = Decimal(1_000_000)
        share = make_instruments(config.instruments)["AAPL"]
        markets = {"AAPL": IbMarket(share, "AAPL")}
        address = Address("127.0.0.1", gateway.port, 2)
        feed = IbFeed(markets, clock, Random(1), address, Plan("quotes"))
        url = f"tcp://127.0.0.1:{gateway.port}/1"
        venue = IbVenue({"AAPL": share}, clock, Random(1), IbSettings(url=url), "live")
        result = run_live(
            config,
            strategy=Once(),
            outside=Outside(feeds=[feed], venue=venue, clock=clock),
            switch=InProcessSwitch(),
            home=tmp_path,
            tell=lambda _: None,
        )
        orders = gateway.desk.book.orders
        assert [(each.order_ref, each.action) for each in orders] == [
            ("live-1", "BUY"),
            ("live-2", "SELL"),
        ]
        assert all(each.status == "Filled" for each in orders)
        assert gateway.unread == []
    assert result.summary["status"] == "ENDED"
