"""basana: `of_basana.py FOLDER bars|quotes`.

Its exchange knows bars only: a quote is offered as a bar whose four prices are the middle of bid
and ask, so the spread is not modelled, and the order fills at the next quote of its symbol.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import sys
import time
from decimal import Decimal
from pathlib import Path

import basana
from basana.backtesting.exchange import Exchange
from basana.backtesting.liquidity import InfiniteLiquidity
from workload import SYMBOLS, Crossing, read, report

CASH = Decimal(1_000_000)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
ONE = Decimal(1)


def moment(when_ns: int) -> datetime.datetime:
    """Its time, to the microsecond."""
    return EPOCH + datetime.timedelta(microseconds=when_ns // 1_000)


def offer(what: str, rows: list[tuple[int, ...]], pairs: list[basana.Pair]) -> list[list[object]]:
    """Its events, for each pair."""
    events: list[list[object]] = [[] for _ in pairs]
    span = datetime.timedelta(minutes=1) if what == "bars" else datetime.timedelta(0)
    for row in rows:
        when = moment(row[0])
        if what == "bars":
            which, prices = 0, [Decimal(value) / 100 for value in row[1:5]]
        else:
            which, prices = row[1], [Decimal(row[2] + row[3]) / 200] * 4
        bar = basana.Bar(when - span, pairs[which], *prices, Decimal(1_000), span)
        events[which].append(basana.BarEvent(when, bar))
    return events


async def run(folder: Path, what: str) -> None:
    """Run it and report."""
    logging.disable(logging.CRITICAL)
    rows = read(folder, what)
    pairs = [basana.Pair(name[:3], "USD") for name in (SYMBOLS[:1] if what == "bars" else SYMBOLS)]
    dispatcher = basana.backtesting_dispatcher()
    exchange = Exchange(dispatcher, {"USD": CASH}, liquidity_strategy_factory=InfiniteLiquidity)
    rule, seen, orders = Crossing(), dict.fromkeys(pairs, 0), 0

    async def on_bar(event: basana.BarEvent) -> None:
        nonlocal orders
        pair = event.bar.pair
        seen[pair] += 1
        if what == "bars":
            sign = rule.sign(int(event.bar.close * 100))
        else:
            sign = (1 if seen[pair] % 200 else -1) if seen[pair] % 100 == 0 else 0
        if sign:
            orders += 1
            side = basana.OrderOperation.BUY if sign > 0 else basana.OrderOperation.SELL
            await exchange.create_market_order(side, pair, ONE)

    for pair, events in zip(pairs, offer(what, rows, pairs), strict=True):
        exchange.set_pair_info(pair, basana.PairInfo(0, 3))
        exchange.add_bar_source(basana.FifoQueueEventSource(events=events))
        exchange.subscribe_to_bar_events(pair, on_bar)
    began = time.perf_counter()
    await dispatcher.run()
    seconds = time.perf_counter() - began
    balances = await exchange.get_balances()
    profit = balances["USD"].total - CASH
    for number, pair in enumerate(pairs):
        if pair.base_symbol in balances:
            last = [row for row in rows[-1_000:] if what == "bars" or row[1] == number][-1]
            price = Decimal(last[4]) / 100 if what == "bars" else Decimal(last[2] + last[3]) / 200
            profit += balances[pair.base_symbol].total * price
    rule_of_fills = "next_open" if what == "bars" else "next_mid"
    report(len(rows), seconds, orders, rule_of_fills, float(profit))


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), sys.argv[2]))
