"""NautilusTrader's backtest engine: `of_nautilus.py FOLDER bars|quotes`.

Its risk engine is on; logging, its cache database, its streaming writer and its analysis are off.
Bars fill at the close that decided, quotes at their bid and ask. The time is `BacktestEngine.run`:
all objects have been made and added before.
"""

from __future__ import annotations

import sys
import time
from decimal import Decimal
from pathlib import Path

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar, BarType, QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Currency, Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy
from workload import SYMBOLS, Crossing, cents, read, report

CASH = 10_000_000
VENUE = Venue("SIM")
ONE = Quantity.from_int(1)


def instrument(name: str) -> CurrencyPair:
    """A pair against dollars: whole units, prices in cents, no fees."""
    return CurrencyPair(
        instrument_id=InstrumentId(Symbol(name), VENUE),
        raw_symbol=Symbol(name),
        base_currency=Currency.from_str(name[:3]),
        quote_currency=USD,
        price_precision=2,
        size_precision=0,
        price_increment=Price.from_str("0.01"),
        size_increment=ONE,
        ts_event=0,
        ts_init=0,
        margin_init=Decimal("0.01"),
        margin_maint=Decimal("0.01"),
        maker_fee=Decimal(0),
        taker_fee=Decimal(0),
    )


class Trader(Strategy):
    """Both rules; which one is fed decides."""

    def __init__(self, instruments: list[CurrencyPair], bar_type: BarType | None) -> None:
        super().__init__()
        self.instruments, self.bar_type = instruments, bar_type
        self.rule, self.made = Crossing(), 0
        self.seen = {each.id: 0 for each in instruments}

    def on_start(self) -> None:
        if self.bar_type is not None:
            self.subscribe_bars(self.bar_type)
            return
        for each in self.instruments:
            self.subscribe_quote_ticks(each.id)

    def on_bar(self, bar: Bar) -> None:
        sign = self.rule.sign(cents(bar.close.as_double()))
        if sign:
            self.send(self.instruments[0].id, sign)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        name = tick.instrument_id
        seen = self.seen[name] = self.seen[name] + 1
        if seen % 100 == 0:
            self.send(name, 1 if seen % 200 else -1)

    def send(self, name: InstrumentId, sign: int) -> None:
        """A market order for one unit."""
        self.made += 1
        side = OrderSide.BUY if sign > 0 else OrderSide.SELL
        self.submit_order(self.order_factory.market(name, side, ONE))


def events(
    what: str, rows: list[tuple[int, ...]], instruments: list[CurrencyPair], kind: BarType | None
) -> list[Bar | QuoteTick]:
    """Its objects of all rows."""
    if what == "bars":
        return [
            Bar(
                kind,
                *(Price(value / 100, 2) for value in row[1:5]),
                Quantity(row[5], 0),
                row[0],
                row[0],
            )
            for row in rows
        ]
    names = [each.id for each in instruments]
    size = Quantity.from_int(100)
    return [
        QuoteTick(names[which], Price(bid / 100, 2), Price(ask / 100, 2), size, size, when, when)
        for when, which, bid, ask in rows
    ]


def main(folder: Path, what: str) -> None:
    """Run it and report."""
    rows = read(folder, what)
    instruments = [instrument(name) for name in (SYMBOLS[:1] if what == "bars" else SYMBOLS)]
    kind = BarType.from_str("BTCUSD.SIM-1-MINUTE-LAST-EXTERNAL") if what == "bars" else None
    engine = BacktestEngine(
        BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False)
    )
    engine.add_venue(
        VENUE,
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(CASH, USD)],
        base_currency=USD,
        default_leverage=Decimal(10),
    )
    for each in instruments:
        engine.add_instrument(each)
    engine.add_data(events(what, rows, instruments, kind))
    trader = Trader(instruments, kind)
    engine.add_strategy(trader)
    began = time.perf_counter()
    engine.run()
    seconds = time.perf_counter() - began
    profit = engine.portfolio.account(VENUE).balance_total(USD).as_double() - CASH
    for position in engine.cache.positions_open():
        which = [each.id for each in instruments].index(position.instrument_id)
        last = [row for row in rows[-1_000:] if what == "bars" or row[1] == which][-1]
        price = last[4] / 100 if what == "bars" else (last[2] + last[3]) / 200
        profit += position.signed_qty * (price - position.avg_px_open)
    rule = "signal_close" if what == "bars" else "bid_ask"
    report(len(rows), seconds, trader.made, rule, profit)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
