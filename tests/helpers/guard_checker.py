"""An independent judge of limits: it believes nothing but market events and records.

Positions, open orders, worth, exposure, equity, lots and rates are kept here by arithmetic of its
own, in whole units of money. Every order is judged against the limits at the moment its record
says that it was made, with everything in flight at its worst; after every event, the sums that
the core keeps as it goes are compared with what they should be.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from logos.core.engine import TradingCore
from logos.core.instrument import Instrument
from logos.core.messages import Bar, MarketEvent, Quote, Trade
from logos.core.records import OrderRecord, OrderUpdate, PaperFillRecord, Record, SwitchRecord
from logos.core.types import OrderStatus, Side

DAY_NS = 86_400 * 10**9
MONEY_DECIMALS = 8
Texts = dict[str, str]
ENDED = (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED)


class Breach(AssertionError):
    """A limit was passed, or a sum of the core is wrong."""


@dataclass
class OpenOrder:
    """What is known of an order that can still fill."""

    sign: int
    quantity: int
    remaining: int
    judged_price: int


@dataclass
class Symbol:
    """One symbol as the records show it."""

    instrument: Instrument
    unit_value: int
    bid: int = 0
    ask: int = 0
    is_two_sided: bool = False
    last_ns: int = 0
    position: int = 0
    lots: deque[list[int]] = field(default_factory=deque)
    open: dict[int, OpenOrder] = field(default_factory=dict)
    made: dict[tuple[object, ...], int] = field(default_factory=dict)
    top_price: int = 0
    """The highest at which an order was judged since the symbol last had none open."""

    def value(self) -> int:
        """The position at its mark, signed."""
        return self.position * (self.ask if self.position < 0 else self.bid) * self.unit_value

    def in_flight(self, sign: int) -> int:
        """The quantity of a side that can still fill."""
        return sum(each.remaining for each in self.open.values() if each.sign == sign)

    def in_flight_value(self, sign: int) -> int:
        """Its worth, at the prices at which the orders were judged."""
        worth = sum(o.remaining * o.judged_price for o in self.open.values() if o.sign == sign)
        return worth * self.unit_value

    def least_growth(self, sign: int) -> int:
        """The least that a side's orders add beyond flat if all fill: the cheapest grow it."""
        excess = self.in_flight(sign) - max(0, -sign * self.position)
        total = 0
        sides = [each for each in self.open.values() if each.sign == sign]
        for each in sorted(sides, key=lambda order: order.judged_price):
            if excess <= 0:
                break
            taken = min(excess, each.remaining)
            total += taken * each.judged_price * self.unit_value
            excess -= taken
        return total

    def growth(self, prices: dict[int, int]) -> int:
        """By how much the worse side's orders, all filled at its price of `prices`, could enlarge
        the position's worth."""
        now = abs(self.value())
        results = [now]
        for sign in (1, -1):
            quantity, price = self.in_flight(sign), prices[sign] * self.unit_value
            if sign * self.position >= 0:
                results.append(now + quantity * price)
            else:
                results.append((quantity - abs(self.position)) * price)
        return max(results) - now

    def growth_max(self) -> int:
        """The same at the highest price of either side, since the symbol last had none open."""
        return self.growth(dict.fromkeys((1, -1), self.top_price))

    def growth_min(self) -> int:
        """The same at each side's own highest price, of the orders open now."""
        sides: dict[int, int] = {1: 0, -1: 0}
        for each in self.open.values():
            sides[each.sign] = max(sides[each.sign], each.judged_price)
        return self.growth(sides)

    def worst_gross(self) -> int:
        """The greatest gross worth after one side's open orders have all filled, or none."""
        now = abs(self.value())
        results = [now]
        for sign in (1, -1):
            growth = self.least_growth(sign)
            results.append(now + growth if sign * self.position >= 0 else growth)
        return max(results)


@dataclass
class Money:
    """One currency: equity is cash and the positions' worth."""

    cash: int
    high_water: int
    day_start: int


class Checker:
    """Judges one session. `limits` are the texts and numbers given to `trading_core`.

    `shares` are the parts of equity that an order may add, a position and all of them be worth.
    """

    def __init__(
        self, instruments: Iterable[Instrument], cash: Texts, limits: dict[str, Any], shares: Texts
    ) -> None:
        self.symbols: dict[str, Symbol] = {}
        self.money: dict[str, Money] = {}
        for each in instruments:
            decimals = each.price_decimals + each.quantity_decimals
            worth = Fraction(str(each.multiplier)) * 10 ** (MONEY_DECIMALS - each.value_decimals)
            assert worth.denominator == 1
            assert each.value_decimals >= decimals
            self.symbols[each.symbol] = Symbol(each, int(worth))
            start = int(Fraction(cash[each.quote]) * 10**MONEY_DECIMALS)
            self.money[each.quote] = Money(start, start, start)
        self.limits = limits
        self.shares = {name: Fraction(share) for name, share in shares.items()}
        self.day = -1
        self.now_ns = 0
        self.order_times: deque[int] = deque()
        self.losses = 0
        self.switch = "SAFE"
        self.orders = 0

    # ---- what is allowed ----

    def _money_limit(self, name: str) -> int:
        return int(Fraction(self.limits.get(name, "0")) * 10**MONEY_DECIMALS)

    def _quantity_limit(self, name: str, symbol: Symbol) -> int:
        scale = 10**symbol.instrument.quantity_decimals
        return int(Fraction(self.limits.get(name, "0")) * scale)

    # ---- events and records ----

    def apply(self, event: MarketEvent | None, records: Iterable[Record], ts_ns: int) -> None:
        """Take in an event (None: start or stop) and what the core says followed from it."""
        self.now_ns = ts_ns
        if ts_ns // DAY_NS != self.day:
            self.day = ts_ns // DAY_NS
            for currency, money in self.money.items():
                money.day_start = self.equity(currency)
        if event is not None:
            self._mark(event)
        for record in records:
            if type(record) is OrderRecord:
                self._see_order(record)
            elif type(record) is OrderUpdate:
                self._see_update(record)
            elif type(record) is PaperFillRecord:
                self._see_fill(record)
            elif type(record) is SwitchRecord:
                self.switch = record.state
        for currency, money in self.money.items():
            money.high_water = max(money.high_water, self.equity(currency))

    def _mark(self, event: MarketEvent) -> None:
        symbol = self.symbols[event.symbol]
        if type(event) is Quote:
            if not 0 < event.bid_units <= event.ask_units:
                return
            symbol.is_two_sided = True
            symbol.bid, symbol.ask = event.bid_units, event.ask_units
        else:
            assert isinstance(event, (Bar, Trade))
            price = event.close_units if isinstance(event, Bar) else event.price_units
            if symbol.is_two_sided or price <= 0:
                return
            symbol.bid = symbol.ask = price
        symbol.last_ns = event.ts_ns

    def _see_update(self, update: OrderUpdate) -> None:
        symbol = self.symbols[update.symbol]
        order = symbol.open[update.order_id]
        order.remaining = order.quantity - update.filled_units
        if update.status in ENDED:
            del symbol.open[update.order_id]
        if not symbol.open:
            symbol.top_price = 0

    def _see_fill(self, fill: PaperFillRecord) -> None:
        symbol = self.symbols[fill.symbol]
        sign = 1 if fill.side is Side.BUY else -1
        signed = sign * fill.quantity_units
        realised = self._realise(symbol, signed, fill.price_units)
        self._must(realised == fill.realised_units, "realised profit is wrong")
        if sign * symbol.position < 0:
            result = realised - sum(lot.fee_units for lot in fill.lots)
            self.losses = self.losses + 1 if result < 0 else 0
        symbol.position += signed
        self._must(symbol.position == fill.position_units, "position is wrong")
        money = self.money[symbol.instrument.quote]
        money.cash -= signed * fill.price_units * symbol.unit_value + fill.fee_units

    def _realise(self, symbol: Symbol, signed: int, price: int) -> int:
        """First in, first out."""
        realised = 0
        while signed and symbol.lots and symbol.lots[0][0] * signed < 0:
            lot = symbol.lots[0]
            part = min(abs(lot[0]), abs(signed))
            direction = 1 if lot[0] > 0 else -1
            realised += (price - lot[1]) * part * direction * symbol.unit_value
            lot[0] -= direction * part
            signed += direction * part
            if lot[0] == 0:
                symbol.lots.popleft()
        if signed:
            symbol.lots.append([signed, price])
        return realised

    def equity(self, currency: str) -> int:
        """Cash and positions at their marks."""
        mine = (s.value() for s in self.symbols.values() if s.instrument.quote == currency)
        return self.money[currency].cash + sum(mine)

    # ---- an order against the limits ----

    def _see_order(self, record: OrderRecord) -> None:
        self.orders += 1
        symbol = self.symbols[record.symbol]
        sign = 1 if record.side is Side.BUY else -1
        self._must(self.switch != "ENGAGED", "an order left after the switch engaged")
        reference = symbol.ask if sign > 0 else symbol.bid
        if sign > 0:
            judged = record.limit_price_units or max(record.stop_price_units, reference)
        else:
            judged = max(record.limit_price_units, reference)
        quantity = record.quantity_units
        closing = max(0, -sign * symbol.position - symbol.in_flight(sign))
        increase = max(0, quantity - closing)
        if self.switch == "REDUCE_ONLY":
            self._must(increase == 0, "an order grows a position in REDUCE_ONLY")
        self._check_market(record, symbol, reference)
        self._check_counts(symbol)
        worst_before = symbol.worst_gross()
        symbol.open[record.order_id] = OpenOrder(sign, quantity, quantity, judged)
        symbol.top_price = max(symbol.top_price, judged)
        self._check_size(symbol, sign, quantity, judged)
        self._check_exposure(symbol.instrument.quote, sign, symbol.worst_gross() > worst_before)
        if increase:
            self._check_shares(symbol, sign, increase, judged)
            self._check_losses(symbol.instrument.quote)
        self._check_repeats(record, symbol)

    def _check_market(self, record: OrderRecord, symbol: Symbol, reference: int) -> None:
        stale_after_ns = self.limits.get("stale_after_ns", 0)
        is_fresh = not stale_after_ns or self.now_ns - symbol.last_ns <= stale_after_ns
        self._must(is_fresh, "made on stale data")
        self._must(reference > 0, "made without a price")
        collar = Fraction(self.limits.get("collar", "0"))
        for price in (record.limit_price_units, record.stop_price_units):
            if collar and price:
                self._must(abs(price - reference) <= reference * collar, "price outside the collar")

    def _check_counts(self, symbol: Symbol) -> None:
        most = self.limits.get("max_open_orders", 0)
        self._must(not most or len(symbol.open) < most, "too many open orders of the symbol")
        most = self.limits.get("max_total_open_orders", 0)
        total = sum(len(each.open) for each in self.symbols.values())
        self._must(not most or total < most, "too many open orders in all")

    def _check_size(self, symbol: Symbol, sign: int, quantity: int, judged: int) -> None:
        most = self._quantity_limit("max_order_quantity", symbol)
        self._must(not most or quantity <= most, "order quantity above its limit")
        most = self._money_limit("max_order_notional")
        worth = quantity * judged * symbol.unit_value
        self._must(not most or worth <= most, "order notional above its limit")
        most = self._quantity_limit("max_position", symbol)
        worst = sign * symbol.position + symbol.in_flight(sign)
        self._must(not most or worst <= most, "position could pass its limit")

    def _check_shares(self, symbol: Symbol, sign: int, increase: int, judged: int) -> None:
        equity = self.equity(symbol.instrument.quote)
        share, added = self.shares["order"], increase * judged * symbol.unit_value
        self._must(not share or added <= share * equity, "adds too large a part of equity")
        share, worst = self.shares["position"], sign * symbol.position + symbol.in_flight(sign)
        worth = worst * judged * symbol.unit_value
        self._must(not share or worth <= share * equity, "position could be too large a part")

    def _check_exposure(self, currency: str, sign: int, grows: bool) -> None:
        mine = [each for each in self.symbols.values() if each.instrument.quote == currency]
        most = self._money_limit("max_gross_exposure")
        worst = sum(each.worst_gross() for each in mine)
        self._must(not (most and grows) or worst <= most, "gross exposure could pass its limit")
        share = self.shares["gross"]
        is_within = not (share and grows) or worst <= share * self.equity(currency)
        self._must(is_within, "gross exposure could be too large a part of equity")
        most = self._money_limit("max_net_exposure")
        worst = sum(sign * each.value() + each.in_flight_value(sign) for each in mine)
        self._must(not most or worst <= most, "net exposure could pass its limit")

    def _check_losses(self, currency: str) -> None:
        money = self.money[currency]
        fallen = money.high_water - self.equity(currency)
        allowed = self._money_limit("max_drawdown")
        self._must(not allowed or fallen <= allowed, "made in a drawdown")
        share = Fraction(self.limits.get("max_drawdown_share", "0"))
        self._must(not share or fallen <= share * money.high_water, "made in a drawdown (share)")
        allowed = self._money_limit("max_daily_loss")
        lost = money.day_start - self.equity(currency)
        self._must(not allowed or lost <= allowed, "made after the day's loss")
        most = self.limits.get("max_consecutive_losses", 0)
        self._must(not most or self.losses < most, "made after too many losses")

    def _check_repeats(self, record: OrderRecord, symbol: Symbol) -> None:
        most = self.limits.get("max_orders", 0)
        if most:
            window_ns = self.limits["max_orders_window_ns"]
            self.order_times.append(self.now_ns)
            while self.now_ns - self.order_times[0] >= window_ns:
                self.order_times.popleft()
            self._must(len(self.order_times) <= most, "too many orders in the window")
        window_ns = self.limits.get("duplicate_window_ns", 0)
        if window_ns:
            shape = (
                record.side,
                record.type,
                record.quantity_units,
                record.limit_price_units,
                record.stop_price_units,
                record.time_in_force,
            )
            made_ns = symbol.made.get(shape)
            is_new = made_ns is None or self.now_ns - made_ns >= window_ns
            self._must(is_new, "a duplicate order")
            symbol.made[shape] = self.now_ns

    # ---- the core's own sums ----

    def compare(self, core: TradingCore) -> None:
        """After an event: positions within limits, and the core's sums as they should be."""
        total = 0
        for symbol in self.symbols.values():
            book = core.order_manager.states[symbol.instrument.symbol]
            total += len(symbol.open)
            sums = (book.inventory.position, book.open_buy, book.open_sell, len(book.working))
            own = (symbol.position, symbol.in_flight(1), symbol.in_flight(-1), len(symbol.open))
            self._must(sums == own, f"{sums} is not {own}")
            most = self._quantity_limit("max_position", symbol)
            self._must(not most or abs(symbol.position) <= most, "position beyond its limit")
        self._must(core.order_manager.guards.open_orders == total, "open orders are miscounted")
        self._must(core.order_manager.order_count == self.orders, "orders are miscounted")
        for ledger in core.order_manager.account.ledgers:
            mine = [s for s in self.symbols.values() if s.instrument.quote == ledger.currency]
            values = [each.value() for each in mine]
            sums = (
                ledger.net_exposure,
                ledger.gross_exposure,
                ledger.open_buy_value,
                ledger.open_sell_value,
            )
            own = (
                sum(values),
                sum(map(abs, values)),
                sum(each.in_flight_value(1) for each in mine),
                sum(each.in_flight_value(-1) for each in mine),
            )
            self._must(sums == own, f"{ledger.currency}: {sums} is not {own}")
            self._must(ledger.equity == self.equity(ledger.currency), "equity is wrong")
            if self._money_limit("max_gross_exposure"):
                least = sum(each.growth_min() for each in mine)
                most = sum(each.growth_max() for each in mine)
                holds = least <= ledger.open_increase <= most
                self._must(holds, "growth in flight is miscounted")

    def _must(self, holds: bool, words: str) -> None:
        if not holds:
            raise Breach(f"{words} (order {self.orders}, at {self.now_ns})")
