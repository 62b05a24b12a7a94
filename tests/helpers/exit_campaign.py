"""Random sessions with exits against a venue that misbehaves: what `venue_campaign` judges, and

- no exit fills beyond what was held when it filled, by the venue's own fills in their own order;
- of one group at most one order is on its way or at the venue when another is sent;
- the exits of a bracket fill no more than its entry did, unless the strategy changed one;
- a session put back from a snapshot goes on as the one that ran through.

    python tests/helpers/exit_campaign.py --sequences 3000 --seed 1
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from decimal import Decimal
from typing import Any

from venue_campaign import JudgedStory, run_sequence
from venue_story import Maker

from logos.core.orders import BRACKET_MARK
from logos.core.records import OrderRecord, OrderUpdate, WarningRecord
from logos.core.saved.state import is_savable, restore_core, save_core
from logos.core.strategy import (
    Answer,
    Context,
    OrderRequest,
    Replace,
    Strategy,
    limit,
    market,
    stop,
    stop_limit,
)
from logos.core.types import Code, OrderStatus, Side
from logos.testing.venue_core import outbox_of


class ExitMaker(Maker):
    """Answers with brackets, pairs and orders that only reduce, half of the time."""

    def _next(self, context: Context, symbol: str) -> Answer:
        random, bid = context.random, context.bid(symbol)
        if bid is None or random.random() < 0.4:
            return super()._next(context, symbol)
        return self._with_exits(context, symbol, bid)

    def _with_exits(self, context: Context, symbol: str, bid: Decimal) -> Answer:
        random = context.random
        quantity = Decimal(random.randint(1, 3000)).scaleb(-3)
        near, far = (Decimal(random.randint(1, 80)).scaleb(-2) for _ in range(2))
        side = random.choice((Side.BUY, Side.SELL))
        down, up = bid - near, bid + far
        draw = random.random()
        if draw < 0.45:
            loss, profit = (down, up) if side is Side.BUY else (up, down)
            ends: dict[str, Any] = {"stop_loss": loss, "take_profit": profit, "symbol": symbol}
            if draw < 0.3:
                return market(side, quantity, **ends)
            return limit(side, quantity, bid, **ends)
        if draw < 0.55:
            name = random.choice(("", "pair"))
            return [
                stop(Side.BUY, quantity, up, symbol=symbol, group=name),
                stop(Side.SELL, quantity, down, symbol=symbol, group=name),
            ]
        trailed = [each for each in context.open_orders(symbol) if each.stop_price is not None]
        if trailed and draw < 0.65:
            return Replace(random.choice(trailed).order_id, stop_price=down)
        return self._reducing(context, symbol, quantity, (down, up))

    def _reducing(
        self, context: Context, symbol: str, quantity: Decimal, levels: tuple[Decimal, Decimal]
    ) -> list[OrderRequest]:
        held = context.position(symbol)
        side = Side.SELL if held > 0 else Side.BUY
        worse, better = levels if held > 0 else levels[::-1]
        how: dict[str, Any] = {"symbol": symbol, "reduce_only": True}
        how["group"] = context.random.choice(("", "exit"))
        return [
            stop(side, quantity, worse, **how),
            limit(side, quantity, better, **how),
            stop_limit(side, quantity, worse, worse, **how),
            market(side, quantity, **how),
        ][context.random.randint(0, 2) : context.random.randint(2, 4)]


class ExitStory(JudgedStory):
    """A sequence with exits, and what of it is wrong."""

    def maker(self) -> Strategy:
        return ExitMaker()

    async def crash(self) -> None:
        """As of any session; and what a snapshot would have held is what was run again."""
        batches = len(self.batches)
        state = save_core(self.core) if is_savable(self.core) else None
        await super().crash()
        if state is None or len(self.batches) != batches:
            return
        restored = self.new_core(self.switch)
        restore_core(restored, json.loads(json.dumps(state)))
        self.outcome.counts["snapshots"] += 1
        if save_core(restored) != save_core(self.core):
            self.outcome.wrong.append("a snapshot holds another session than the one run again")

    def on_submit(self, client_order_id: str) -> None:
        super().on_submit(client_order_id)
        order = outbox_of(self.core).open[client_order_id]
        mates = [
            each
            for each in outbox_of(self.core).open.values()
            if order.group and each.group == order.group and each is not order
            if each.instrument is order.instrument
        ]
        if mates:
            self.outcome.wrong.append(f"{client_order_id} leaves beside others of its group")

    async def judge(self) -> None:
        await super().judge()
        if not self.ghosts():
            self.check_fills()
        for record in self.records:
            if isinstance(record, OrderUpdate) and record.status is OrderStatus.NEW:
                self.outcome.counts["exits sent"] += not record.quantity_units
            elif isinstance(record, WarningRecord):
                self.outcome.counts[f"warnings {record.code}"] += 1
            elif isinstance(record, OrderRecord) and record.follows:
                self.outcome.counts["exits again"] += 1

    def check_fills(self) -> None:
        """Go through the venue's fills as they happened there."""
        orders = {
            record.client_order_id: record
            for record in self.records
            if isinstance(record, OrderRecord)
        }
        held: Counter[str] = Counter()
        entries: Counter[str] = Counter()
        for each in self.venue.books.fills:
            fill = each.fill
            order = orders.get(fill.client_order_id)
            if order is None:
                continue
            sign = 1 if fill.side is Side.BUY else -1
            if order.reduce_only:
                self.outcome.counts["exit fills"] += 1
                if fill.quantity_units > -sign * held[fill.symbol]:
                    words = f"{fill.quantity_units} of {held[fill.symbol]} held"
                    self.outcome.wrong.append(f"exit {fill.client_order_id} filled {words}")
            held[fill.symbol] += sign * fill.quantity_units
            entries[fill.client_order_id] += fill.quantity_units
        for name, quantity in self._by_bracket(orders, entries).items():
            if quantity > entries[name]:
                words = f"{quantity}, it {entries[name]}"
                self.outcome.wrong.append(f"exits of the bracket {name} filled {words}")

    def _by_bracket(self, orders: dict[str, OrderRecord], filled: Counter[str]) -> Counter[str]:
        """What the exits of each bracket filled, by the client id of its entry; not of one whose
        strategy has changed an exit, for it may ask for more."""
        session_id = self.core.order_manager.session_id
        replaced = {
            record.order_id
            for record in self.records
            if isinstance(record, OrderUpdate) and record.reason == Code.REPLACED.value
        }
        changed = {order.group for order in orders.values() if order.order_id in replaced}
        found: Counter[str] = Counter()
        for name, order in orders.items():
            is_exit = order.reduce_only and order.group.startswith(BRACKET_MARK)
            if is_exit and order.group not in changed:
                found[f"{session_id}-{order.group.removeprefix(BRACKET_MARK)}"] += filled[name]
        return found


def run_exits(seed: int) -> Any:
    """One sequence by its seed."""
    return run_sequence(seed, ExitStory)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1, help="the first sequence's seed")
    arguments = parser.parse_args()
    counts: Counter[str] = Counter()
    wrong = 0
    began = time.monotonic()
    for seed in range(arguments.seed, arguments.seed + arguments.sequences):
        outcome = run_exits(seed)
        counts += outcome.counts
        if outcome.wrong:
            wrong += 1
            print(f"seed {seed}:", *outcome.wrong, sep="\n  ", flush=True)
    print(f"{arguments.sequences} sequences, {wrong} wrong, {time.monotonic() - began:.0f} s")
    for name, number in sorted(counts.items()):
        print(f"  {name}: {number}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
