"""The simulated gateway of one story of a campaign: its market, its faults, its nights.

What goes wrong: connections cut before and behind a message, silence, a broker that is lost and
found, orders that the broker does not hear of for a while, cancels that take their time while a
fill slips in, rejections, commissions that come late or as -1.0 first, seldom never; other clients'
orders. Each night the gateway restarts or stays, is down for minutes, over midnight or until a
person logs in; numbers of orders may begin anew, and something may fill meanwhile.
"""

from __future__ import annotations

import ib_libraries  # noqa: F401 - first

# isort: split

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any, Final

from campaign_troubles import Outages, Streams
from exchange_side import Way
from ib_wire import StoryGateway

from logos.core.types import NS_PER_SECOND
from logos.simulators.exchange.faults import FaultPlan
from logos.simulators.ib import APPLE
from logos.simulators.ib.book import Execution, GatewayOrder
from logos.testing.clock import ManualClock

ACCOUNT: Final = "DU1234567"
CLIENT: Final = 1
STRANGER: Final = "web_1"
_MESSAGES: Final = (3, 3, 4, 7, 16, 61, 62, 99)
"""What a connection may be cut at: orders, cancels, and questions."""


@dataclass(frozen=True)
class Shown:
    """An order as the judge sees it."""

    client_id: str
    is_open: bool
    filled: Decimal


class _Nothing:
    """In place of an exchange over HTTP: no fault of single requests."""

    def __init__(self) -> None:
        self.faults = FaultPlan()


class IbSide:
    """The simulated gateway of one story, with a share that is owned."""

    base = "AAPL"
    step, price_step = Decimal(1), Decimal("0.10")

    def __init__(self, random: Random, clock: ManualClock) -> None:
        self.random, self.clock = random, clock
        self.exchange: Any = _Nothing()
        self.way = Way(random, clock)
        zone = random.choice(("UTC", "US/Eastern", "Asia/Kolkata"))
        self.gateway = StoryGateway(
            self.way, now_ns=clock.now_ns, zone=random.choice((zone, "UTC"))
        )
        self.gateway.day_zone = zone
        self.gateway.days_shown = random.choice((1, 1, 1, 7))
        self.desk = self.gateway.desk
        self.gateway.cash[ACCOUNT] = {"USD": Decimal(1_000_000)}
        self.desk.book.positions[ACCOUNT, APPLE.con_id] = (Decimal(1000), Decimal(100))
        self.first = {"USD": Decimal(1_000_000), "AAPL": Decimal(1000)}
        self.moved = self.furthest = Decimal(0)
        self._seen = 0
        self.fills_often = random.random()
        self.slips_in = random.choice((0.0, 0.2, 0.6))
        level = random.choice((0.0, 0.02, 0.1))
        self._odds = {name: level * random.random() for name in _TROUBLES}
        self.late_s = random.choice((0.0, 0.0, 3.0, 40.0))
        self.never = random.choice((0.0, 0.0, 0.0, 0.05))
        self.desk.whims.late_commissions = bool(self.late_s or self.never)
        self.desk.whims.are_late_pending = random.random() < 0.5
        self._due: list[tuple[int, Execution]] = []
        self._back_ns = 0
        self._trouble = ""
        self.counts: Counter[str] = Counter()
        self.is_quiet = False
        """Whether it is evening or night: nothing begins."""
        self.expected: list[str] = []
        """Why a session has to stop: what a midnight hides, a commission that comes too late."""
        self.streams = Streams(Random(random.random()), clock)
        self.outages = Outages(self.exchange.faults, Random(random.random()), clock)
        self.outages._odds = 0.0
        self.others: list[GatewayOrder] = []

    # ---- what the judge asks ----

    @property
    def ours(self) -> list[GatewayOrder]:
        return [each for each in self.desk.book.orders if each.client_id == CLIENT]

    @property
    def orders(self) -> Sequence[Any]:
        """All there ever were, the owner's own by the name STRANGER."""
        names = {0: STRANGER}
        return [
            Shown(names.get(each.client_id, each.order_ref), each.is_open, each.filled)
            for each in self.desk.book.orders
            if each not in self.others
        ]

    def total(self, asset: str) -> Decimal:
        """What the account has of an asset."""
        if asset == "USD":
            return self.gateway.cash[ACCOUNT]["USD"]
        return self.desk.book.positions[ACCOUNT, APPLE.con_id][0]

    def measure(self) -> None:
        """How far what is held has ever been from what there was at first, by each execution."""
        executions = self.desk.book.executions
        for each in executions[self._seen :]:
            self.moved += each.quantity if each.order.is_buy else -each.quantity
            self.furthest = max(self.furthest, abs(self.moved))
            if not each.has_commission:
                self._delay(each)
        self._seen = len(executions)

    # ---- what happens ----

    def now(self, bid: int | None = None) -> None:
        """Time has gone on, and perhaps the price; orders meet the market."""
        if bid is not None:
            self._quote(bid)
        self._pay_commissions()
        for order in self.ours:
            if order.status == "PendingCancel" and self.random.random() < 0.3:
                self._end_cancel(order)
            elif self.is_quiet or not (order.is_open and order.limit):
                continue
            elif self.random.random() < 0.1 * self.fills_often:
                self.fill_part(order)
        if not self.is_quiet:
            self._troubles()
        self.measure()

    def _quote(self, bid: int) -> None:
        self.bid = bid
        low, high = bid * self.price_step, (bid + 1) * self.price_step
        if self.desk.is_connected:
            self.gateway.quote("AAPL", f"{low:.2f}", f"{high:.2f}")

    def fill_part(self, order: GatewayOrder) -> None:
        """Fill some of it, perhaps all."""
        if order.status == "PendingSubmit" or not order.remaining:
            return
        part = self.random.randint(1, int(order.remaining))
        self.desk.fill(order, str(part), str(order.limit))

    def _end_cancel(self, order: GatewayOrder) -> None:
        if order.limit and self.random.random() < self.slips_in:
            self.counts["fills that slipped in before a cancel"] += 1
            self.fill_part(order)
        if order.is_open:
            self.desk.end(order, "Cancelled", "Cancelled by Trader")

    def _delay(self, execution: Execution) -> None:
        """Its commission is told later, seldom too late."""
        wait_s = self.late_s * self.random.random()
        if self.random.random() < self.never:
            wait_s = self.random.choice((90.0, 4000.0, 1e6))
            self.expect("commissions that come too late")
        self._due.append((self.clock.now_ns() + round(wait_s * NS_PER_SECOND), execution))

    def _pay_commissions(self) -> None:
        due = [each for at_ns, each in self._due if at_ns <= self.clock.now_ns()]
        self._due = [(ns, each) for ns, each in self._due if ns > self.clock.now_ns()]
        for each in due:
            each.has_commission = True
            self.desk._charge(each)

    def expect(self, words: str) -> None:
        """No session can know it, so that it has to stop."""
        self.expected.append(words)
        self.counts[words] += 1

    # ---- troubles ----

    def _troubles(self) -> None:
        """One may begin, or end."""
        if self._trouble:
            if self.clock.now_ns() >= self._back_ns:
                self.end_trouble()
            return
        for name, odds in self._odds.items():
            if self.random.random() < odds:
                self.counts[name] += 1
                lasts_s = self.random.choice((0.5, 5.0, 40.0)) * self.random.random()
                self._back_ns = self.clock.now_ns() + round(lasts_s * NS_PER_SECOND)
                self._begin_trouble(name)
                return

    def _begin_trouble(self, name: str) -> None:
        self._trouble = name
        if name == "connections cut at a message":
            self.gateway.cuts[self.random.choice(_MESSAGES)] = self.random.random() < 0.5
        elif name == "sockets closed":
            self.gateway.drop()
        elif name == "silences":
            self.gateway.is_mute = True
        elif name == "brokers lost":
            self.gateway.lose_broker()
        elif name == "orders that the broker did not hear of for a while":
            self.desk.whims.holds_orders = True
        elif name == "cancels that took their time":
            self.desk.whims.holds_cancels = True
        elif name == "rejections":
            self.desk.whims.reject_next = "campaign"
        elif name == "other clients' orders":
            self.other()

    def end_trouble(self) -> None:
        """It is over."""
        name, self._trouble = self._trouble, ""
        whims = self.desk.whims
        whims.holds_orders = whims.holds_cancels = False
        self.gateway.cuts.clear()
        if name == "silences":
            self.gateway.is_mute = False
            self.gateway.drop()
        if name == "brokers lost":
            self.gateway.find_broker(is_data_kept=self.random.random() < 0.5)
        self.desk.accept_held()

    def other(self) -> None:
        """Another client makes an order far from the market, under a number that may be ours."""
        order = self.desk.by_hand(APPLE.con_id, "BUY", "10", f"{500 * self.price_step:.2f}")
        order.client_id, order.order_id = 5, self.random.randint(1, 9)
        order.order_ref = self.random.choice(("", "other-1", "test"))
        self.others.append(order)

    def stranger(self) -> None:
        """The account's owner makes an order in TWS, far from the market."""
        self.desk.by_hand(APPLE.con_id, "BUY", "10", f"{500 * self.price_step:.2f}")

    def calm(self) -> None:
        """Everything works from now on."""
        self._odds, self.never, self.late_s = {}, 0.0, 0.0
        self.end_trouble()
        self.way.calm()
        self.desk.whims.reject_next = ""
        for order in self.ours:
            if order.status == "PendingCancel":
                self._end_cancel(order)

    # ---- nights ----

    def midnight_after(self, ns: int) -> int:
        """The gateway's next midnight."""
        then = self.gateway._midnight_ns(-1)
        assert then > ns
        return then

    def begin_evening(self) -> None:
        """Nothing happens any more but what is under way."""
        self.is_quiet = True
        self.end_trouble()

    async def come_up(self) -> None:
        """It is there again, and may have begun its numbers anew."""
        if self.random.random() < 0.5:
            self.counts["nights in which numbers began anew"] += 1
            self.desk.roll_back()
        await self.gateway.start()

    def happen_unheard(self) -> bool:
        """While nobody listens, something fills or ends; whether anything did."""
        has_happened = False
        for order in self.ours:
            draw = self.random.random()
            if order.is_open and draw < 0.3 and order.limit:
                self.counts["fills while the gateway was down"] += 1
                self.fill_part(order)
            elif order.is_open and draw < 0.4:
                self.counts["ends while the gateway was down"] += 1
                self.desk.end(order, "Cancelled", "Cancelled by Trader")
            else:
                continue
            has_happened = True
        self.measure()
        return has_happened


_TROUBLES: Final = (
    "connections cut at a message",
    "sockets closed",
    "silences",
    "brokers lost",
    "orders that the broker did not hear of for a while",
    "cancels that took their time",
    "rejections",
    "other clients' orders",
)
