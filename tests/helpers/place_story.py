"""A story at a simulated place whose requests take time, and how it is judged.

Who trades, what happens and what may never be are the same at every exchange and at the broker;
what the place is, and which adapter asks it, says each campaign.
"""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import asyncio
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any, ClassVar, Protocol

from campaign_troubles import Neighbour, Outages, Streams, close_count
from exchange_side import Way
from venue_campaign import JudgedStory
from venue_story import Maker, Outcome, ShownSwitch
from venue_tools import NOW_NS

from logos.core.engine import TradingCore
from logos.core.fixed import to_decimal
from logos.core.instrument import Instrument
from logos.core.messages import Quote
from logos.core.records import GuardRecord
from logos.core.strategy import Answer, Cancel, Context, Replace, Target, limit, market
from logos.core.types import Side, TimeInForce
from logos.execution.reconcile import Reconciler
from logos.execution.venue_link import VenueLink
from logos.simulators.account import BookOrder
from logos.simulators.exchange.server import Exchange
from logos.testing.venue_core import venue_core
from logos.venues.contract import Venue
from logos.venues.ids import ClientIds

STRANGER = "web_1"
"""The client id of an order that the account's owner made elsewhere."""


class Place(Protocol):
    """The simulated place of one story."""

    exchange: Exchange
    way: Way
    outages: Outages
    streams: Streams
    counts: Counter[str]
    """What went wrong on purpose, besides requests and outages."""
    first: dict[str, Decimal]
    """What the account holds at first, by asset."""
    base: str
    """What is traded."""
    step: Decimal
    """Quantities are one to twenty of it; fifty of it are the most that may be held."""
    price_step: Decimal
    """Prices are about a thousand of it."""
    moved: Decimal
    """How much of the base came since, and the furthest that it ever was from none."""
    furthest: Decimal

    @property
    def orders(self) -> Sequence[BookOrder]: ...

    def now(self, bid: int | None = None) -> None:
        """Time has gone on, and perhaps the price; orders meet the market."""

    def measure(self) -> None:
        """Bring `moved` and `furthest` up to date."""

    def total(self, asset: str) -> Decimal:
        """What the account has of an asset."""

    def stranger(self) -> None:
        """The account's owner makes an order elsewhere, far from the market."""

    def calm(self) -> None:
        """Everything works from now on."""


class Trader(Maker):
    """As its kind, in sizes and prices that the place takes."""

    def __init__(self, step: Decimal, price_step: Decimal) -> None:
        super().__init__()
        self._step, self._price_step = step, price_step

    def _next(self, context: Context, symbol: str) -> Answer:
        random = context.random
        draw = random.random()
        side = random.choice((Side.BUY, Side.SELL))
        quantity = random.randint(1, 20) * self._step
        price = random.randint(900, 1100) * self._price_step
        working = context.open_orders(symbol)
        if draw < 0.3:
            return None
        if draw < 0.48:
            return market(side, quantity, symbol=symbol)
        if draw < 0.76:
            force = random.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC))
            return limit(side, quantity, price, symbol=symbol, time_in_force=force)
        if draw < 0.84:
            return Target(str(random.choice((-20, 0, 30, 50)) * self._step), symbol)
        if not working:
            return None
        chosen = random.choice(working)
        if draw < 0.93 or chosen.limit_price is None:
            return Cancel(chosen.order_id)
        return Replace(chosen.order_id, quantity=quantity, limit_price=price)


class PlaceStory(JudgedStory):
    """A story at a simulated place."""

    SYMBOL: ClassVar[str]

    def __init__(self, seed: int) -> None:
        self._place: Place | None = None
        draw = Random(seed + 5).random
        self.neighbour: Neighbour | None = None
        """Another session of the account, in some stories."""
        self.has_neighbour = draw() < 0.25
        super().__init__(seed)
        self.is_extreme = False

    @abstractmethod
    def new_place(self, random: Random) -> Place:
        """The place, on the story's clock."""

    @abstractmethod
    def instrument(self) -> Instrument:
        """What is traded, by the symbol SYMBOL."""

    @abstractmethod
    def new_venue(self, traded: Instrument) -> Venue:
        """The adapter, as it is after a start."""

    # ---- the session ----

    @property
    def side(self) -> Place:
        """The place, made with the story's clock."""
        if self._place is None:
            self.clock.set_ns(max(self.clock.now_ns(), NOW_NS))
            self._place = self.new_place(Random(self.outcome.seed + 1))
        return self._place

    def make(self) -> tuple[TradingCore, VenueLink, Reconciler]:
        traded = self.instrument()
        self.instruments = [traded]
        venue = self.new_venue(traded)
        self.venue = venue  # type: ignore[assignment]
        if self.has_neighbour and getattr(venue, "budget", None) is not None:
            if self.neighbour is None:
                self.neighbour = Neighbour(self.outcome.seed, self.clock)
            venue.shared_budget = self.neighbour.path  # type: ignore[attr-defined]
        return super().make()

    def new_core(self, switch: ShownSwitch) -> TradingCore:
        return venue_core(
            Trader(self.side.step, self.side.price_step),
            *self.instruments,
            switch=switch,
            cash={asset: str(much) for asset, much in self.side.first.items()},
            max_position=str(self.most),
            seed=self.outcome.seed,
        )

    @property
    def most(self) -> Decimal:
        """The most that may be held."""
        return 50 * self.side.step

    async def begin(self) -> None:
        faults = self.side.exchange.faults
        odds, rules = faults._odds, faults.rules
        faults._odds, faults.rules = {}, []
        await self.within(self.venue.open())
        faults._odds, faults.rules = odds, rules
        await super().begin()
        if self.neighbour is not None:
            venue: Any = self.venue
            running = self.neighbour.run(lambda: venue.budget)
            self.tasks.append(asyncio.create_task(running))

    async def end_tasks(self) -> None:
        await super().end_tasks()
        close_count(self.link.lane)

    async def run(self) -> Outcome:
        try:
            return await super().run()
        finally:
            if self.neighbour is not None:
                self.neighbour.end()

    # ---- what happens ----

    async def happen(self, draw: float) -> None:
        if draw < 0.72 or not self.batches:
            bid = self.random.randint(900, 1100)
            self.side.now(bid)
            self.drain()
            traded = self.instruments[0]
            unit = int(self.side.price_step.scaleb(traded.price_decimals))
            prices = bid * unit, (bid + 1) * unit
            self.step([Quote(self.clock.now_ns(), self.SYMBOL, *prices, -1, -1, traded)])
            if self.random.random() < 0.01:
                # Orders are on their way from the core to the venue just now.
                self.switch.engage("campaign", "kill")
                self.outcome.counts["kills behind orders"] += 1
            return
        if 0.88 <= draw < 0.9 and self.outcome.seed % 10 == 0:
            self.strangers += 1
            if self.strangers == 1:
                self.side.stranger()
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
        base = self.side.base
        assert self.side.first[base] + self.side.moved == self.side.total(base)
        self.judge_holdings()
        found = []
        for wallet in self.core.order_manager.account.wallets:
            mine, theirs = (
                to_decimal(wallet.balance, wallet.decimals),
                self.side.total(wallet.asset),
            )
            if mine != theirs:
                found.append(f"{wallet.asset}: {mine} here, {theirs} there")
        ours = [each for each in self.side.orders if each.is_open and not self.is_strange(each)]
        if ours:
            found.append(f"still open there: {[each.client_id for each in ours]}")
        strange = [each for each in self.side.orders if each.is_open and self.is_strange(each)]
        if len(strange) != min(self.strangers, 1):
            found.append("a stranger's order was touched")
        return found

    def sent_twice(self) -> str:
        names = Counter(each.client_id for each in self.side.orders)
        twice = [name for name, times in names.items() if times > 1]
        return f"more than one order for an intent: {twice}" if twice else ""

    def arrived(self) -> set[str]:
        """Told as the session calls them: some exchanges are given another form of the id."""
        here: ClientIds = self.venue._ids  # type: ignore[attr-defined]
        ours = (each.client_id for each in self.side.orders if not self.is_strange(each))
        return {here.to_ours(name) for name in ours}

    def judge_holdings(self) -> None:
        say = self.outcome.wrong.append
        if self.side.furthest > self.most:
            say(f"{self.side.furthest} were held, and {self.most} is the most")

    def count(
        self, trouble: Sequence[GuardRecord], differences: list[str], ghosts: list[str]
    ) -> None:
        super().count(trouble, differences, ghosts)
        counts = self.outcome.counts
        counts["sequences whose books were equal"] += not differences
        counts["sequences stopped by a kill or to reduce only"] += bool(
            self.switch.authority() and not trouble
        )
        for _, fault in self.side.exchange.faults.spoiled:
            counts[f"fault {fault.value}"] += 1
        counts.update(self.side.counts)
        counts.update(self.side.outages.counts)
        counts.update(self.side.streams.counts)
        if self.neighbour is not None:
            counts["sequences beside a second session"] += 1
            counts.update(self.neighbour.counts)

    def is_strange(self, order: BookOrder) -> bool:
        return order.client_id == STRANGER
