"""A trading core around one strategy, driven bar by bar: no files, no session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import pytest

from logos.core.fixed import parse_units
from logos.core.instrument import Instrument, instrument
from logos.core.messages import Bar, Event, Quote, QuoteBar, Trade
from logos.core.records import OrderRecord, PaperFillRecord, Record, RefusalRecord
from logos.core.strategy import Strategy
from logos.core.types import NS_PER_MINUTE, FillRule
from logos.testing.builders import paper_rules, trading_core

START_NS = 1_767_571_200_000_000_000  # 2026-01-05T00:00:00Z


class Bench:
    """One core, one strategy; every bar lasts a minute and begins where the last one ended."""

    def __init__(
        self,
        strategy: Strategy,
        instruments: list[Instrument],
        balances: Mapping[str, str],
        fill_rule: FillRule,
    ) -> None:
        self.instruments = {one.symbol: one for one in instruments}
        self.core = trading_core(
            strategy,
            *instruments,
            cash=balances,
            order_quantity="5",
            rules=paper_rules(fill_rule),
        )
        self.now_ns = START_NS
        self.records: list[Record] = []
        self.records += self.core.start(START_NS)

    def feed(self, event: Event) -> None:
        self.now_ns = event.ts_ns
        self.records += self.core.step(event)

    def bar(self, symbol: str, close: str, *, minutes: int = 1, open_: str = "") -> None:
        """One bar from `open_` (default: its close) to `close`, ending `minutes` later."""
        one = self.instruments[symbol]
        end = parse_units(close, one.price_decimals)
        begin = parse_units(open_ or close, one.price_decimals)
        ts_ns = self.now_ns + minutes * NS_PER_MINUTE
        high, low = max(begin, end), min(begin, end)
        self.feed(Bar(ts_ns, symbol, NS_PER_MINUTE, begin, high, low, end, 1000, one))

    def quote_bar(self, symbol: str, bid: str, ask: str) -> None:
        one = self.instruments[symbol]
        b = parse_units(bid, one.price_decimals)
        a = parse_units(ask, one.price_decimals)
        ts_ns = self.now_ns + NS_PER_MINUTE
        self.feed(QuoteBar(ts_ns, symbol, NS_PER_MINUTE, b, b, b, b, a, a, a, a, -1, one))

    def quote(self, symbol: str, bid: str, ask: str) -> None:
        one = self.instruments[symbol]
        bid_units = parse_units(bid, one.price_decimals)
        ask_units = parse_units(ask, one.price_decimals)
        ts_ns = self.now_ns + NS_PER_MINUTE
        self.feed(Quote(ts_ns, symbol, bid_units, ask_units, -1, -1, one))

    def trade(self, symbol: str, price: str) -> None:
        one = self.instruments[symbol]
        units = parse_units(price, one.price_decimals)
        self.feed(Trade(self.now_ns + NS_PER_MINUTE, symbol, units, 100, "", one))

    def stop(self) -> None:
        self.records += self.core.stop()

    @property
    def orders(self) -> list[str]:
        """What was ordered, in order: "BUY 5 ACME", with prices and tag where there are any."""
        lines = []
        for record in self.records:
            if isinstance(record, OrderRecord):
                one = self.instruments[record.symbol]
                quantity = one.quantity_text(record.quantity_units)
                line = f"{record.side.value} {quantity} {record.symbol}"
                if record.limit_price_units:
                    line += f" limit {one.price_text(record.limit_price_units)}"
                if record.stop_price_units:
                    line += f" stop {one.price_text(record.stop_price_units)}"
                lines.append(f"{line} #{record.tag}" if record.tag else line)
        return lines

    @property
    def fills(self) -> list[PaperFillRecord]:
        return [record for record in self.records if isinstance(record, PaperFillRecord)]

    @property
    def refusals(self) -> list[str]:
        return [one.code.value for one in self.records if isinstance(one, RefusalRecord)]

    def position(self, symbol: str) -> Decimal:
        book = self.core.order_manager.states[symbol]
        return self.instruments[symbol].quantity_decimal(book.inventory.position)


def acme(symbol: str = "ACME", settlement: str = "spot") -> Instrument:
    return instrument(symbol, tick="0.01", lot="1", quote="USD", settlement=settlement)


MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench() -> MakeBench:
    """Make a Bench: by default ACME on spot with 100,000 USD, filling at the decision's close."""

    def make(
        strategy: Strategy,
        *,
        symbols: tuple[str, ...] = ("ACME",),
        settlement: str = "spot",
        balances: Mapping[str, str] | None = None,
        fill_rule: FillRule = FillRule.DECISION_CLOSE,
        instruments: list[Instrument] | None = None,
    ) -> Bench:
        chosen = instruments or [acme(symbol, settlement) for symbol in symbols]
        money = balances or {"USD": "100000"}
        return Bench(strategy, chosen, money, fill_rule)

    return make
