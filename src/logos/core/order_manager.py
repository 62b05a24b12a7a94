"""The order manager: the only place where orders are made, and where fills change positions.

`submit` takes an `Approved` and asks gate 2 before the order exists; `apply_*` carry out what the
market or the venue reports. Whatever happens is appended to `effects`: the journal is made of it.
"""

from __future__ import annotations

from typing import Final, final

from logos.core.account import Account, Wallet
from logos.core.gates import NO_EPOCHS, FleetEpochs, Switch, why_closed
from logos.core.guards import SessionGuards
from logos.core.handlers.events import OrderEvent
from logos.core.handlers.order_events import order_event, refusal_event
from logos.core.instrument_state import InstrumentState
from logos.core.inventory import Booking
from logos.core.orders import ACCEPTED, FILLED, PARTIALLY_FILLED, Execution, Order, StandingTarget
from logos.core.outbox import Outbox
from logos.core.recording import (
    account_record,
    fill_record,
    order_record,
    order_update,
    position_record,
)
from logos.core.records import PaperFillRecord, Record, RefusalRecord, WarningRecord
from logos.core.risk import Approved, increasing_quantity
from logos.core.types import Code, OrderStatus
from logos.errors import InvariantBroken

_STRATEGYS_OWN: Final = (Code.CANCELLED_BY_STRATEGY, Code.CANCELLED_BY_TARGET, Code.REPLACED)


@final
class OrderManager:
    """Orders, positions and wallets of one session.

    The engine sets `now_ns` (nanoseconds UTC) and `tick_id`.
    """

    __slots__ = (
        "account",
        "effects",
        "fill_count",
        "fleet",
        "guards",
        "is_ending",
        "is_unsettled",
        "news",
        "next_fill_id",
        "next_order_id",
        "now_ns",
        "order_count",
        "outbox",
        "release_count",
        "replaced",
        "session_id",
        "states",
        "switch",
        "targeted",
        "tick_id",
        "wants_fills",
        "wants_order_events",
    )

    def __init__(
        self,
        session_id: str,
        states: dict[str, InstrumentState],
        account: Account,
        switch: Switch,
        guards: SessionGuards,
        outbox: Outbox | None = None,
    ) -> None:
        """`outbox` is where a real venue's requests go; None: orders meet the paper market."""
        self.session_id = session_id
        self.states = states
        self.account = account
        self.switch = switch
        self.guards = guards
        self.outbox = outbox
        self.fleet: FleetEpochs | None = None
        """The epochs of the fleet's switch; None: the machine belongs to no fleet."""
        self.effects: list[Record] = []
        self.news: list[PaperFillRecord | OrderEvent] = []
        """Fills and order events that the strategy was not told of yet; kept if it wants them."""
        self.replaced: list[Order] = []
        """Orders that were cancelled for a successor, which has not been sent yet."""
        self.targeted: list[InstrumentState] = []
        """The symbols in which a target position stands, in the order in which they were asked."""
        self.is_ending: bool = False
        """Whether all events were processed, and the session is ending."""
        self.is_unsettled: bool = False
        """Whether news or replacements of this event wait for `OrderPipeline.settle`."""
        self.wants_fills: bool = False
        self.wants_order_events: bool = False
        self.now_ns: int = 0
        self.tick_id: int = 0
        self.next_order_id: int = 1
        self.next_fill_id: int = 1
        self.order_count: int = 0
        self.release_count: int = 0  # orders that were held, and sent when their price was reached
        self.fill_count: int = 0

    def submit(self, approved: Approved, latency_ns: int) -> Order | None:
        """Make the order unless gate 2 refuses it (None, and the refusal is recorded).

        It reaches the market `latency_ns` nanoseconds from now. Raises KeyError for an instrument
        that the session does not trade.
        """
        intent = approved.intent
        state = self.states[intent.instrument.symbol]
        order = Order(
            self.next_order_id,
            f"{self.session_id}-{self.next_order_id}",
            intent,
            self.now_ns,
            self.now_ns + latency_ns,
            self.tick_id,
            approved.lock,
            approved.judged_price,
        )
        in_flight = state.open_buy if order.is_buy else state.open_sell
        if order.reduce_only:
            in_flight = 0  # it is cut to what is left, whatever fills before it
        signed = order.quantity if order.is_buy else -order.quantity
        code = why_closed(self.switch.authority(), signed, state.inventory.position, in_flight)
        if code is not None:
            symbol, why = intent.instrument.symbol, [(code, self.switch.why())]
            self.refuse(symbol, why, intent.tag, intent.exit.group)
            return None
        self.next_order_id += 1
        self.order_count += 1
        self._lock_wallet(state, order).lock(order.locked)
        self.guards.see_order(self.now_ns)
        if state.limits.duplicate_window_ns:
            state.remember(intent, self.now_ns)
        state.working.append(order)
        state.is_busy = True
        if order.has_exit_terms:
            state.exit_orders += 1
        state.see_order(order)
        self._put_in_flight(state, order, order.quantity, 1)
        epochs = NO_EPOCHS if self.fleet is None else self.fleet.epochs_of(order.order_id)
        self.effects.append(order_record(order, self.now_ns, self.tick_id, state, epochs))
        if self.outbox is None:
            return order
        if order.waits_for_price:
            order.advance(OrderStatus.HELD)
            state.lost_exits = 0
            self.record_update(order)
        else:
            self.outbox.submit(order, approved)
        return order

    @property
    def passed_count(self) -> int:
        """How often gate 2 has let an order pass."""
        return self.order_count + self.release_count

    def set_target(self, state: InstrumentState, target: StandingTarget | None) -> None:
        """Let a target position stand in the symbol, in place of any other; None: none."""
        if state.target is not None:
            self.targeted.remove(state)
        state.target = target
        if target is not None:
            self.targeted.append(state)
        state.refresh_busy()

    def drop_targets(self) -> None:
        """Let no target position stand in any symbol."""
        for state in list(self.targeted):
            self.set_target(state, None)

    def refuse(
        self, symbol: str, violations: list[tuple[Code, str]], tag: str = "", group: str = ""
    ) -> None:
        """Record that an intent, with that tag and group, became no order: every code and text
        that spoke against it."""
        code, detail = violations[0]
        also = tuple([other for other, _ in violations[1:]])
        self.effects.append(RefusalRecord(self.now_ns, self.tick_id, symbol, code, detail, also))
        if self.wants_order_events:
            self.news.append(refusal_event(self.now_ns, symbol, code, detail, tag, group))
            self.is_unsettled = True

    def sample(self, ts_ns: int) -> None:
        """Record every symbol's position and every ledger as they stand, at `ts_ns`."""
        for state in self.states.values():
            self.effects.append(position_record(state, ts_ns))
        for ledger in self.account.ledgers:
            is_call = ledger.equity < ledger.maintenance_margin
            if is_call and not ledger.margin_call:
                words = f"{ledger.currency}: equity is below maintenance"
                self.warn("", "MARGIN_CALL", words)
            ledger.margin_call = is_call
            self.effects.append(account_record(ledger, ts_ns))

    def warn(self, symbol: str, code: str, detail: str) -> None:
        """Record what an operator should read, and what stopped nothing."""
        self.effects.append(WarningRecord(self.now_ns, self.tick_id, symbol, code, detail))

    def cancel(self, order: Order, code: Code) -> None:
        """End an open order: at once on paper, or while it is held; at a venue it is asked for, and
        reported later."""
        if self.outbox is None or order.status is OrderStatus.HELD:
            self.apply_end(order, OrderStatus.CANCELLED, code)
            return
        if order.cancel_at_ns < 0 or order.cancel_code in _STRATEGYS_OWN:
            # Keep the first reason; any other overrides the strategy's own.
            order.cancel_code = code
        if order.cancel_at_ns < 0:
            order.cancel_at_ns = self.now_ns
            self.outbox.cancel(order)

    def apply_unknown(self, order: Order) -> None:
        """The venue has not said what became of the order."""
        order.advance(OrderStatus.UNKNOWN)
        self.record_update(order)

    def apply_accept(self, order: Order) -> None:
        """The order reached the market."""
        order.advance(ACCEPTED)
        self.record_update(order)

    def resize(self, order: Order, quantity: int) -> None:
        """Give an open order another quantity, in its instrument's units."""
        order.quantity = quantity
        self.record_update(order, quantity)

    def record_update(self, order: Order, quantity: int = 0) -> None:
        """Record what an order has come to, other than a fill; `quantity`: its new one."""
        self.effects.append(order_update(order, self.now_ns, self.tick_id, quantity))
        if self.wants_order_events:
            self.news.append(order_event(order, self.now_ns, quantity != 0))
            self.is_unsettled = True

    def apply_end(self, order: Order, status: OrderStatus, code: Code) -> None:
        """The order ended without (the rest of) its fill."""
        order.advance(status)
        order.reason = code
        state = self.states[order.instrument.symbol]
        self._lock_wallet(state, order).unlock(order.locked)
        order.locked = 0
        self._leave(state, order, order.remaining)
        if code is Code.REPLACED:
            self.replaced.append(order)
            self.is_unsettled = True
        self.record_update(order)

    def apply_fill(self, order: Order, quantity: int, price: int, is_maker: bool) -> bool:
        """Book a paper fill of `quantity` units at `price` units, at the fee of the schedule.

        Returns False when the funds do not allow it, which ends the order. Raises KeyError for an
        instrument that the session does not trade, InvariantBroken for an order that cannot fill.
        """
        state = self.states[order.instrument.symbol]
        value = state.value(price, quantity)
        base = order.fee_base + state.fee_rule.fill_base(quantity, abs(value), is_maker)
        fee = state.fee_rule.order_fee(base) - order.fee
        shortage = self._shortage(state, order, quantity, value, fee)
        if shortage is not None:
            self.apply_end(order, OrderStatus.CANCELLED, shortage)
            return False
        order.fee_base = base
        self.book_fill(order, Execution(quantity, price, is_maker, fee))
        return True

    def book_fill(self, order: Order, execution: Execution) -> None:
        """Book a fill that happened, at the fee it cost.

        A base fee is charged to the base wallet alone; the ledger books its value at the fill's
        price, rounded up. The position is what is left to sell: the fee comes off it in whole
        quantity units (`InstrumentState.take_base_fee`), so it never exceeds what the wallet
        gained. Raises as `apply_fill`.
        """
        quantity, price = execution.quantity, execution.price
        base_fee = execution.base_fee
        state = self.states[order.instrument.symbol]
        value = state.value(price, quantity)
        self._unlock_share(state, order, quantity)
        fee = execution.quote_fee
        change = quantity if order.is_buy else -quantity
        if base_fee:
            fee += state.base_fee_value(base_fee, price)
            change -= state.take_base_fee(base_fee)
        order.fee += fee
        order.filled += quantity
        order.advance(FILLED if order.remaining == 0 else PARTIALLY_FILLED)
        if change:
            booking = state.inventory.apply_fill(change, price, fee, self.now_ns)
        else:
            booking = Booking()  # the smallest of purchases may go whole to the venue
        if order.instrument.settlement == "spot":
            state.ledger.wallet.balance -= (value if order.is_buy else -value) + execution.quote_fee
            base = quantity * state.base_factor
            state.base_wallet.balance += (base if order.is_buy else -base) - base_fee
        else:
            state.ledger.wallet.balance += booking.realised - fee
            state.rebind_margin()
        self._move_ledger(state, fee, booking)
        self._leave(state, order, quantity)
        self.fill_count += 1
        now_ns, tick_id, fill_id = self.now_ns, self.tick_id, self.next_fill_id
        fill = fill_record(state, order, execution, fee, booking, fill_id, now_ns, tick_id)
        self.next_fill_id += 1
        self.effects.append(order_update(order, now_ns, tick_id))
        self.effects.append(fill)
        self.is_unsettled = True
        if self.wants_fills:
            self.news.append(fill)

    def _shortage(
        self, state: InstrumentState, order: Order, quantity: int, value: int, fee: int
    ) -> Code | None:
        """What the venue itself would say: None, or the code of what is missing."""
        if order.instrument.settlement != "spot":
            increase = increasing_quantity(state, order.is_buy, quantity, 0)
            if increase == 0:
                return None
            rate = order.instrument.initial_margin_rate
            needed = state.margin(abs(value) * increase // quantity, rate)
            free = state.ledger.free_margin + order.locked
            return Code.INSUFFICIENT_FUNDS if needed + fee > free else None
        if order.is_buy:
            wallet = state.ledger.wallet
            free = wallet.balance + wallet.borrow_limit - state.ledger.initial_margin
            return Code.INSUFFICIENT_FUNDS if value + fee > free else None
        wallet = state.base_wallet
        short = quantity * state.base_factor > wallet.balance + wallet.borrow_limit
        return Code.INSUFFICIENT_BORROW if short else None

    def _move_ledger(self, state: InstrumentState, fee: int, booking: Booking) -> None:
        """The ledger takes over what the inventory booked."""
        state.realised += booking.realised
        state.fees += fee
        realised, cost, old_value = booking.realised, booking.cost, state.market_value
        value = state.market_value = state.value_at_mark
        if state.inventory.is_inverse:
            state.ledger.book_inverse(realised, fee, old_value, value, cost)
        else:
            state.ledger.book(realised, fee, old_value, value, cost)
        if booking.closures:
            self.guards.see_result(booking.realised - booking.closed_fees)

    def _unlock_share(self, state: InstrumentState, order: Order, quantity: int) -> None:
        """Release the part of the order's lock that this fill used up; the last releases all."""
        part, whole = quantity, order.remaining
        released = order.locked if part == whole else order.locked * part // whole
        order.locked -= released
        self._lock_wallet(state, order).unlock(released)

    def _lock_wallet(self, state: InstrumentState, order: Order) -> Wallet:
        """Where the order's lock lies: base for a spot sale, quote money for anything else."""
        if order.instrument.settlement == "spot" and not order.is_buy:
            return state.base_wallet
        return state.ledger.wallet

    def _leave(self, state: InstrumentState, order: Order, quantity: int) -> None:
        """`quantity` of the order is no longer in flight."""
        if not order.is_open:
            state.working.remove(order)
            if order.has_exit_terms:
                state.exit_orders -= 1
            if self.outbox is not None:
                self.outbox.open.pop(order.client_order_id, None)  # one that was held is not there
            self.guards.open_orders -= 1
            target = state.target
            if target is not None and target.order_id == order.order_id:
                target.order_id = 0
                target.is_filled = order.remaining == 0
                target.tries += 0 if target.is_filled else 1
            state.refresh_busy()
        self._put_in_flight(state, order, quantity, -1)
        if state.open_buy < 0 or state.open_sell < 0:
            raise InvariantBroken(f"{state.instrument.symbol}: less than nothing is in flight")

    def count_in_flight(self, state: InstrumentState, order: Order, sign: int) -> None:
        """Count the rest of an open order in (1) or out (-1), about a change of its terms."""
        self._put_in_flight(state, order, order.remaining, sign)

    def _put_in_flight(
        self, state: InstrumentState, order: Order, quantity: int, sign: int
    ) -> None:
        """Count `quantity` of an order in (1) or out (-1) of what is in flight."""
        if order.reduce_only:
            return  # it adds nothing to what could be held
        ledger = state.ledger
        value = state.value_in_flight(order.judged_price, quantity)
        if sign < 0:
            value, quantity = -value, -quantity
        if order.is_buy:
            state.open_buy += quantity
            ledger.open_buy_value += value
        else:
            state.open_sell += quantity
            ledger.open_sell_value += value
        if ledger.limits.has_gross_limit:
            state.refresh_in_flight()
