"""Generated orders against generated limits, judged after every event by an independent checker.

    python tests/helpers/guard_campaign.py 1000000 [SEED]

Each world has instruments, limits and a paper market of its own, drawn from its number, and a
strategy that throws dice: all order types and times in force, targets, weights, cancels and
replacements, answers to fills. A world that fails is named by its number: `--world NUMBER` runs
it alone.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

from guard_checker import Breach, Checker
from guard_helpers import limit_core

from logos.core.engine import TradingCore
from logos.core.guards import Action
from logos.core.instrument import Instrument, instrument
from logos.core.messages import Bar, MarketEvent, Quote, Trade
from logos.core.records import PaperFillRecord, Record, RefusalRecord
from logos.core.strategy import (
    Answer,
    Cancel,
    Context,
    OrderRequest,
    Replace,
    Request,
    Strategy,
    Target,
    Weight,
)
from logos.core.types import Code, FillRule, OrderType, Side, TimeInForce
from logos.testing.builders import fee_schedule, paper_rules, trading_core

EVENTS_PER_WORLD = 150
SECOND_NS = 10**9


class Storm(Strategy):
    """Throws dice at every event and at some fills."""

    def __init__(self, random: Random, prices: dict[str, int]) -> None:
        self.random = random
        self.prices = prices
        self.asked = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return self._answer(context, quote.symbol)

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        return self._answer(context, trade.symbol)

    def on_bar(self, context: Context, bar: Any) -> Answer:
        return self._answer(context, bar.symbol)

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        return self._order(fill.symbol) if self.random.random() < 0.2 else None

    def _answer(self, context: Context, symbol: str) -> Answer:
        random = self.random
        answer: list[Request] = []
        for _ in range(random.choice((0, 1, 2, 2, 3, 5))):
            target = random.choice(context.symbols) if random.random() < 0.3 else symbol
            orders = context.open_orders(target)
            dice = random.random()
            if orders and dice < 0.12:
                answer.append(Cancel(random.choice(orders).order_id))
            elif orders and dice < 0.25:
                self.asked += 1
                answer.append(self._replace(target, random.choice(orders).order_id))
            else:
                answer.append(self._order(target))
        return answer

    def _replace(self, symbol: str, order_id: int) -> Replace:
        quantity = self.random.randint(1, 40) if self.random.random() < 0.7 else None
        return Replace(order_id, quantity=quantity)

    def _order(self, symbol: str) -> Request:
        random = self.random
        self.asked += 1
        dice = random.random()
        if dice < 0.12:
            return Target(random.randint(-30, 30), symbol)
        if dice < 0.16:
            return Weight(Decimal(random.randint(-9, 9)) / 1000, symbol)
        side = random.choice((Side.BUY, Side.SELL))
        type_ = random.choice((OrderType.MARKET, *OrderType))
        tif = random.choice((TimeInForce.GTC, *TimeInForce))
        if type_ in (OrderType.STOP, OrderType.STOP_LIMIT) and random.random() < 0.95:
            tif = random.choice((TimeInForce.GTC, TimeInForce.DAY))
        limit_price = self._price(symbol) if type_.value.endswith("LIMIT") else None
        stop_price = self._price(symbol) if type_.value.startswith("STOP") else None
        quantity = random.choice((random.randint(1, 5), random.randint(1, 30)))
        return OrderRequest(side, quantity, type_, limit_price, stop_price, tif, symbol)

    def _price(self, symbol: str) -> Decimal:
        return Decimal(self.prices[symbol] * self.random.randint(975, 1025)) / 100_000


class World:
    """One drawn session."""

    def __init__(self, number: int) -> None:
        random = self.random = Random(number)
        self.instruments = [self._instrument(f"S{n}") for n in range(random.randint(1, 3))]
        self.prices = {each.symbol: 10_000 for each in self.instruments}
        self.kinds = {each.symbol: random.choice("qqtb") for each in self.instruments}
        self.limits = self._limits()
        self.strategy = Storm(random, self.prices)
        self.now_ns = random.randint(0, 3 * 86_400) * SECOND_NS + 5 * 86_400 * SECOND_NS
        cash = random.choice(("1000000", "1000000", "1000000", "3000"))
        self.cash = {each.quote: cash for each in self.instruments}
        credit = random.choice(("100000", "100000", "5"))
        is_two_sided = set(self.kinds.values()) == {"q"}
        rules = list(FillRule) if is_two_sided else [FillRule.NEXT_OPEN, FillRule.DECISION_CLOSE]
        apart = Random(f"besides {number}")  # so that the world is the one it was without them
        stale_action = apart.choice([*Action, *[Action.REFUSE] * 20])
        self.core: TradingCore = trading_core(
            self.strategy,
            *self.instruments,
            cash=self.cash,
            borrow={each.base: credit for each in self.instruments},
            order_quantity="2",
            rules=paper_rules(
                random.choice(rules),
                slippage_ticks=random.choice((0, 0, 2)),
                participation=random.choice(("0", "0.5")),
                latency_ns=random.choice((0, 0, 5 * SECOND_NS)),
            ),
            actions={**self._actions(), Code.STALE_DATA: stale_action},
            **self.limits,
        )
        self.shares = {
            name: apart.choice(("0", "0", "0", "0", "0", "0", share))
            for name, share in (("order", "0.01"), ("position", "0.02"), ("gross", "0.03"))
        }
        shares = self.shares
        limit_core(self.core, shares["order"], shares["position"], shares["gross"])
        self.checker = Checker(self.instruments, self.cash, self.limits, self.shares)
        self.refusals: Counter[str] = Counter()

    def _instrument(self, symbol: str) -> Instrument:
        random = self.random
        fees = fee_schedule(taker=random.choice(("0", "0.001")), minimum=random.choice(("0", "1")))
        return instrument(
            symbol,
            tick=random.choice(("0.01", "0.05")),
            lot=random.choice(("0.1", "0.5")),
            quote=random.choice(("USD", "USD", "EUR")),
            multiplier=random.choice(("1", "1", "10", "0.1")),
            settlement=random.choice(("spot", "margin")),
            leverage=random.choice((1, 20)),
            fees=fees,
        )

    def _limits(self) -> dict[str, Any]:
        random = self.random
        choices: dict[str, list[Any]] = {
            "max_order_quantity": ["10", "20.5"],
            "max_order_notional": ["800", "2500.5"],
            "max_position": ["10", "25", "60.5"],
            "collar": ["0.01", "0.02"],
            "max_open_orders": [1, 3, 6],
            "max_total_open_orders": [4, 9],
            "stale_after_ns": [20 * SECOND_NS],
            "duplicate_window_ns": [30 * SECOND_NS],
            "max_gross_exposure": ["2000", "4000.25", "9000"],
            "max_net_exposure": ["1000", "3000", "7000.5"],
            "max_drawdown": ["60", "400"],
            "max_drawdown_share": ["0.0005"],
            "max_daily_loss": ["40", "300"],
            "max_consecutive_losses": [2, 5],
            "max_orders": [1, 4, 15],
        }
        is_strict = random.random() < 0.3
        chance = 0.6 if is_strict else 0.3
        limits = {
            name: random.choice(values)
            for name, values in choices.items()
            if random.random() < chance * (0.4 if name.endswith(("losses", "loss")) else 1)
        }
        if "max_orders" in limits:
            limits["max_orders_window_ns"] = random.choice((1, 30, 300)) * SECOND_NS
        return limits

    def _actions(self) -> dict[Code, Action]:
        random = self.random
        losing = (Code.MAX_DRAWDOWN, Code.MAX_DAILY_LOSS, Code.CONSECUTIVE_LOSSES)
        actions = {code: random.choice([Action.REFUSE, *Action]) for code in losing}
        if random.random() < 0.1:
            actions[Code.MAX_POSITION] = Action.REDUCE_ONLY
        return actions

    def run(self) -> None:
        """Every event, each followed by a judgement. Raises Breach."""
        core = self.core
        self._judge(None, core.start(self.now_ns))
        for _ in range(EVENTS_PER_WORLD):
            event, tick_id = self._event(), core.order_manager.tick_id
            records = core.step(event)
            # An event whose time halts the session is not looked at.
            self._judge(event if core.order_manager.tick_id > tick_id else None, records)
            if core.is_halted or (core.is_blocked and self.random.random() < 0.1):
                break
        self._judge(None, core.stop())

    def _judge(self, event: MarketEvent | None, records: list[Record]) -> None:
        self.checker.apply(event, records, self.now_ns)
        self.checker.compare(self.core)
        for record in records:
            if type(record) is RefusalRecord:
                self.refusals.update(code.value for code in (record.code, *record.also))

    def _event(self) -> MarketEvent:
        random = self.random
        gap = random.choice((0, 1, 5, 12, 40)) if random.random() < 0.98 else 30_000
        self.now_ns += gap * SECOND_NS
        traded = random.choice(self.instruments)
        symbol = traded.symbol
        price = max(5_000, self.prices[symbol] + random.randint(-150, 150) // 5 * 5)
        self.prices[symbol] = price
        size = random.choice((0, 3, 20, 100)) * 10**traded.quantity_decimals
        kind = self.kinds[symbol]
        if kind == "t" or (kind == "q" and random.random() < 0.05):
            return Trade(self.now_ns, symbol, price, size, "", traded)
        if kind == "b":
            low, high = price - 5 * random.randint(0, 30), price + 5 * random.randint(0, 30)
            opening = random.randrange(low, high + 1, 5)
            interval_ns = 60 * SECOND_NS
            prices = (opening, high, low, price)
            return Bar(self.now_ns, symbol, interval_ns, *prices, size, traded)
        spread = random.choice((0, 5, 20, -5)) if random.random() < 0.2 else 5
        return Quote(self.now_ns, symbol, price, price + spread, size, size, traded)


def run_campaign(asked_min: int, seed: int) -> dict[str, Any]:
    """Worlds from number `seed` on until `asked_min` orders were asked for. Raises Breach."""
    asked = made = fills = events = worlds = 0
    refusals: Counter[str] = Counter()
    while asked < asked_min:
        world = World(seed + worlds)
        try:
            world.run()
        except Breach as breach:
            raise Breach(f"world {seed + worlds}: {breach}") from None
        worlds += 1
        asked += world.strategy.asked
        made += world.core.order_manager.order_count
        fills += world.core.order_manager.fill_count
        events += world.core.order_manager.tick_id
        refusals += world.refusals
    return {
        "worlds": worlds,
        "events": events,
        "asked": asked,
        "made": made,
        "fills": fills,
        "refusals": dict(refusals.most_common()),
    }


def main(arguments: list[str]) -> None:
    """Run from the command line; see the module."""
    if arguments[:1] == ["--world"]:
        World(int(arguments[1])).run()
        return
    asked = int(arguments[0]) if arguments else 20_000
    began = time.perf_counter()
    result = run_campaign(asked, int(arguments[1]) if len(arguments) > 1 else 0)
    for name, value in result.items():
        print(f"{name}: {value}")
    print(f"no breach in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
