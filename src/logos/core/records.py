"""What the core says happened: the effects of a step, and the rows of the artifacts.

Every record carries its own decimals, so that a reader can turn its integers into figures without
the configuration that made them. Money is in units of `10**-money_decimals` of `currency`. These
are msgspec structs, tagged by kind (see `messages`), and encode to one JSON object each.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from logos.core.fixed import to_decimal
from logos.core.guards.uses import RiskRecord as RiskRecord
from logos.core.types import Code, Liquidity, OrderStatus, OrderType, Side, TimeInForce


class LedgerAtOrder(msgspec.Struct, frozen=True, gc=False):
    """What a ledger showed when an order of its currency was made, in ledger units: the worth of
    the open positions at their marks, without and with its sign, and equity."""

    gross_units: int
    net_units: int
    equity_units: int


class OrderRecord(
    msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="order", tag_field="kind"
):
    """An order as it was made, before anybody heard of it.

    A price of 0 means: the order names no such price. `notes` says whether the quantity was
    capped; `tag` is the strategy's name for the order. `ledger` is there only where the settings
    limit exposure or losses: those limits cannot be judged afterwards without it. The last five
    say what `orders.ExitTerms` says. All six are left out where there is nothing to say.
    """

    ts_ns: int
    tick_id: int
    order_id: int
    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity_units: int
    limit_price_units: int
    stop_price_units: int
    reference_price_units: int
    notes: str
    tag: str
    price_decimals: int
    quantity_decimals: int
    money_decimals: int
    ledger: LedgerAtOrder | None = None
    reduce_only: bool = False
    group: str = ""
    stop_loss_units: int = 0
    take_profit_units: int = 0
    follows: int = 0
    fleet_epoch: int = 0
    """The epoch of the fleet's switch that permitted it; left out where there is no fleet."""
    claim_epoch: int = 0  # of the claim to its shard; left out where there is none


class OrderUpdate(
    msgspec.Struct, frozen=True, gc=False, tag="order_update", tag_field="kind", omit_defaults=True
):
    """A change of an order's status; quantity and fee are totals. `reason` is a `Code` or empty.

    `quantity_units` is the order's new quantity, where an exit was cut to what is held or grew with
    its entry; 0 and left out: as it was. After a split, what may still fill and the prices are new:
    then all three are there that the order has.
    """

    ts_ns: int
    tick_id: int
    order_id: int
    symbol: str
    status: OrderStatus
    filled_units: int
    fee_units: int
    reason: str
    quantity_units: int = 0
    limit_price_units: int = 0
    stop_price_units: int = 0


class LotClosure(msgspec.Struct, frozen=True, gc=False):
    """The part of one lot that a fill closed.

    `pnl_units` is the gross profit of that part; `fee_units` its share of fees: the lot's entry
    fee in proportion, and the whole fee of this fill for the first lot it touches.
    """

    lot_id: int
    quantity_units: int
    open_price_units: int
    pnl_units: int
    fee_units: int


class PaperFillRecord(msgspec.Struct, frozen=True, gc=False, tag="fill", tag_field="kind"):
    """One fill: its order, the lots it consumed, and position and money right after it.

    `base_fee_units` is what the venue kept of the traded asset, in units of `10**-base_decimals`;
    `fee_units` has its value in it.
    """

    ts_ns: int
    tick_id: int
    fill_id: int
    order_id: int
    client_order_id: str
    symbol: str
    side: Side
    quantity_units: int
    price_units: int
    liquidity: Liquidity
    fee_units: int
    currency: str
    realised_units: int
    lots: tuple[LotClosure, ...]
    opened_lot_id: int
    opened_units: int
    position_units: int
    symbol_realised_units: int
    symbol_fees_units: int
    wallet_units: int
    price_decimals: int
    quantity_decimals: int
    money_decimals: int
    base_fee_units: int = 0
    base_decimals: int = 0

    @property
    def price(self) -> Decimal:
        """The fill's price, in the quote currency."""
        return to_decimal(self.price_units, self.price_decimals)

    @property
    def quantity(self) -> Decimal:
        """The quantity, in units of the symbol; never negative."""
        return to_decimal(self.quantity_units, self.quantity_decimals)

    @property
    def fee(self) -> Decimal:
        """The whole fee of the fill, in `currency`."""
        return to_decimal(self.fee_units, self.money_decimals)

    @property
    def realised(self) -> Decimal:
        """Gross profit that this fill realised, before fees."""
        return to_decimal(self.realised_units, self.money_decimals)

    @property
    def position(self) -> Decimal:
        """Signed quantity held after the fill."""
        return to_decimal(self.position_units, self.quantity_decimals)


class RefusalRecord(msgspec.Struct, frozen=True, gc=False, tag="refusal", tag_field="kind"):
    """An intent that did not become an order, and the code that says why.

    `also` holds every other guard that tripped on it, in the order of `guards.table`.
    """

    ts_ns: int
    tick_id: int
    symbol: str
    code: Code
    detail: str
    also: tuple[Code, ...] = ()


class GuardRecord(msgspec.Struct, frozen=True, gc=False, tag="guard", tag_field="kind"):
    """A guard that watches every tick tripped, or one whose action is more than refusing.

    `action` is what was done: refuse, reduce_only or engage. `subject` is a symbol or currency.
    """

    ts_ns: int
    tick_id: int
    code: Code
    action: str
    subject: str
    detail: str


class BlockedRecord(msgspec.Struct, frozen=True, gc=False, tag="blocked", tag_field="kind"):
    """A tick that gate 1 kept from the strategy."""

    ts_ns: int
    tick_id: int
    symbol: str
    code: Code


class SwitchRecord(
    msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="switch", tag_field="kind"
):
    """The kill switch as the session first saw it in a new state.

    `seen_at` and `orders` (how often gate 2 had let one pass) say at which look exactly, so that a
    replay can show it there again: "tick" and "edge" (start or stop) are gate 1, "order" is gate 2;
    "guard" and "command" are the session's own doing and follow by themselves. `epoch` is that of
    the switch's files, and left out for one without them.
    """

    ts_ns: int
    tick_id: int
    state: str
    reason: str
    seen_at: str
    orders: int
    epoch: int = 0


class CommandRecord(msgspec.Struct, frozen=True, gc=False, tag="command", tag_field="kind"):
    """An operator command, carried out after tick `tick_id`; `amount` is a limit's, in money."""

    ts_ns: int
    tick_id: int
    action: str
    reason: str
    by: str
    symbol: str = ""
    amount: str | msgspec.UnsetType = msgspec.UNSET


class WarningRecord(msgspec.Struct, frozen=True, gc=False, tag="warning", tag_field="kind"):
    """Something an operator should read that stopped nothing."""

    ts_ns: int
    tick_id: int
    symbol: str
    code: str
    detail: str


class WarmUpRecord(msgspec.Struct, frozen=True, gc=False, tag="warmup", tag_field="kind"):
    """A symbol's warm-up is over: orders in it are refused no longer.

    `bars` of the finest timeframe were seen meanwhile, `past_bars` of them from before the session;
    `since_ns` is when the first of them, or the session, began.
    """

    ts_ns: int
    tick_id: int
    symbol: str
    since_ns: int
    bars: int
    past_bars: int


class NoteRecord(msgspec.Struct, frozen=True, gc=False, tag="note", tag_field="kind"):
    """What the strategy wrote down with `context.log`, on one line and without secrets."""

    ts_ns: int
    tick_id: int
    symbol: str
    text: str


class PlotRecord(msgspec.Struct, frozen=True, gc=False, tag="plot", tag_field="kind"):
    """A point of the curve `name`, which the strategy drew with `context.plot`.

    `value` is a finite number as text, as exact as the strategy gave it.
    """

    ts_ns: int
    tick_id: int
    symbol: str
    name: str
    value: str


class CorporateActionRecord(
    msgspec.Struct, frozen=True, gc=False, tag="corporate_action", tag_field="kind"
):
    """A split or a dividend was carried out; `due_ns` is its own time.

    A split turned `old` units into `new`; what was left of the last unit was paid at `price_units`,
    the last price before it, or at `bid_units`, the last bid, where it was no part of the position.
    A dividend has `new` and `old` 0 and an `amount_units` of `10**-amount_decimals` a unit.
    `cash_units` came in (negative: went out), `realised_units` of it is profit; the rest is as
    after a fill. `base_decimals` are those of the traded asset's wallet.
    """

    ts_ns: int
    tick_id: int
    symbol: str
    due_ns: int
    new: int
    old: int
    amount_units: int
    amount_decimals: int
    price_units: int
    bid_units: int
    cash_units: int
    realised_units: int
    position_units: int
    symbol_realised_units: int
    wallet_units: int
    price_decimals: int
    quantity_decimals: int
    money_decimals: int
    base_decimals: int


class PositionRecord(msgspec.Struct, frozen=True, gc=False, tag="position", tag_field="kind"):
    """One symbol's position at a moment; `cost_units` is its signed entry value, `price_decimals`
    are those of the mark."""

    ts_ns: int
    symbol: str
    currency: str
    position_units: int
    mark_units: int
    cost_units: int
    realised_units: int
    unrealised_units: int
    fees_units: int
    open_lots: int
    price_decimals: int
    quantity_decimals: int
    money_decimals: int


class PaymentRecord(msgspec.Struct, frozen=True, gc=False, tag="payment", tag_field="kind"):
    """A payment that no fill made; `type` is funding, borrow, interest or charge (see
    `terms.payments`).

    `amount_units` is above 0 for what was received. `quantity_units` is what of the position it
    is about, signed, `mark_units` what that was valued at; of interest the balance in money and 0,
    of a charge 0 (neither has a symbol). `rate_units` are 10**-9: of one funding, or of a year.
    """

    ts_ns: int
    tick_id: int
    type: str
    symbol: str
    currency: str
    quantity_units: int
    mark_units: int
    rate_units: int
    amount_units: int
    payments_units: int
    wallet_units: int
    price_decimals: int
    quantity_decimals: int
    money_decimals: int


class AccountRecord(
    msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="account", tag_field="kind"
):
    """One currency's ledger at a moment: equity = initial + realised - fees + unrealised +
    payments. The last are left out where there were none.

    `balance_units` is what the wallet holds, `locked_units` what open orders and margin bind.
    """

    ts_ns: int
    currency: str
    balance_units: int
    locked_units: int
    initial_units: int
    realised_units: int
    fees_units: int
    unrealised_units: int
    equity_units: int
    high_water_units: int
    max_drawdown_units: int
    money_decimals: int
    payments_units: int = 0


Record = (
    OrderRecord
    | OrderUpdate
    | PaperFillRecord
    | RefusalRecord
    | GuardRecord
    | BlockedRecord
    | SwitchRecord
    | CommandRecord
    | WarningRecord
    | WarmUpRecord
    | NoteRecord
    | PlotRecord
    | CorporateActionRecord
    | PositionRecord
    | PaymentRecord
    | AccountRecord
    | RiskRecord
)
