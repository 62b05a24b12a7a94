"""Engine against bare loop, on the same events and the same strategy.

The yardstick of every figure is the *bare loop*: the same chunks of the same events, the same
strategy called once for each, and nothing else. Both loops are timed twice over: calls only
(the events exist already) and with the making of the events from columns, which any engine has
to do. Loops take turns, chunk by chunk, so that a machine whose speed drifts slows both alike, and
what is counted is the time of the processor: other programs take none of it.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import repeat
from random import Random
from typing import Any

from logos.config import make_config
from logos.core.engine import TradingCore
from logos.core.gates import InProcessSwitch
from logos.core.instrument import Instrument
from logos.core.messages import Bar, Event, Quote
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import NS_PER_MINUTE, Side
from logos.session.build import (
    build_account,
    build_guards,
    build_rules,
    build_states,
    make_instruments,
)
from logos.strategies.sma_cross import SmaCross

CHUNK = 8_192
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
START_NS = 1_700_000_000_000_000_000


class EveryHundredth(Strategy):
    """Sees every quote, and trades each symbol on every hundredth: buys and sells in turn."""

    def __init__(self) -> None:
        self.seen = dict.fromkeys(SYMBOLS, 0)

    def on_quote(self, context: Context, quote: Quote) -> Answer:  # noqa: ARG002
        seen = self.seen[quote.symbol] + 1
        self.seen[quote.symbol] = seen
        if seen % 100 == 0:
            return Side.BUY if seen % 200 else Side.SELL
        return None


def config_dict(symbols: Sequence[str]) -> dict[str, Any]:
    """The settings both benchmarks share: spot, fees, three guards, next-event fills."""
    return {
        "instruments": {
            symbol: {
                "base": symbol[:3],
                "quote": "USDT",
                "tick": "0.01",
                "lot": "0.00001",
                "fees": {"maker": "0.001", "taker": "0.001"},
            }
            for symbol in symbols
        },
        "account": {"balances": {"USDT": "1000000000"}},
        "orders": {"quantity": "0.01"},
        "risk": {
            "unlimited": True,
            "max_order_notional": "100000",
            "max_position": "5",
            "price_collar": "0.1",
        },
    }


@dataclass(slots=True)
class Timing:
    """Nanoseconds over `events` events: of the calls alone, and of making the events."""

    events: int = 0
    bare_ns: int = 0
    engine_ns: int = 0
    making_ns: int = 0

    @property
    def rows(self) -> list[tuple[str, float]]:
        """Figures by name: nanoseconds an event, events a second, ratios."""
        bare = self.bare_ns / self.events
        engine = self.engine_ns / self.events
        making = self.making_ns / self.events
        return [
            ("bare loop, ns an event", bare),
            ("engine, ns an event", engine),
            ("making events, ns an event", making),
            ("engine / bare, calls only", engine / bare),
            ("engine / bare, with making events", (engine + making) / (bare + making)),
            ("engine, events a second", 1e9 / engine),
            ("engine with making events, events a second", 1e9 / (engine + making)),
        ]


def make_core(strategy: Strategy, config: dict[str, Any]) -> TradingCore:
    """A core over the configured instruments."""
    settings = make_config(config)
    instruments = make_instruments(settings.instruments)
    account = build_account(settings, instruments)
    books = build_states(settings, instruments, account)
    return TradingCore(
        "bench",
        books,
        account,
        strategy,
        InProcessSwitch(),
        build_rules(settings),
        build_guards(settings),
        1,
        {},
        sample_ns=3600 * 1_000_000_000,
        halt_on_engage=True,
    )


def run_pair(
    core: TradingCore,
    bare: Callable[[Context, Any], object],
    chunks: Iterator[Callable[[], Sequence[Event]]],
) -> Timing:
    """Time engine and bare loop on each chunk in turn."""
    timing = Timing()
    clock = time.thread_time_ns
    context: Any = None
    is_first = True
    gc.collect()
    gc.freeze()
    for make in chunks:
        began = clock()
        events = make()
        made = clock()
        if is_first:
            core.start(events[0].ts_ns)
            is_first = False
        before = clock()
        core.run(events)
        core.take_effects()
        between = clock()
        for event in events:
            bare(context, event)
        after = clock()
        timing.events += len(events)
        timing.making_ns += made - began
        timing.engine_ns += between - before
        timing.bare_ns += after - between
    core.stop()
    return timing


def quotes(count: int) -> tuple[Timing, TradingCore]:
    """Quotes over three symbols, an order each hundredth of a symbol."""
    config = config_dict(SYMBOLS)
    core = make_core(EveryHundredth(), config)
    instruments = [core.order_manager.states[symbol].instrument for symbol in SYMBOLS]
    timing = run_pair(core, EveryHundredth().on_quote, _quote_chunks(count, instruments))
    return timing, core


def bars(count: int) -> tuple[Timing, TradingCore]:
    """One-minute bars of one symbol under an SMA 10/30 crossover."""
    config = config_dict(SYMBOLS[:1])
    core = make_core(SmaCross(fast=10, slow=30, quantity=Decimal("0.01")), config)
    instrument = core.order_manager.states[SYMBOLS[0]].instrument
    timing = run_pair(core, _bare_sma(), bar_chunks(count, instrument))
    return timing, core


def _bare_sma() -> Callable[[Context, Any], object]:
    return SmaCross(fast=10, slow=30, quantity=Decimal("0.01")).on_bar


def _make_events(kind: Callable[..., Event], columns: tuple[list[Any], ...]) -> Sequence[Event]:
    return list(map(kind, *columns))


def _quote_chunks(
    count: int, instruments: Sequence[Instrument]
) -> Iterator[Callable[[], Sequence[Event]]]:
    random = Random(1)
    for first in range(0, count, CHUNK):
        rows = range(first, min(first + CHUNK, count))
        traded = [instruments[row % len(instruments)] for row in rows]
        bids = [6_000_000 + random.randrange(1000) for _ in rows]
        columns = (
            [START_NS + row * 1_000_000 for row in rows],
            [each.symbol for each in traded],
            bids,
            [bid + random.randrange(3) for bid in bids],
            [100_000 + row % 500 for row in rows],
            [100_000 + row % 300 for row in rows],
            traded,
        )
        yield partial(_make_events, Quote, columns)


def bar_chunks(count: int, instrument: Instrument) -> Iterator[Callable[[], Sequence[Event]]]:
    """One-minute bars of a random walk, some thousands at a time."""
    random = Random(1)
    price = 6_000_000
    for first in range(0, count, CHUNK):
        rows = range(first, min(first + CHUNK, count))
        closes = []
        for _ in rows:
            price = max(100_000, price + random.randrange(-2_000, 2_001))
            closes.append(price)
        opens = [close + random.randrange(-500, 501) for close in closes]
        columns = (
            [START_NS + (row + 1) * NS_PER_MINUTE for row in rows],
            repeat(instrument.symbol, len(rows)),
            repeat(NS_PER_MINUTE, len(rows)),
            opens,
            [max(pair) + 300 for pair in zip(opens, closes, strict=True)],
            [min(pair) - 300 for pair in zip(opens, closes, strict=True)],
            closes,
            repeat(1_000_000, len(rows)),
            repeat(instrument, len(rows)),
        )
        yield partial(_make_events, Bar, tuple(map(list, columns)))


def main(ticks: int) -> None:
    """Print the figures of quotes, and of half as many bars."""
    for name, (timing, core) in (("quotes", quotes(ticks)), ("bars", bars(ticks // 2))):
        print(f"{name}: {timing.events:,} events, {core.order_manager.order_count:,} orders")
        for label, figure in timing.rows:
            print(f"  {label:<44}{figure:>14,.2f}")


if __name__ == "__main__":
    import sys

    main(int(sys.argv[1]))
