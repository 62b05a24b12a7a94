"""One symbol's state: the latest prices, the inventory, the open orders, the limits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, final

from logos.core.account import Ledger, Wallet
from logos.core.bars.terms import BarTerms
from logos.core.fees import FeeRule
from logos.core.fixed import CEILING, UP, divide, format_units
from logos.core.guards import Limits
from logos.core.instrument import RATE_SCALE, Instrument
from logos.core.inventory import Inventory
from logos.core.orders import Order, OrderIntent, StandingTarget, order_shape
from logos.core.prices.watch import LOWEST, NEVER, PriceWatch, lowest_price
from logos.core.terms.marks import LAST_TRADE, MIDDLE, mark_rule, unit_value

_RECENT_ORDERS_MIN: Final = 256

NO_BOUND: Final = -1
"""No participation cap, or a source without sizes: any quantity fills."""


@final
class InstrumentState:
    """Everything the core knows about one symbol. Prices of 0 mean: not seen yet.

    A position is valued at its `mark`, by the rule of its instrument: the bid for a long and the
    ask for a short, the middle of the two, or the last trade. A price of a source that has one
    side only is all of them. Once a symbol has shown a two-sided price, its one-sided prints move
    no mark but that of the last trade.
    """

    __slots__ = (
        "ask",
        "bars",
        "base_factor",
        "base_spare",
        "base_wallet",
        "bid",
        "buy_left",
        "calm_high",
        "calm_low",
        "cap_notional",
        "excused_ns",
        "exit_orders",
        "fee_rule",
        "fees",
        "initial_margin",
        "instrument",
        "inventory",
        "is_busy",
        "is_liquidity_shared",
        "is_paused",
        "lag_ns",
        "last_ns",
        "last_price",
        "ledger",
        "limits",
        "lost_exits",
        "maintenance_margin",
        "mark_rule",
        "market_value",
        "open_buy",
        "open_increase",
        "open_sell",
        "order_quantity",
        "realised",
        "recent_orders",
        "recent_orders_limit",
        "room_price",
        "room_rate",
        "sell_left",
        "silence_told_ns",
        "target",
        "two_sided",
        "unit_value",
        "watch",
        "working",
        "worst_buy_price",
        "worst_sell_price",
    )

    def __init__(
        self,
        instrument: Instrument,
        ledger: Ledger,
        base_wallet: Wallet,
        limits: Limits,
        order_quantity: int,
        cap_notional: int,
    ) -> None:
        self.instrument = instrument
        self.ledger = ledger
        self.base_wallet = base_wallet
        self.base_factor: int = 10 ** (base_wallet.decimals - instrument.quantity_decimals)
        """Base-wallet units in one quantity unit."""
        self.base_spare: int = 0
        """Base-wallet units that fees took off the position and not off the wallet: less than one
        quantity unit, and used up by the next fee."""
        self.unit_value: int = unit_value(instrument, ledger.decimals)
        """Ledger units in one price unit times one quantity unit; inverse: see `Inventory`."""
        self.limits = limits
        self.order_quantity = order_quantity
        """What a bare Side trades, in quantity units; 0: the first one decides (see `intents`)."""
        self.cap_notional = cap_notional
        """Intents are shrunk to this much money (ledger units; 0: never)."""
        self.inventory = Inventory(self.unit_value, instrument.is_inverse)
        self.fee_rule = FeeRule(instrument, ledger.decimals)
        self.bid: int = 0
        self.ask: int = 0
        self.two_sided: bool = False
        self.mark_rule: int = mark_rule(instrument)  # 0, the usual one, costs a look
        self.watch = PriceWatch(
            instrument.tick, lowest=lowest_price(instrument)
        )  # what its prices are held against
        self.calm_low: int = NEVER
        self.calm_high: int = LOWEST  # a quote from low to high is near the last one
        self.last_ns: int = 0  # when the symbol last showed a price
        self.last_price: int = 0  # of the last trade, or the close of a bar of trades
        self.lag_ns: int = 0  # how much older than its receipt that was, where a feed says so
        self.excused_ns: int = -1
        self.silence_told_ns: int = -1
        """The last price whose age was excused, and whose age was told; see safety.see_time."""
        self.market_value: int = 0  # the position at its mark, signed, in ledger units
        self.realised: int = 0
        self.fees: int = 0
        self.initial_margin: int = 0
        self.maintenance_margin: int = 0
        """What the position binds (ledger units); both 0 for spot."""
        self.working: list[Order] = []  # open orders by number, oldest first
        self.exit_orders: int = 0  # how many of them have `orders.ExitTerms`
        self.lost_exits: int = 0  # exits that were cancelled while they were held; see `exits.lost`
        self.open_buy: int = 0
        self.open_sell: int = 0  # quantity units that open orders may still buy and sell
        self.recent_orders: dict[tuple[object, ...], int] = {}
        """When an order of each shape was last made; see `remember`."""
        self.recent_orders_limit: int = 256
        self.open_increase: int = 0
        self.worst_buy_price: int = 0
        self.worst_sell_price: int = 0  # the highest price an open order of that side was judged at
        self.buy_left: int = NO_BOUND
        self.sell_left: int = NO_BOUND
        """What orders may still take from the latest event, by side."""
        self.is_liquidity_shared: bool = False
        self.target: StandingTarget | None = None  # the target position that stands
        self.is_busy: bool = False  # an order is open or a target stands
        self.room_rate: int = 0
        self.room_price: int = 0
        """See `exits.targets.leave_room`."""
        self.is_paused: bool = False
        """Whether nothing may be ordered in it: an operator's wish, or `watch.is_stopped`."""
        self.bars = BarTerms()

    def reference_price(self, is_buy: bool) -> int:
        """The price that an order of that side would meet now, in price units; 0: none seen yet."""
        return self.ask if is_buy else self.bid

    def is_stale(self, now_ns: int) -> bool:
        """Whether the last price is too old to trade on; one that never was is not old."""
        limit_ns = self.limits.stale_after_ns
        return limit_ns != 0 and self.bid != 0 and now_ns - self.last_ns + self.lag_ns > limit_ns

    def equity_for(self, price: int) -> int:
        """What parts of equity are parts of, in ledger units.

        It is the ledger's equity; at spot, with what the session began with of the traded asset.
        """
        began = self.base_wallet.initial if self.instrument.settlement == "spot" else 0
        if began == 0:
            return self.ledger.equity
        return self.ledger.equity + self.value(price, began // self.base_factor)

    def see_calm(self) -> None:
        """To be called when a price was judged: which quotes need no look from now on."""
        self.calm_low, self.calm_high = self.watch.calm_range(self.bid, self.ask)

    @property
    def unrealised(self) -> int:
        """Open profit at the mark, in ledger units."""
        profit = self.market_value - self.inventory.cost
        return -profit if self.instrument.is_inverse else profit

    @property
    def mark(self) -> int:
        """The price the position is valued at (the bid when there is none), in price units.

        The middle of two prices is rounded down; see `exact_mark`.
        """
        if self.mark_rule == MIDDLE:
            return (self.bid + self.ask) // 2
        if self.mark_rule == LAST_TRADE and self.last_price:
            return self.last_price
        return self.ask if self.inventory.position < 0 else self.bid

    @property
    def exact_mark(self) -> int:
        """The same in units of `10**-mark_decimals`, where it is whole."""
        return (self.bid + self.ask) * 5 if self.mark_rule == MIDDLE else self.mark

    @property
    def value_at_mark(self) -> int:
        """What the position is worth at its mark, signed, in ledger units."""
        position = self.inventory.position
        if self.instrument.is_inverse:
            if self.mark_rule == MIDDLE:
                return self.inventory.worth(self.bid + self.ask, 2 * position)
            return self.inventory.worth(self.mark, position)
        if self.mark_rule == MIDDLE:
            # Whole: the ledger's money has a decimal for the half.
            return position * (self.bid + self.ask) * self.unit_value // 2
        return self.unit_value * position * self.mark

    def remark(self) -> bool:
        """Value the position at the latest prices; whether equity is now below its floor."""
        if self.mark_rule:
            return self._remark_by_rule()
        position = self.inventory.position
        # In this order, and without signs, what is multiplied stays a machine's word for longer.
        if position > 0:
            value = self.unit_value * position * self.bid
        else:
            value = -(self.unit_value * -position * self.ask)
        delta = value - self.market_value
        if delta == 0:
            return False
        self.market_value = value
        return self.ledger.mark(delta, position > 0)

    def _remark_by_rule(self) -> bool:
        """The same by another rule than the usual one, and where prices may be below zero."""
        value = self.value_at_mark
        old = self.market_value
        if value == old:
            return False
        self.market_value = value
        if self.instrument.is_inverse:
            return self.ledger.mark_inverse(value - old, abs(value) - abs(old))
        return self.ledger.mark_sized(value - old, abs(value) - abs(old))

    def value(self, price: int, quantity: int) -> int:
        """Money of `quantity` at `price`, in ledger units."""
        if self.inventory.is_inverse:
            return self.inventory.worth(price, quantity)
        return self.unit_value * quantity * price

    def value_in_flight(self, price: int, quantity: int) -> int:
        """The same of what orders may still fill; of an inverse contract each quantity unit is
        rounded up, so that parts add up to the whole."""
        if self.inventory.is_inverse:
            return quantity * divide(self.unit_value, price, CEILING) if price else 0
        return self.unit_value * quantity * price

    def dearer(self, first: int, second: int) -> int:
        """Of two prices the one at which a quantity is worth more; 0 stands for none."""
        if self.inventory.is_inverse and first and second:
            return min(first, second)
        return max(first, second)

    def base_fee_value(self, base_fee: int, price: int) -> int:
        """What a fee in the base asset is worth at `price`, rounded up, in ledger units."""
        return divide(base_fee * price * self.unit_value, self.base_factor, UP)

    def take_base_fee(self, base_fee: int) -> int:
        """How many quantity units a fee of `base_fee` base-wallet units takes off the position.

        They are whole, so it may be more than the fee: the rest is kept for the next one.
        """
        missing = base_fee - self.base_spare
        taken = divide(missing, self.base_factor, UP) if missing > 0 else 0
        self.base_spare += taken * self.base_factor - base_fee
        return taken

    @property
    def is_flat(self) -> bool:
        """Whether nothing is held that could be sold: less than a lot is left."""
        return abs(self.inventory.position) < self.instrument.lot

    @property
    def dust(self) -> int:
        """What fees in the base asset left behind that is no whole lot, in base-wallet units."""
        position = self.inventory.position
        if self.instrument.settlement != "spot" or position < 0:
            return 0
        return position % self.instrument.lot * self.base_factor + self.base_spare

    def margin(self, value: int, rate: int) -> int:
        """Margin for a position of entry `value`: value * rate / leverage, rounded up."""
        size = -value if value < 0 else value
        return divide(size * rate, RATE_SCALE * self.instrument.leverage, UP)

    def rebind_margin(self) -> None:
        """Bind margin for the position as it is now, at the value it was entered at."""
        instrument = self.instrument
        cost = self.inventory.cost
        initial = self.margin(cost, instrument.initial_margin_rate)
        maintenance = self.margin(cost, instrument.maintenance_margin_rate)
        self.ledger.initial_margin += initial - self.initial_margin
        self.ledger.maintenance_margin += maintenance - self.maintenance_margin
        self.initial_margin = initial
        self.maintenance_margin = maintenance

    def worst_exposure(self, more_buy: int, more_sell: int, price: int) -> int:
        """The largest value the position could come to have, in ledger units, without sign.

        That is with the open orders of one side filled, each at the highest price that any of
        them was judged at, these quantities more at `price`, and none of the other side; or as
        it is.
        """
        position = self.inventory.position
        now = abs(self.market_value)
        buys = self.open_buy + more_buy
        sells = self.open_sell + more_sell
        buy_price, sell_price = self.worst_buy_price, self.worst_sell_price
        buy_price = self.dearer(buy_price, price) if more_buy else buy_price
        sell_price = self.dearer(sell_price, price) if more_sell else sell_price
        if position >= 0:
            added = now + self.value(buy_price, buys)
            flipped = self.value(sell_price, sells - position) if sells > position else 0
        else:
            added = now + self.value(sell_price, sells)
            flipped = self.value(buy_price, buys + position) if buys > -position else 0
        return max(added, flipped)

    def refresh_busy(self) -> None:
        """To be called when an order has ended, or a target was set or dropped."""
        self.is_busy = bool(self.working) or self.target is not None

    def remember(self, intent: OrderIntent, now_ns: int) -> None:
        """Keep the shape of an order that was made, for as long as duplicates are refused."""
        window_ns = self.limits.duplicate_window_ns
        recent = self.recent_orders
        if len(recent) >= self.recent_orders_limit:
            recent = {
                shape: made_ns for shape, made_ns in recent.items() if now_ns - made_ns < window_ns
            }
            self.recent_orders = recent
            # Twice what is alive: pruning then costs no more than making the orders did.
            self.recent_orders_limit = max(_RECENT_ORDERS_MIN, 2 * len(recent))
        recent[order_shape(intent)] = now_ns

    def see_order(self, order: Order) -> None:
        """An order is open: remember the highest price of its side."""
        if order.reduce_only:
            return
        if order.is_buy:
            self.worst_buy_price = self.dearer(self.worst_buy_price, order.judged_price)
        else:
            self.worst_sell_price = self.dearer(self.worst_sell_price, order.judged_price)

    def refresh_in_flight(self) -> None:
        """Pass on to the ledger what open orders could add to its gross exposure now."""
        if self.open_buy == 0:
            self.worst_buy_price = 0
        if self.open_sell == 0:
            self.worst_sell_price = 0
        increase = self.worst_exposure(0, 0, 0) - abs(self.market_value)
        self.ledger.open_increase += increase - self.open_increase
        self.open_increase = increase


def find_open(
    every: Iterable[InstrumentState], first: InstrumentState | None, order_id: int, tag: str
) -> Order | None:
    """The oldest open order of that number or, without one, that tag; None: there is none.

    It is looked for in the symbol `first` before all others.
    """
    states = list(every)
    if first is not None:
        states.insert(0, first)
    for state in states:
        for order in state.working:
            if order.order_id == order_id or (tag and order.tag == tag and not order_id):
                return order
    return None


def dust_in_words(state: InstrumentState) -> str:
    """What is held of the symbol and too little to be sold, as an operator reads it."""
    amount = format_units(state.dust, state.base_wallet.decimals)
    return f"{amount} {state.instrument.base} stays: less than a lot cannot be sold"
