"""Live sessions on a simulated venue: what they are made of, and who rests orders there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from live_session_helpers import SETTINGS, ScriptedFeed, TickingClock

from logos.config import make_config
from logos.core.gates import InProcessSwitch, Switch
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy, limit
from logos.core.types import Side
from logos.session import SessionResult
from logos.session.build import make_instruments
from logos.session.connections import Outside
from logos.session.entry import resume, run_live
from logos.testing.fake_venue import FakeVenue, FillRules

LIMITS = {
    "max_order_notional": "100000",
    "max_position": "1000",
    "total": {"max_drawdown": "100000"},
    # The clock of these tests runs on with every wait of anybody: prices are old soon.
    "stale_after_s": "300",
    "actions": {"stale_data": "refuse"},
}


class Resting(Strategy):
    """Leaves a limit order far below the market at every tenth quote."""

    def __init__(self) -> None:
        self.seen = 0

    def save(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        self.seen = state["seen"]

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        return limit(Side.BUY, 1, "60.00") if self.seen % 10 == 1 else None


def venue_settings(drain_s: int = 100_000, reconcile_s: int = 60, **tables: Any) -> Any:
    return make_config(
        {
            **SETTINGS,
            "venue": {"name": "ccxt", "exchange": "binance", "live": True},
            "account": {"balances": {"USD": "1000000"}},
            "risk": LIMITS,
            # The clock of these tests runs on with every wait of anybody.
            "live": {"drain_timeout_s": drain_s, "reconcile_every_s": reconcile_s},
            **tables,
        }
    )


class World:
    """A venue that fills this share of all orders at once and no others, and sessions on it."""

    def __init__(self, home: Path, fills_at_once: float = 0.0) -> None:
        self.home = home
        self.clock = TickingClock()
        config = venue_settings()
        instruments = list(make_instruments(config.instruments).values())
        rules = FillRules(fills_at_once, 0.0, 0.0)
        money = {"USD": "1000000"}
        self.venue = FakeVenue(instruments, self.clock, Random(1), money, fills=rules)
        for instrument in instruments:
            self.venue.set_price(instrument.symbol, 10_000)
        self.switch: Switch = InProcessSwitch()

    def outside(self, feed: ScriptedFeed) -> Outside:
        return Outside(feeds=[feed], venue=self.venue, clock=self.clock)

    def run(
        self,
        feed: ScriptedFeed,
        strategy: Strategy,
        drain_s: int = 100_000,
        reconcile_s: int = 60,
        **options: Any,
    ) -> SessionResult:
        return run_live(
            venue_settings(drain_s, reconcile_s),
            strategy=strategy,
            outside=self.outside(feed),
            switch=self.switch,
            home=self.home,
            tell=lambda _: None,
            **options,
        )

    def resume(
        self,
        feed: ScriptedFeed,
        strategy: Strategy,
        tell: Callable[[str], object] = lambda _: None,
    ) -> SessionResult:
        return resume(
            "live",
            strategy=strategy,
            outside=self.outside(feed),
            switch=self.switch,
            is_acknowledged=True,
            home=self.home,
            tell=tell,
        )


def open_there(there: World) -> list[Any]:
    """Orders that rest at the venue."""
    return [order for order in there.venue.books.orders.values() if order.is_open]
