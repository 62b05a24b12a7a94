"""Random sessions through the real ccxt against the simulated exchanges, each judged.

The stories are those of `venue_campaign`; the venue is a profile's: `CcxtVenue` as it is, ccxt as
it is, and the exchange's dialect behind it, without sockets. Requests are lost before and after
they were handled, turned away, answered with half an answer or with words that nobody knows; orders
are not found for a moment; they fill in parts at random; the process dies and begins again without
any memory of ids. In the end the exchange calms down and the judge compares:

- no intent has more than one order at the exchange, whatever was lost;
- what is held there never went beyond `max_position`, at any moment;
- wallets, fees and open orders are the exchange's, exactly, or the session has stopped with the
  reason on record;
- nothing of others was touched; the recorded inputs in a fresh core give the same records.

    python tests/helpers/exchange_campaign.py --exchange kraken --sequences 1000 --seed 1
"""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from random import Random

from exchange_side import ExchangeSide
from exchange_wire import Wire
from round_trips import CASES, Case
from venue_campaign import JudgedStory, run_sequence
from venue_story import Maker, ShownSwitch
from venue_tools import NOW_NS, Word

from logos.adapters.ccxt.venue import CcxtVenue
from logos.core.engine import TradingCore
from logos.core.fixed import to_decimal
from logos.core.instrument import instrument
from logos.core.messages import Quote
from logos.core.strategy import Answer, Cancel, Context, Target, limit, market
from logos.core.types import Side, TimeInForce
from logos.execution.reconcile import Reconciler
from logos.execution.venue_link import VenueLink
from logos.simulators.exchange.account import PlacedOrder
from logos.testing.builders import fee_schedule
from logos.testing.venue_core import venue_core
from logos.venues.ids import ClientIds

MAX_POSITION = "0.050"


class Trader(Maker):
    """As its kind, in sizes and prices that every exchange takes."""

    def _next(self, context: Context, symbol: str) -> Answer:
        random = context.random
        draw = random.random()
        side = random.choice((Side.BUY, Side.SELL))
        quantity = Decimal(random.randint(1, 20)).scaleb(-3)
        price = Decimal(random.randint(900, 1100) * 100)
        working = context.open_orders(symbol)
        if draw < 0.3:
            return None
        if draw < 0.5:
            return market(side, quantity, symbol=symbol)
        if draw < 0.8:
            force = random.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC))
            return limit(side, quantity, price, symbol=symbol, time_in_force=force)
        if draw < 0.9:
            return Target(str(random.choice(("-0.02", "0", "0.03", "0.05"))), symbol)
        return Cancel(random.choice(working).order_id) if working else None


class ExchangeStory(JudgedStory):
    """A story at a profile's exchange; `CASE` is set by who runs it."""

    CASE: Case

    def __init__(self, seed: int) -> None:
        self.exchange_side: ExchangeSide | None = None
        self.is_paced = Random(seed + 4).random() < 0.3
        """Whether requests keep to what the exchange says it bears."""
        super().__init__(seed)
        self.is_extreme = False

    # ---- the session ----

    @property
    def side(self) -> ExchangeSide:
        """The exchange, made with the story's clock."""
        if self.exchange_side is None:
            self.clock.set_ns(max(self.clock.now_ns(), NOW_NS))
            random = Random(self.outcome.seed + 1)
            self.exchange_side = ExchangeSide(self.CASE, random, self.clock)
        return self.exchange_side

    def make(self) -> tuple[TradingCore, VenueLink, Reconciler]:
        case, side = self.CASE, self.side
        coin = instrument(
            "COIN",
            base="BTC",
            quote=case.quote,
            tick=case.tick,
            lot=case.lot,
            min_quantity=case.lot,
            fees=fee_schedule(maker="0.001", taker="0.001", decimals=8),
        )
        self.instruments = [coin]
        password = Word(case.keys.password) if case.keys.password else None
        venue = CcxtVenue(
            case.exchange_id,
            {"COIN": coin},
            self.clock,
            Random(self.outcome.seed + 3),
            key=Word(case.keys.key),
            secret=Word(case.keys.secret),
            password=password,
            sandbox=False,
            url="http://127.0.0.1:1",
            session_id="test",
            limit_rate=self.is_paced,
        )
        venue._exchange.ssl_context = False
        venue._exchange.session = Wire(side.exchange, side.way.wait)
        self.venue = venue  # type: ignore[assignment]
        return super().make()

    def new_core(self, switch: ShownSwitch) -> TradingCore:
        return venue_core(
            Trader(),
            *self.instruments,
            switch=switch,
            cash={asset: str(much) for asset, much in self.side.first.items()},
            max_position=MAX_POSITION,
            seed=self.outcome.seed,
        )

    async def begin(self) -> None:
        faults, odds = self.side.exchange.faults, self.side.exchange.faults._odds
        faults._odds = {}
        await self.within(self.venue.open())
        faults._odds = odds
        await super().begin()

    # ---- what happens ----

    async def happen(self, draw: float) -> None:
        if draw < 0.72 or not self.batches:
            bid = self.random.randint(900, 1100)
            self.side.now(bid)
            self.drain()
            coin = self.instruments[0]
            # A hundred is so many of the units in which the instrument counts prices.
            unit = 100 * 10**coin.price_decimals
            self.step(
                [Quote(self.clock.now_ns(), "COIN", bid * unit, (bid + 1) * unit, -1, -1, coin)]
            )
            return
        if 0.88 <= draw < 0.9 and self.outcome.seed % 10 == 0:
            self.strangers += 1
            if self.strangers == 1:
                market_id = self.CASE.market_id()
                self.side.account.place_by_hand(market_id, "BUY", "0.010", "50000.00", "web_1")
            return
        if 0.9 <= draw < 0.91:
            return
        await super().happen(draw)

    def on_submit(self, _client_order_id: str) -> None:
        """The link is asked in the other campaign."""

    async def pass_time(self, seconds: float) -> None:
        await super().pass_time(seconds)
        self.side.now()

    async def finish(self) -> None:
        self.drain()
        self.step(None)
        self.side.calm()
        for _ in range(400):
            if not self.link.open_count and not self.inbox:
                break
            await self.pass_time(1.0)
            self.drain()
        await self.pass_time(40.0)
        self.drain()

    # ---- the judge ----

    def ghosts(self) -> list[str]:
        return []

    def compare(self) -> list[str]:
        """In what the session's books differ from the exchange's, and what may never be."""
        self.side.measure()
        assert self.side.first["BTC"] + self.side.moved == self.side.account.total("BTC")
        self.judge_holdings()
        found = []
        account = self.side.account
        for wallet in self.core.order_manager.account.wallets:
            mine, theirs = to_decimal(wallet.balance, wallet.decimals), account.total(wallet.asset)
            if mine != theirs:
                found.append(f"{wallet.asset}: {mine} here, {theirs} there")
        ours = [each for each in account.orders if each.is_open and not self.is_strange(each)]
        if ours:
            found.append(f"still open there: {[each.client_id for each in ours]}")
        strange = [each for each in account.orders if each.is_open and self.is_strange(each)]
        if len(strange) != min(self.strangers, 1):
            found.append("a stranger's order was touched")
        return found

    def sent_twice(self) -> str:
        names = Counter(each.client_id for each in self.side.account.orders)
        twice = [name for name, times in names.items() if times > 1]
        return f"more than one order for an intent: {twice}" if twice else ""

    def arrived(self) -> set[str]:
        """Told as the session calls them: some exchanges are given another form of the id."""
        here: ClientIds = self.venue._ids  # type: ignore[attr-defined]
        ours = (each.client_id for each in self.side.account.orders if not self.is_strange(each))
        return {here.to_ours(name) for name in ours}

    def judge_holdings(self) -> None:
        say = self.outcome.wrong.append
        if self.side.furthest > Decimal(MAX_POSITION):
            say(f"{self.side.furthest} were held, and {MAX_POSITION} is the most")

    def is_strange(self, order: PlacedOrder) -> bool:
        return order.client_id == "web_1"


def story_of(case: Case) -> type[ExchangeStory]:
    """The stories at one exchange."""
    return type("Story", (ExchangeStory,), {"CASE": case})


def run_all(case: Case, seeds: Sequence[int], stop: bool = False) -> tuple[int, Counter[str]]:
    """How many sequences went wrong at an exchange, told as they come, and what happened."""
    counts: Counter[str] = Counter()
    wrong = 0
    for seed in seeds:
        outcome = run_sequence(seed, story_of(case))
        counts += outcome.counts
        if outcome.wrong:
            wrong += 1
            print(f"{case.exchange_id} seed {seed}:", *outcome.wrong, sep="\n  ", flush=True)
            if stop:
                break
    return wrong, counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exchange", help="its ccxt id (default: each of the suite's)")
    parser.add_argument("--sequences", type=int, default=100, help="of each exchange")
    parser.add_argument("--seed", type=int, default=1, help="the first sequence's seed")
    parser.add_argument("--stop", action="store_true", help="stop at the first that goes wrong")
    arguments = parser.parse_args()
    failed = 0
    for case in CASES:
        if arguments.exchange not in (None, case.exchange_id):
            continue
        began = time.monotonic()
        seeds = range(arguments.seed, arguments.seed + arguments.sequences)
        wrong, counts = run_all(case, seeds, arguments.stop)
        failed += wrong
        took_s = time.monotonic() - began
        print(f"{case.exchange_id}: {len(seeds)} sequences, {wrong} wrong, {took_s:.0f} s")
        for name, number in sorted(counts.items()):
            print(f"  {name}: {number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
