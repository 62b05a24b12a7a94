"""What the user's data and strategy do when nothing is disturbed: where a scenario finds its place.

A scenario says "when the strategy holds something" or "half of what that order is worth"; both
depend on the user's data. So the data is read once for its times and prices, and the journal of
one undisturbed session tells when there were orders and positions. Because sessions are
deterministic, a session that is disturbed at tick k was the same until then.

Whatever cannot be found raises `NotApplicable`, with the reason: a drill that has nothing to bite
on must not pass.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from logos.config import Config
from logos.core.fixed import CEILING, to_decimal, to_step
from logos.core.guards import Action
from logos.core.instrument import Instrument
from logos.core.messages import Bar, MarketEvent, Quote, QuoteBar
from logos.core.records import (
    AccountRecord,
    GuardRecord,
    OrderRecord,
    PaperFillRecord,
    SwitchRecord,
)
from logos.core.types import NS_PER_SECOND, FillRule
from logos.rehearsal.evidence import JournalView
from logos.rehearsal.scenarios import NAMED, Orders, Price, Scenario, Silence, Tick
from logos.session.plan import Feed

_EVENTS_LEFT: Final = 2
"""How many events of a symbol must follow the last thing that is done to it."""

_FROM_SHARE: Final = 4
"""Moments of the strategy's life are looked for after the first quarter of the ticks."""


class NotApplicable(Exception):
    """The scenario has nothing to bite on in this data; the message says what is missing."""


def prices_of(event: MarketEvent) -> tuple[int, int]:
    """(bid, ask) of an event in price units; equal where it has one side."""
    if isinstance(event, Quote):
        return event.bid_units, event.ask_units
    if isinstance(event, QuoteBar):
        return event.bid_close_units, event.ask_close_units
    price = event.close_units if isinstance(event, Bar) else event.price_units
    return price, price


def smallest_quantity(instrument: Instrument, price_units: int) -> int:
    """The smallest quantity, in units, that an order at half of `price_units` may have."""
    least = max(instrument.lot, instrument.minimum_quantity)
    if instrument.minimum_notional and price_units:
        worth = instrument.value(price_units, 1)
        least = max(least, -(-2 * instrument.minimum_notional // worth))
    return to_step(least, instrument.lot, CEILING)


@dataclass(frozen=True, slots=True)
class Holding:
    """A position that was held when its market moved at `tick`. `position` in quantity units."""

    tick: int
    symbol: str
    position: int


class BaselineProfile:
    """Times and prices of all ticks, and what the undisturbed session did."""

    def __init__(self, feed: Feed, config: Config, instruments: Mapping[str, Instrument]) -> None:
        self._config = config
        self.instruments = instruments
        self._symbols = list(instruments)
        self._times_ns = array("q")
        self._asks = array("q")
        self._places = array("H")
        self._is_two_sided = bytearray()
        self.two_sided: set[str] = set()
        for event in market_events(feed):
            self._times_ns.append(event.ts_ns)
            self._asks.append(prices_of(event)[1])
            self._places.append(self._symbols.index(event.symbol))
            self._is_two_sided.append(isinstance(event, Quote | QuoteBar))
            if self._is_two_sided[-1]:
                self.two_sided.add(event.symbol)
        self.ticks = len(self._times_ns)
        self._order_ticks: list[int] = []
        self._fills: dict[str, list[tuple[int, int]]] = {}
        self._drawdowns: dict[str, Decimal] = {}
        self._equity: dict[str, Decimal] = {}

    def see_session(self, journal: JournalView) -> None:
        """Learn from the undisturbed session."""
        self._order_ticks = [o.tick_id for o in journal.of(OrderRecord) if o.tick_id > 0]
        for fill in journal.of(PaperFillRecord):
            history = self._fills.setdefault(fill.symbol, [])
            history.append((fill.tick_id, fill.position_units))
        for sample in journal.of(AccountRecord):
            lost = to_decimal(sample.max_drawdown_units, sample.money_decimals)
            self._drawdowns[sample.currency] = lost
            begun_with = to_decimal(sample.initial_units, sample.money_decimals)
            self._equity[sample.currency] = begun_with
        incidents = [each.tick_id for each in journal.of(SwitchRecord)]
        stops = [each for each in journal.of(GuardRecord) if each.action != Action.REFUSE.value]
        incidents += [each.tick_id for each in stops]
        # What comes after a guard of the user's own has acted is no place for another incident.
        self.ticks = min([self.ticks, *(tick - 1 for tick in incidents)])

    def symbol_at(self, tick: int) -> str:
        """Whose event `tick` is."""
        return self._symbols[self._places[tick - 1]]

    def can_trade(self, symbol: str) -> bool:
        """Whether the fill rule lets orders of the symbol through at all."""
        return self._config.paper.fill is not FillRule.BID_ASK or symbol in self.two_sided

    def resolve(self, tick: Tick, wanted: Sequence[str] = ()) -> int:
        """The number of the tick that `tick` means, moved on to where one of `wanted` is priced."""
        moment, _, later = str(tick).partition("+")
        number = self._number(moment)
        if later:
            return self.resolve(self.resolve(moment, wanted) + int(later))
        if number > self.ticks:
            raise NotApplicable(
                f"tick {number} is beyond the {self.ticks} ticks that pass undisturbed "
                "(to the end, or until a guard of yours acts)"
            )
        if not wanted:
            return number
        for place in range(number - 1, self.ticks):
            if self._is_price_of(place, wanted):
                return place + 1
        if moment.endswith("%"):  # they have ended by then: the share of what there is of them
            places = [place for place in range(self.ticks) if self._is_price_of(place, wanted)]
            if places:
                return places[len(places) * int(moment.removesuffix("%")) // 101] + 1
        raise NotApplicable(f"no tick of {', '.join(wanted)} from tick {number} on")

    def _is_price_of(self, place: int, wanted: Sequence[str]) -> bool:
        """Whether the event sets the prices of one of `wanted`."""
        symbol = self._symbols[self._places[place]]
        # Prints do not move the book of a symbol that shows bid and ask.
        sets_prices = bool(self._is_two_sided[place]) or symbol not in self.two_sided
        return symbol in wanted and sets_prices

    def _number(self, tick: str) -> int:
        if tick.isdigit():
            return int(tick)
        if tick == "order":
            return self._order_tick()
        if tick == "holding":
            return self.holding().tick
        return max(1, self.ticks * int(tick.removesuffix("%")) // 100)

    def _order_tick(self) -> int:
        if not self._order_ticks:
            raise NotApplicable("the strategy sends no order in this data")
        place = bisect_left(self._order_ticks, self.ticks // _FROM_SHARE)
        return self._order_ticks[min(place, len(self._order_ticks) - 1)]

    def holding(self) -> Holding:
        """The first moment after a quarter of the ticks (else: any) that meets a position."""
        for start in (self.ticks // _FROM_SHARE, 0):
            for place in range(start, self.ticks):
                tick = place + 1
                fills = self._fills.get(self.symbol_at(tick), [])
                before = bisect_left(fills, (tick, -(1 << 200)))
                is_quiet = before == len(fills) or fills[before][0] > tick
                if before and is_quiet and fills[before - 1][1]:
                    return Holding(tick, self.symbol_at(tick), fills[before - 1][1])
        raise NotApplicable("the strategy holds nothing while the market moves in this data")

    def silent_symbol(self, tick: int, probe_tick: int) -> str:
        """The busiest symbol before `tick` that another symbol's event at `probe_tick` outlives."""
        counts = Counter(self._places[:tick])
        other = self._places[probe_tick - 1]
        for place, _ in counts.most_common():
            if place != other and self.can_trade(self._symbols[place]):
                return self._symbols[place]
        raise NotApplicable(
            "needs two symbols with interleaved prices: one falls silent while the other trades"
        )

    def price_before(self, symbol: str, tick: int) -> int:
        """The last ask of `symbol` before `tick`, in units; 0 when there was none."""
        wanted = self._symbols.index(symbol)
        for place in range(min(tick, len(self._places)) - 1, -1, -1):
            if self._places[place] == wanted:
                return self._asks[place]
        return 0

    # ---- quantities that a scenario names with @ ----

    def named(self, text: str, scenario: Scenario) -> str:
        """The value of "@drawdown", "@stale_s", "@notional" or "@quantity", times "*FACTOR".

        - drawdown: a loss between the worst of the undisturbed session and what the `price`
          injection costs the position held; quote currency
        - stale_s: half of the time between the silent symbol's last event and the `orders`
        - notional, quantity: what one of the injected `orders` is worth, and its size
        """
        match = NAMED.fullmatch(text)
        if match is None:
            raise NotApplicable(f"no such named value: {text!r}")
        factor = Decimal(match[2] or 1)
        values = {
            "drawdown": self._drawdown_limit,
            "stale_s": self._stale_limit,
            "notional": self._order_notional,
            "quantity": self._order_quantity,
        }
        return str(values[match[1]](scenario) * factor)

    def _drawdown_limit(self, scenario: Scenario) -> Decimal:
        shock = next((each for each in scenario.inject if isinstance(each, Price)), None)
        if shock is None:
            raise NotApplicable("@drawdown needs a `price` injection")
        holding = self.holding()
        each = self.instruments[holding.symbol]
        price = self._asks[holding.tick - 1]
        factor = adverse_factor(shock, holding.position)
        cost = abs(to_decimal(each.value(price, holding.position), each.value_decimals))
        loss = cost * abs(factor - 1)
        before = self._drawdowns.get(each.quote, Decimal(0))
        if before >= loss:
            raise NotApplicable(
                f"the shock would cost {loss:.2f} {each.quote}, and the undisturbed session was "
                f"already {before:.2f} down: no limit lies between"
            )
        return ((before + loss) / 2).quantize(Decimal("0.00000001"))

    def _stale_limit(self, scenario: Scenario) -> Decimal:
        return self.silence_s(scenario) / 2

    def silence_s(self, scenario: Scenario) -> Decimal:
        """Seconds from the silent symbol's last event to the `orders` of the scenario."""
        tick, probe = silence_and_probe(scenario)
        start, end = self.resolve(tick), self.resolve(probe, self.tradable())
        silent = self._symbols.index(self.silent_symbol(start, end))
        last = max(place for place in range(start) if self._places[place] == silent)
        silence_ns = self._times_ns[end - 1] - self._times_ns[last]
        if silence_ns < 2:
            raise NotApplicable("event time does not move between the silence and the orders")
        return Decimal(silence_ns) / NS_PER_SECOND

    def _order_notional(self, scenario: Scenario) -> Decimal:
        orders, each, price = self._orders_of(scenario)
        quantity = smallest_quantity(each, price) * orders.lots
        worth = to_decimal(each.value(price, quantity), each.value_decimals)
        # The settings may shrink every order; what leaves is what limits are compared with.
        return min(worth, self.cap(each.symbol) or worth)

    def _order_quantity(self, scenario: Scenario) -> Decimal:
        orders, each, price = self._orders_of(scenario)
        quantity = each.quantity_decimal(smallest_quantity(each, price) * orders.lots)
        cap = self.cap(each.symbol)
        return min(quantity, cap / self._worth_of_one(each, price)) if cap else quantity

    def _orders_of(self, scenario: Scenario) -> tuple[Orders, Instrument, int]:
        orders = next((each for each in scenario.inject if isinstance(each, Orders)), None)
        if orders is None:
            raise NotApplicable("@notional and @quantity need an `orders` injection")
        tick = self.resolve(orders.tick, self.tradable())
        return orders, self.instruments[self.symbol_at(tick)], self._asks[tick - 1]

    def tradable(self) -> list[str]:
        """The symbols that orders can be sent in: those with money behind them, where some have."""
        symbols = self.priced()
        balances = self._config.account.balances
        return [
            symbol for symbol in symbols if balances.get(self.instruments[symbol].quote)
        ] or symbols

    def priced(self) -> list[str]:
        """The symbols whose events are prices that orders fill at."""
        return [symbol for symbol in self._symbols if self.can_trade(symbol)]

    # ---- what an order may be worth ----

    def symbol_of(self, scenario: Scenario) -> str:
        """The symbol whose limits the scenario meets."""
        for injection in scenario.inject:
            if isinstance(injection, Silence):
                _, probe = silence_and_probe(scenario)
                end = self.resolve(probe, self.tradable())
                return self.silent_symbol(self.resolve(injection.tick), end)
            if isinstance(injection, Orders):
                return self.symbol_at(self.resolve(injection.tick, self.tradable()))
        tick = self.resolve(scenario.inject[-1].tick, self.tradable()) if scenario.inject else 1
        return self.symbol_at(tick)

    def equity(self, symbol: str) -> Decimal:
        """What the account began with in the symbol's quote currency."""
        return self._equity.get(self.instruments[symbol].quote, Decimal(0))

    def cap(self, symbol: str) -> Decimal:
        """What the user's settings shrink the symbol's orders to, in money; 0: they do not."""
        orders = self._config.orders
        return orders.symbols.get(symbol, orders).cap_notional

    def entry(self) -> tuple[int, bool]:
        """Where to open or grow a position, as (tick, whether it is short)."""
        try:
            holding = self.holding()
        except NotApplicable:
            return self.resolve("50%", self.tradable()), False
        if holding.symbol not in self.tradable():
            return self.resolve("50%", self.tradable()), False
        return holding.tick, holding.position < 0

    def later(self, tick: int, symbol: str, events: int) -> int:
        """The tick that is so many events of the symbol after `tick`, or its last but one."""
        wanted = self._symbols.index(symbol)
        later = [place + 1 for place in range(tick, self.ticks) if self._places[place] == wanted]
        if len(later) <= _EVENTS_LEFT:
            raise NotApplicable(f"too few events of {symbol} after tick {tick} for a fill")
        return later[min(events, len(later) - 1 - _EVENTS_LEFT)]

    def price_at(self, tick: int) -> int:
        """The ask at `tick`, in units."""
        return self._asks[tick - 1]

    def worth(self, symbol: str, quantity: Decimal, price_units: int) -> Decimal:
        """What a quantity is worth at a price, in the quote currency."""
        return quantity * self._worth_of_one(self.instruments[symbol], price_units)

    def worth_of_smallest(self, tick: int) -> Decimal:
        """What the smallest order at `tick` is worth, in the quote currency."""
        each, price = self.instruments[self.symbol_at(tick)], self._asks[tick - 1]
        return to_decimal(each.value(price, smallest_quantity(each, price)), each.value_decimals)

    def check_size(self, orders: Orders, symbol: str) -> None:
        """Raises NotApplicable when the instrument takes no order that large."""
        each = self.instruments[symbol]
        tick = self.resolve(orders.tick, self.tradable())
        quantity = smallest_quantity(each, self._asks[tick - 1]) * orders.lots
        if 0 < each.maximum_quantity < quantity:
            raise NotApplicable(f"the largest order in {symbol} is within your limit")

    def _worth_of_one(self, each: Instrument, price_units: int) -> Decimal:
        one = Decimal(10) ** each.quantity_decimals
        return to_decimal(each.value(price_units, 1), each.value_decimals) * one


def market_events(feed: Feed) -> Iterator[MarketEvent]:
    """The feed's events one by one, without commands."""
    for chunk in feed.chunks():
        for event in chunk:
            if isinstance(event, MarketEvent):
                yield event


def adverse_factor(shock: Price, position: int) -> Decimal:
    """What prices are multiplied by, so that `position` loses if the shock is to be adverse."""
    if shock.adverse and position * (shock.factor - 1) > 0:
        return 1 / shock.factor
    return shock.factor


def silence_and_probe(scenario: Scenario) -> tuple[Tick, Tick]:
    """The ticks of the scenario's `silence` and of its silent `orders`."""
    silence = next((each for each in scenario.inject if isinstance(each, Silence)), None)
    probe = next((e for e in scenario.inject if isinstance(e, Orders) and e.silent), None)
    if silence is None or probe is None:
        raise NotApplicable("needs a `silence` and `orders` with silent = true")
    return silence.tick, probe.tick
