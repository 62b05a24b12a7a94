"""The simulated exchange of one story of a campaign: its market, its faults, and what fills when.

Requests are lost before and after they were handled, turned away, answered with half an answer or
with words that nobody knows; they take their time; lists come doubled, turned or short; orders are
not found for a moment, fill in parts, and fill while a cancel is on its way.
"""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from random import Random

from campaign_troubles import Outages, Streams
from round_trips import Case

from logos.simulators.exchange.account import PlacedOrder, SpotAccount
from logos.simulators.exchange.binance import BinanceShape
from logos.simulators.exchange.faults import Fault, FaultPlan, Rule
from logos.simulators.exchange.market import Listing, Market
from logos.simulators.exchange.orders import ExchangeOrders
from logos.simulators.exchange.server import Exchange
from logos.testing.clock import ManualClock

LOSING = (
    Fault.TIMEOUT_BEFORE,
    Fault.TIMEOUT_AFTER,
    Fault.RESET_BEFORE,
    Fault.RESET_AFTER,
    Fault.RATE_LIMIT,
    Fault.SERVER_ERROR,
    Fault.SERVER_ERROR_AFTER,
    Fault.UNAVAILABLE,
    Fault.UNSURE,
    Fault.MALFORMED,
    Fault.TRUNCATED,
)

SPOILING = (Fault.DUPLICATE, Fault.REORDERED, Fault.LATE, Fault.GAP)
"""Of lists: rows that come twice, in another order, or not yet."""


SKEWS_NS = (0, 0, 0, 400_000_000, -400_000_000)
"""How far the exchange's clock is ahead of ours: less than a request's signature bears."""


class OrderlyHoldings(FaultPlan):
    """Lists of what is held come whole: only lists of orders and of what happened lag behind."""

    def next(self, request_line: str) -> Rule | None:
        rule = super().next(request_line)
        is_spoiled = rule is not None and rule.fault in SPOILING
        return None if is_spoiled and "/positions" in request_line else rule


def roll_faults(faults: FaultPlan, random: Random) -> None:
    """Let requests fail with odds of this story's own; in one of ten none does."""
    if random.random() < 0.9:
        level = random.choice((0.02, 0.1, 0.25))
        odds = {fault: random.random() * level / len(LOSING) for fault in LOSING}
        if random.random() < 0.5:
            odds |= {fault: random.random() * level / len(SPOILING) for fault in SPOILING}
        faults.roll(random, odds)


class ClockMarket(Market):
    """A market whose time is a clock's."""

    def __init__(self, listings: Sequence[Listing], clock: ManualClock) -> None:
        self._clock = clock
        super().__init__(listings, clock.now_ns())

    @property
    def now_ns(self) -> int:
        return self._clock.now_ns()

    @now_ns.setter
    def now_ns(self, _: int) -> None:
        """The clock's business."""


class Way:
    """How long requests and answers are under way: mostly a moment, seldom for seconds."""

    LONGEST_S = 4.0
    """Less than the windows in which exchanges take a signature (5 s at the shortest)."""

    def __init__(self, random: Random, clock: ManualClock) -> None:
        self._random, self._clock = random, clock
        self._typical_s = random.choice((0.0, 0.0, 0.05, 0.3))
        self._seldom = random.choice((0.0, 0.01, 0.05))

    def calm(self) -> None:
        """From now on nothing takes any time, so nothing is overtaken."""
        self._typical_s = self._seldom = 0.0

    async def wait(self) -> None:
        """Be under way once, in one direction."""
        longest_s = self._typical_s
        if self._random.random() < self._seldom:
            longest_s = self.LONGEST_S
        await self._clock.sleep(longest_s * self._random.random())


class ExchangeSide:
    """The simulated exchange of one story."""

    base = "BTC"
    step, price_step = Decimal("0.001"), Decimal(100)

    def __init__(self, case: Case, random: Random, clock: ManualClock) -> None:
        self.case = case
        self.random = random
        self.listing = Listing(case.market_id(), "BTC", case.quote, tick=case.tick, lot=case.lot)
        self.listing.minimum_quantity, self.listing.minimum_notional = case.lot, "1"
        self.exchange = Exchange(ClockMarket([self.listing], clock))
        holdings = {case.quote: "1000000", "BTC": "10.00000001"}
        # So small a part makes the session's wallet count as finely as exchanges do.
        self.first = {asset: Decimal(much) for asset, much in holdings.items()}
        self.account: SpotAccount
        if case.dialect is None:
            BinanceShape(self.exchange)
            own = ExchangeOrders(self.exchange, case.keys.key, case.keys.secret, holdings)
            self.account, self.troubles = own, own.troubles
        else:
            self.account = SpotAccount(self.exchange.market, holdings, "0.001")
            self.troubles = case.dialect(self.exchange, self.account, case.keys).troubles
        self.way = Way(random, clock)
        self.furthest = self.moved = Decimal(0)
        self._seen = 0
        self.hides = random.random() < 0.5
        self.fills_often = random.random()
        self.slips_in = random.choice((0.0, 0.2, 0.6))
        self.troubles.before_cancel = self.before_cancel
        roll_faults(self.exchange.faults, random)
        self.counts: Counter[str] = Counter()
        self.exchange.market.skew_ns = random.choice(SKEWS_NS)
        self.counts["sequences at a clock that is off"] = int(self.exchange.market.skew_ns != 0)
        self.outages = Outages(self.exchange.faults, Random(random.random()), clock)
        self.streams = Streams(Random(random.random()), clock)
        self.account.on_change.append(self.streams.tell)
        self.thin = random.choice((0.0, 0.0, 0.3))
        self.meet = self.account._match
        self.account._match = self.meet_thin  # type: ignore[method-assign]

    def meet_thin(self, order: PlacedOrder, is_new: bool = False) -> None:
        """Let an order meet the market; a new one may find less there than it wants."""
        best = order.best(self.exchange.market.now_ns)
        is_met = is_new and best is not None and order.meets(best)
        if is_met and self.random.random() < self.thin and order.quantity > self.step:
            steps = int(order.quantity / self.step)
            assert best is not None
            part = self.random.randint(1, steps - 1) * self.step if steps > 1 else self.step
            self.account._fill(order, part, best, is_maker=False)
            self.counts["orders that filled in part at once"] += 1
            if order.time_in_force in ("IOC", "FOK"):
                self.account.end(order, "EXPIRED")
            if order.limit:
                return
        self.meet(order, is_new)

    def now(self, bid: int | None = None) -> None:
        """Time has gone on, and perhaps the price; orders meet the market."""
        if bid is not None:
            prices = f"{bid * 100}.00", f"{bid * 100 + 100}.00"
            self.listing.add_top(self.exchange.market.now_ns, *prices, "50", "50")
        self.outages.now()
        self.account.match_all()
        for order in self.account.orders:
            if not order.is_open or order.client_id == "web_1":
                continue
            if self.hides and not order.filled and self.random.random() < 0.02:
                self.counts["orders not found for a moment"] += 1
                self.troubles.not_found.setdefault(order.client_id, self.random.randint(1, 2))
            if order.limit and self.random.random() < 0.15 * self.fills_often:
                self.fill_part(order)
        self.measure()

    def fill_part(self, order: PlacedOrder) -> None:
        """Fill some of it, perhaps all."""
        left = int(order.remaining / Decimal("0.001"))
        part = self.random.randint(1, max(1, left)) if left else 0
        quantity = min(order.remaining, Decimal(part).scaleb(-3))
        if quantity:
            self.account.fill(order.client_id, str(quantity))

    def before_cancel(self, order: PlacedOrder) -> None:
        """A fill may slip in before a cancel takes effect."""
        is_ours = order.client_id != "web_1" and order.is_open and order.limit
        if is_ours and self.random.random() < self.slips_in:
            self.counts["fills that slipped in before a cancel"] += 1
            self.fill_part(order)

    def measure(self) -> None:
        """How far what is held has ever been from what there was at first, by each execution."""
        for each in self.account.executions[self._seen :]:
            paid = [much for asset, much in each.more_fees if asset == "BTC"]
            paid += [each.fee] if each.fee_asset == "BTC" else []
            sign = 1 if each.order.is_buy else -1
            self.moved += sign * each.quantity - sum(paid, Decimal(0))
            self.furthest = max(self.furthest, abs(self.moved))
        self._seen = len(self.account.executions)

    @property
    def orders(self) -> Sequence[PlacedOrder]:
        """All there ever were."""
        return self.account.orders

    def total(self, asset: str) -> Decimal:
        """What the account has of an asset."""
        return self.account.total(asset)

    def stranger(self) -> None:
        """The account's owner makes an order elsewhere, far from the market."""
        market_id = self.listing.market_id
        self.account.place_by_hand(market_id, "BUY", "0.010", "50000.00", "web_1")

    def calm(self) -> None:
        """Everything works from now on."""
        self.exchange.faults.clear()
        self.outages.calm()
        self.thin = 0.0
        self.way.calm()
        self.troubles.not_found.clear()
        self.hides = False
