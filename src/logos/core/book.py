"""One symbol's state: the latest prices, the inventory, the open orders, the limits."""

from __future__ import annotations

from typing import Final, final

from logos.core.account import Ledger, Wallet
from logos.core.fees import FeeRule
from logos.core.fixed import UP, divide
from logos.core.instrument import RATE_DECIMALS, Instrument
from logos.core.inventory import Inventory
from logos.core.orders import Order

_RATE_SCALE: Final = 10**RATE_DECIMALS

NO_BOUND: Final = -1
"""No participation cap, or a source without sizes: any quantity fills."""


@final
class Limits:
    """What risk allows for one symbol; 0 means no limit.

    `order_notional` is in ledger units, `position` in quantity units, `collar_rate` (how far a
    named price may be from the reference price) in 10**-9.
    """

    __slots__ = ("collar_rate", "order_notional", "position")

    def __init__(self, order_notional: int = 0, position: int = 0, collar_rate: int = 0) -> None:
        self.order_notional = order_notional
        self.position = position
        self.collar_rate = collar_rate


@final
class Book:
    """Everything the core knows about one symbol. Prices of 0 mean: not seen yet.

    A position is valued at its `mark`: the bid for a long, the ask for a short, and the last price
    where the source has one side only. Once a symbol has shown a two-sided price, its one-sided
    prints no longer move the mark.
    """

    __slots__ = (
        "ask",
        "base_factor",
        "base_wallet",
        "bid",
        "buy_left",
        "cap_notional",
        "fee_rule",
        "fees",
        "initial_margin",
        "instrument",
        "inventory",
        "is_liquidity_shared",
        "ledger",
        "limits",
        "maintenance_margin",
        "open_buy",
        "open_sell",
        "order_quantity",
        "realised",
        "sell_left",
        "two_sided",
        "unit_value",
        "unrealised",
        "working",
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
        self.unit_value: int = instrument.multiplier * 10 ** (
            ledger.decimals - instrument.value_decimals
        )
        """Ledger units in one price unit times one quantity unit."""
        self.limits = limits
        self.order_quantity = order_quantity
        """What a bare Side trades, in quantity units."""
        self.cap_notional = cap_notional
        """The translator shrinks market intents to this much money (ledger units; 0: never)."""
        self.inventory = Inventory(self.unit_value)
        self.fee_rule = FeeRule(instrument, ledger.decimals)
        self.bid: int = 0
        self.ask: int = 0
        self.two_sided: bool = False
        self.unrealised: int = 0
        self.realised: int = 0
        self.fees: int = 0
        self.initial_margin: int = 0
        self.maintenance_margin: int = 0
        """What the position binds (ledger units); both 0 for spot."""
        self.working: list[Order] = []
        """Open orders by number, oldest first."""
        self.open_buy: int = 0
        self.open_sell: int = 0
        """Quantity units that open orders may still buy and sell."""
        self.buy_left: int = NO_BOUND
        self.sell_left: int = NO_BOUND
        """What orders may still take from the latest event, by side."""
        self.is_liquidity_shared: bool = False

    def reference_price(self, is_buy: bool) -> int:
        """What an order of that side would meet now; 0 when no price was seen yet."""
        return self.ask if is_buy else self.bid

    def set_prices(self, bid: int, ask: int) -> None:
        """New best prices (equal for a one-sided source); revalues the position."""
        self.bid = bid
        self.ask = ask
        if self.inventory.position != 0:
            self.remark()

    @property
    def mark(self) -> int:
        """The price the position is valued at (the bid when there is none)."""
        return self.ask if self.inventory.position < 0 else self.bid

    def remark(self) -> None:
        """Value the position at the latest prices and pass the change on to the ledger."""
        inventory = self.inventory
        position = inventory.position
        mark = self.bid if position > 0 else self.ask
        unrealised = position * mark * self.unit_value - inventory.cost
        delta = unrealised - self.unrealised
        if delta != 0:
            self.unrealised = unrealised
            self.ledger.mark(delta)

    def value(self, price: int, quantity: int) -> int:
        """Money of `quantity` at `price`, in ledger units."""
        return price * quantity * self.unit_value

    def margin(self, value: int, rate: int) -> int:
        """Margin for a position of entry `value`: value * rate / leverage, rounded up."""
        size = -value if value < 0 else value
        return divide(size * rate, _RATE_SCALE * self.instrument.leverage, UP)

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
