"""The simulated broker of one story of a campaign: its market, its faults, and what fills when.

As `exchange_side`, and besides: statuses in which an order waits, a stock market that closes and
opens, prices better than the best one, a limit of requests, and a stream of orders that loses
words and breaks.
"""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from campaign_troubles import Outages, Streams, heard_within
from exchange_side import SKEWS_NS, ClockMarket, OrderlyHoldings, Way, roll_faults
from place_story import STRANGER

from logos.adapters.alpaca.updates import _ALIVE, _news
from logos.simulators.alpaca import AlpacaAccount
from logos.simulators.alpaca.book import BrokerOrder, coin_fee
from logos.simulators.alpaca.updates import _Listener
from logos.simulators.exchange.market import Listing
from logos.simulators.exchange.server import Exchange
from logos.testing.clock import ManualClock
from logos.venues.contract import OrderNews, Unavailable
from logos.venues.ids import ClientIds

KEY, SECRET = "PKCAMPAIGN1234567890", "q3LmZv8RtYpW1zB6nC4dF9gH2jK7sA5uEiOoXxCc"
_WAITS = ("held", "calculated", "suspended", "pending_review", "pending_cancel", "pending_new")
_PING_S = 8.0


class BrokerSide:
    """The simulated broker of one story, of a share or of a coin."""

    def __init__(self, what: str, random: Random, clock: ManualClock) -> None:
        self.random, self.clock = random, clock
        self.is_coin = what == "coins"
        self.base = "BTC/USD" if self.is_coin else "AAPL"
        self.step = Decimal("0.001") if self.is_coin else Decimal(1)
        self.price_step = Decimal(100) if self.is_coin else Decimal("0.10")
        lot = "0.0001" if self.is_coin else "1"
        self.listing = Listing(self.base, self.base, "USD", lot=lot, minimum_quantity=lot)
        self.exchange = Exchange(ClockMarket([self.listing], clock))
        self.exchange.faults = OrderlyHoldings()
        limit = random.choice((0, 200, 200))
        account = AlpacaAccount(self.exchange, KEY, SECRET, cash="1000000", requests_a_minute=limit)
        self.account, self.troubles = account, account.troubles
        # So small a part makes the session count coins as finely as the broker does.
        owned = Decimal("10.000000001") if self.is_coin else Decimal(1000)
        account.held[self.base] = owned
        self.first = {"USD": account.cash, self.base: owned}
        account.improvement = Decimal(random.choice(("0", "0.0013")))
        self.way = Way(random, clock)
        self.moved = self.furthest = Decimal(0)
        self._seen = 0
        self.hides = random.random() < 0.5
        self.fills_often = random.random()
        self.slips_in = random.choice((0.0, 0.2, 0.6))
        self.closes = not self.is_coin and random.random() < 0.3
        self.days_end = random.choice((0.0, 0.02))
        self.holds_up = random.choice((0.0, 0.0, 0.05))
        self._held_up: dict[str, str] = {}
        self.troubles.before_cancel = self.before_cancel
        roll_faults(self.exchange.faults, random)
        self.counts: Counter[str] = Counter()
        self.exchange.market.skew_ns = random.choice(SKEWS_NS)
        self.counts["sequences at a clock that is off"] = int(self.exchange.market.skew_ns != 0)
        self.outages = Outages(self.exchange.faults, Random(random.random()), clock)
        self.streams = Streams(Random(random.random()), clock)

    @property
    def orders(self) -> Sequence[BrokerOrder]:
        """All there ever were."""
        return self.account.orders

    def total(self, asset: str) -> Decimal:
        """What the account has of an asset."""
        return self.account.cash if asset == "USD" else self.account.held[asset]

    def now(self, bid: int | None = None) -> None:
        """Time has gone on, and perhaps the price; orders meet the market."""
        draw = self.random.random
        if bid is not None:
            low, high = bid * self.price_step, (bid + 1) * self.price_step
            now_ns = self.exchange.market.now_ns
            self.listing.add_top(now_ns, f"{low:.2f}", f"{high:.2f}", "50", "50")
        if draw() < self.days_end:
            self.account.post_fees()
        if self.closes and draw() < 0.05:
            self.account.is_open = not self.account.is_open
        self.outages.now()
        self.account.match_all()
        for order in self.orders:
            if not order.is_open or order.client_id == STRANGER:
                continue
            if self.hides and not order.filled and draw() < 0.02:
                self.counts["orders not found for a moment"] += 1
                self.troubles.not_found.setdefault(order.client_id, self.random.randint(1, 2))
            self.hold_up(order)
            if order.limit and draw() < 0.15 * self.fills_often:
                self.fill_part(order)
        self.measure()

    def hold_up(self, order: BrokerOrder) -> None:
        """Let an order wait for a while, in one of the statuses in which it does."""
        before = self._held_up.get(order.client_id)
        if before is not None and self.random.random() < 0.3:
            del self._held_up[order.client_id]
            self.account.put(order.client_id, before)
        elif before is None and self.random.random() < self.holds_up:
            self._held_up[order.client_id] = order.status
            self.account.put(order.client_id, self.random.choice(_WAITS))

    def fill_part(self, order: BrokerOrder) -> None:
        """Fill some of it, perhaps all."""
        if not order.may_fill or not (self.is_coin or self.account.is_open):
            return
        left = int(order.remaining / self.step)
        part = self.random.randint(1, max(1, left)) if left else 0
        quantity = min(order.remaining, part * self.step)
        if quantity:
            self.account.fill(order.client_id, f"{quantity:f}")

    def before_cancel(self, order: BrokerOrder) -> None:
        """A fill may slip in before a cancel takes effect."""
        is_ours = order.client_id != STRANGER and order.is_open and order.limit
        if is_ours and self.random.random() < self.slips_in:
            self.counts["fills that slipped in before a cancel"] += 1
            self.fill_part(order)

    def measure(self) -> None:
        """How far what is held has ever been from what there was at first, by each execution."""
        for each in self.account.activities[self._seen :]:
            if each.order_id:
                self.moved += each.quantity if each.side == "buy" else -each.quantity
                if self.is_coin and each.side == "buy":
                    self.moved -= coin_fee(each.quantity, self.account.fee_rate)
                self.furthest = max(self.furthest, abs(self.moved))
        self._seen = len(self.account.activities)

    def stranger(self) -> None:
        """The account's owner makes an order elsewhere, far from the market."""
        self.account.place_by_hand(
            {
                "symbol": self.base, "side": "buy", "type": "limit", "time_in_force": "gtc",
                "qty": f"{10 * self.step:f}", "limit_price": f"{500 * self.price_step:f}",
                "client_order_id": STRANGER,
            }
        )  # fmt: skip

    def calm(self) -> None:
        """Everything works from now on."""
        self.exchange.faults.clear()
        self.outages.calm()
        self.way.calm()
        self.troubles.not_found.clear()
        self.hides, self.closes, self.holds_up, self.days_end = False, False, 0.0, 0.0
        self.account.is_open = True
        for name, status in self._held_up.items():
            if self.account.order(name).is_open:
                self.account.put(name, status)
        self._held_up.clear()

    # ---- the stream of orders ----

    async def news(self, ids: ClientIds) -> AsyncIterator[OrderNews]:
        """As `order_news`, of this broker's events. Raises Unavailable when the stream breaks."""
        nobody: Any = None
        listener = _Listener(nobody, nobody, is_listening=True)
        streams = self.streams
        if streams.kind == "none":
            raise Unavailable("alpaca: trade_updates: no connection")
        listeners = self.account.updates._listeners
        listeners.append(listener)
        try:
            yield _ALIVE
            while True:
                # A pong, where nothing is said.
                message = await heard_within(self.clock, listener.waiting, _PING_S)
                if await streams.keeps():
                    yield _ALIVE if message is None else _news(json.loads(json.dumps(message)), ids)
        finally:
            listeners.remove(listener)
