"""The paper market: which orders an event fills, at what price, in what order.

An event is a path of prices: a quote or a trade is one point, a bar is four, in the order that
`BarPath` states. An order works on an event only if it reached the market by the time the event
began (a bar begins at its open), so no decision ever meets a price older than itself.

At the first point (the open)
- market orders fill there;
- a limit order that is already good fills there, at the better price (a gap through);
- a stop that is already touched fills there, at the worse price (a gap through).
Then, from each point to the next, in the order the path reaches them (ties: the older first)
- a limit order fills at its limit, as the maker;
- a stop fills at its stop price; a stop-limit becomes a limit order at that moment.
Buys meet asks and sells meet bids wherever the source has both sides. A quote that moves
through a resting limit fills it at the limit.

Slippage worsens what takes liquidity, never a limit order. The participation cap bounds what
all orders of the symbol together may take from one event's volume or quoted size; the rest
waits for the next event. An IOC or FOK order lives at the first point only.

The exits of a bracket are there from the moment of its entry's fill on: they meet the price at
which that was, and the rest of the path. On a two-sided bar that is the price of their own side
when the entry's has gone as far.
"""

from __future__ import annotations

from typing import Final, Protocol, final

from logos.core.fixed import CEILING, DOWN, FLOOR, divide, to_step
from logos.core.instrument import RATE_SCALE
from logos.core.instrument_state import NO_BOUND, InstrumentState
from logos.core.orders import FOK, IOC, LIMIT, MARKET, NEW, STOP, STOP_LIMIT, Order
from logos.core.types import (
    SIZE_UNKNOWN,
    BarPath,
    Code,
    FillRule,
    OrderStatus,
)

_NEAREST_FIRST: Final = BarPath.NEAREST_FIRST


class ExecutionSink(Protocol):
    """Who carries out what the paper market decides."""

    born: list[Order]
    """Orders that a fill brought to life, to be taken from here: they meet what the event has
    left."""

    def apply_accept(self, order: Order) -> None:
        """The order reached the market."""

    def apply_fill(self, order: Order, quantity: int, price: int, is_maker: bool) -> bool:
        """Fill `quantity` at `price`; False when the funds do not allow it (the order ended)."""

    def apply_end(self, order: Order, status: OrderStatus, code: Code) -> None:
        """The order ended without (the rest of) its fill."""


@final
class PaperRules:
    """How the paper market treats orders. Rates are in 10**-9, times in nanoseconds.

    `participation_rate` is the share of an event's volume or size that may be taken; 0: all of
    any order fills. A source without sizes sets no bound; a reported size of 0 fills nothing.
    """

    __slots__ = (
        "bar_path",
        "fill_rule",
        "fills_at_once",
        "latency_ns",
        "needs_sides",
        "participation_rate",
        "slippage_rate",
        "slippage_ticks",
    )

    def __init__(
        self,
        fill_rule: FillRule = FillRule.NEXT_OPEN,
        bar_path: BarPath = BarPath.NEAREST_FIRST,
        slippage_ticks: int = 0,
        slippage_rate: int = 0,
        participation_rate: int = 0,
        latency_ns: int = 0,
    ) -> None:
        self.fill_rule = fill_rule
        self.fills_at_once: bool = fill_rule is not FillRule.NEXT_OPEN
        self.needs_sides: bool = fill_rule is FillRule.BID_ASK
        self.bar_path = bar_path
        self.slippage_ticks = slippage_ticks
        self.slippage_rate = slippage_rate
        self.participation_rate = participation_rate
        self.latency_ns = latency_ns


@final
class Path:
    """The prices one event shows to each side, in price units, in the order it visited them.

    `asks` meet buys and `bids` meet sales; both have the same length. `opened_ns` (nanoseconds UTC)
    is when the event began.
    """

    __slots__ = ("asks", "bids", "opened_ns")

    def __init__(self, opened_ns: int, asks: list[int], bids: list[int]) -> None:
        self.opened_ns = opened_ns
        self.asks = asks
        self.bids = bids


def bar_points(prices: tuple[int, int, int, int], path: BarPath) -> list[int]:
    """A bar's open, high, low and close (price units) in the order in which `path` visits them."""
    open_, high, low, close = prices
    high_first = high - open_ < open_ - low  # a tie visits the low first
    if path is not _NEAREST_FIRST:
        high_first = path is BarPath.OPEN_HIGH_LOW_CLOSE
    return [open_, high, low, close] if high_first else [open_, low, high, close]


@final
class PaperMarket:
    """Matches the open orders of one symbol against one event at a time."""

    __slots__ = ("_is_open", "rules")

    def __init__(self, rules: PaperRules, is_open: bool = True) -> None:
        """`is_open` is False where a real venue fills the orders: then nothing matches here."""
        self.rules = rules
        self._is_open = is_open

    def offer(self, state: InstrumentState, buy_size: int, sell_size: int, is_shared: bool) -> None:
        """A new event's size, in quantity units or SIZE_UNKNOWN, is there to be taken.

        `is_shared`: by buys and sells together, as of a print.

        Called for every event while a participation cap is set, before any order meets it.
        """
        state.is_liquidity_shared = is_shared
        state.buy_left = self._share(state, buy_size)
        state.sell_left = self._share(state, sell_size)

    def _share(self, state: InstrumentState, size: int) -> int:
        """What orders may take of `size` quantity units: whole lots, or NO_BOUND."""
        if size == SIZE_UNKNOWN:
            return NO_BOUND
        share = size * self.rules.participation_rate // RATE_SCALE
        return to_step(share, state.instrument.lot, DOWN)

    def match(self, state: InstrumentState, path: Path, sink: ExecutionSink) -> None:
        """Let the event meet every open order of the symbol that was there when it began."""
        if not self._is_open:
            return
        active: list[Order] = []
        for order in list(state.working):
            if self._arrives(order, path.opened_ns, sink):
                active.append(order)
        if not active:
            return
        is_point = len(path.asks) == 1
        for order in list(active):
            if order.is_open:  # an earlier fill may have ended it
                self.meet(state, order, path.asks[0], path.bids[0], is_point, sink)
                if sink.born:
                    active += self.meet_born(state, path.asks[0], path.bids[0], sink)
        for step in range(1, len(path.asks)):
            if not any_open(active):
                return
            self._walk(state, active, path, step, sink)

    def end_days(self, state: InstrumentState, opened_ns: int, sink: ExecutionSink) -> None:
        """End the day orders whose session was over when the event began."""
        if not self._is_open:
            return
        for order in list(state.working):
            if 0 < order.day_ends_ns <= opened_ns:
                sink.apply_end(order, OrderStatus.EXPIRED, Code.DAY_ENDED)

    def meet_born(
        self, state: InstrumentState, ask: int, bid: int, sink: ExecutionSink
    ) -> list[Order]:
        """Let exits that a fill brought to life meet the prices at which that was; returns them."""
        met: list[Order] = []
        while sink.born:
            order = sink.born.pop(0)
            met.append(order)
            if order.is_open:
                self.meet(state, order, ask, bid, True, sink)
        return met

    def _arrives(self, order: Order, opened_ns: int, sink: ExecutionSink) -> bool:
        """Bring an order up to the event's beginning; whether it works on the event."""
        if opened_ns < order.arrival_ns:
            return False
        if order.status is NEW:
            sink.apply_accept(order)
        if 0 <= order.cancel_at_ns <= opened_ns:
            sink.apply_end(order, OrderStatus.CANCELLED, order.cancel_code)
            return False
        if 0 < order.day_ends_ns <= opened_ns:
            sink.apply_end(order, OrderStatus.EXPIRED, Code.DAY_ENDED)
            return False
        return True

    def meet(
        self,
        state: InstrumentState,
        order: Order,
        ask: int,
        bid: int,
        is_point: bool,
        sink: ExecutionSink,
    ) -> None:
        """An order meets standing prices: it fills there, or rests.

        `is_point`: the event is a quote or a print, so that a limit order that rested before it
        was reached at its limit; a bar's open may have jumped past the limit instead.
        """
        price = ask if order.is_buy else bid
        was_resting = order.is_resting and is_limit_active(order)
        if order.stop_price and not order.triggered and touches_stop(order, price):
            order.triggered = True
        if order.type is MARKET or (order.type is STOP and order.triggered):
            self._fill(state, order, self.slipped(order, price), False, sink)
        elif is_limit_active(order) and within_limit(order, price):
            at_limit = was_resting and is_point
            self._fill(state, order, order.limit_price if at_limit else price, was_resting, sink)
        order.is_resting = True
        if order.is_open and order.time_in_force is IOC:
            sink.apply_end(order, OrderStatus.CANCELLED, Code.IOC_REMAINDER)
        elif order.is_open and order.time_in_force is FOK:
            sink.apply_end(order, OrderStatus.CANCELLED, Code.FOK_UNFILLABLE)

    def _walk(
        self,
        state: InstrumentState,
        active: list[Order],
        path: Path,
        step: int,
        sink: ExecutionSink,
    ) -> None:
        """Go from one point to the next, carrying out orders as the path reaches them."""
        reached: list[tuple[int, int, Order]] = []
        for order in active:
            _add_reached(reached, order, path, step)
        reached.sort(key=_by_distance)
        while reached:
            distance, _, order = reached.pop(0)
            if not order.is_open:
                continue  # an earlier fill on this walk may have ended it
            if is_limit_active(order):
                self._fill(state, order, order.limit_price, True, sink)
            else:
                order.triggered = True
                if order.type is STOP:
                    self._fill(state, order, self.slipped(order, order.stop_price), False, sink)
                elif within_limit(order, order.stop_price):
                    self._fill(state, order, order.stop_price, False, sink)
            if sink.born:
                points = path.asks if order.is_buy else path.bids
                length = abs(points[step] - points[step - 1])
                tick = order.instrument.tick
                ask = _on_the_way(path.asks, step, distance, length, tick)
                bid = _on_the_way(path.bids, step, distance, length, tick)
                for exit_order in self.meet_born(state, ask, bid, sink):
                    active.append(exit_order)
                    _add_reached(reached, exit_order, path, step, ask, bid)
                reached.sort(key=_by_distance)

    def _fill(
        self, state: InstrumentState, order: Order, price: int, is_maker: bool, sink: ExecutionSink
    ) -> None:
        """Fill as much as the event's liquidity allows."""
        quantity = order.remaining
        left = state.buy_left if order.is_buy else state.sell_left
        if left != NO_BOUND and left < quantity:
            quantity = left
        if quantity == 0 or (order.time_in_force is FOK and quantity < order.remaining):
            return
        if sink.apply_fill(order, quantity, price, is_maker) and left != NO_BOUND:
            if order.is_buy or state.is_liquidity_shared:
                state.buy_left -= quantity
            if not order.is_buy or state.is_liquidity_shared:
                state.sell_left -= quantity

    def slipped(self, order: Order, price: int) -> int:
        """`price` worsened by the configured slippage, on the tick.

        It is one tick at least, unless the instrument allows prices below zero.
        """
        rules = self.rules
        if rules.slippage_ticks == 0 and rules.slippage_rate == 0:
            return price
        tick = order.instrument.tick
        offset = rules.slippage_ticks * tick
        if rules.slippage_rate:
            offset += divide(abs(price) * rules.slippage_rate, RATE_SCALE, CEILING)
        if order.is_buy:
            return to_step(price + offset, tick, CEILING)
        worse = to_step(price - offset, tick, FLOOR)
        return worse if order.instrument.allows_negative else max(tick, worse)


def _add_reached(
    reached: list[tuple[int, int, Order]],
    order: Order,
    path: Path,
    step: int,
    ask: int = 0,
    bid: int = 0,
) -> None:
    """Add an open order that the path reaches on its way to point `step`, and how far from the
    point before; from `ask` or `bid` on, where the order is there only from these prices on."""
    points = path.asks if order.is_buy else path.bids
    start = (ask if order.is_buy else bid) or points[step - 1]
    target = _next_target(order)
    if order.is_open and target and _passes(start, points[step], target):
        reached.append((abs(target - points[step - 1]), order.order_id, order))


def _on_the_way(points: list[int], step: int, distance: int, length: int, tick: int) -> int:
    """The price of one side where the other has gone `distance` of `length`, on the tick.

    It is rounded towards the point where the walk began.
    """
    start = points[step - 1]
    gone = divide((points[step] - start) * distance, length, DOWN)
    return start + to_step(gone, tick, DOWN)


def _by_distance(item: tuple[int, int, Order]) -> tuple[int, int]:
    return item[0], item[1]


def any_open(orders: list[Order]) -> bool:
    """Whether one of the orders can still fill."""
    for order in orders:  # noqa: SIM110 (any() would make a generator of it, for every order)
        if order.is_open:
            return True
    return False


def touches_stop(order: Order, price: int) -> bool:
    """Whether `price` is at or past the order's stop."""
    return price >= order.stop_price if order.is_buy else price <= order.stop_price


def within_limit(order: Order, price: int) -> bool:
    """Whether `price` is as good as the order's limit, or better."""
    return price <= order.limit_price if order.is_buy else price >= order.limit_price


def is_limit_active(order: Order) -> bool:
    """Whether the order works as a limit order now."""
    return order.type is LIMIT or (order.type is STOP_LIMIT and order.triggered)


def _next_target(order: Order) -> int:
    """The price whose touch would make something happen to the order; 0 for none."""
    if is_limit_active(order):
        return order.limit_price
    return 0 if order.triggered else order.stop_price


def _passes(start: int, end: int, price: int) -> bool:
    """Whether a move from `start` to `end` reaches `price` (the start itself was met before)."""
    return start < price <= end if start < end else end <= price < start
