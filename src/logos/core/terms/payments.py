"""What positions and cash earn and cost as time passes: funding, the cost of borrowing, interest.

    funding    at the times of the instrument: the position's value at its mark, times the rate;
               longs pay shorts at a rate above 0
    borrow     at 00:00 UTC: a short position's value at its mark, times its yearly rate / 365; at
               spot only so much of it as the account owes of the asset
    interest   at 00:00 UTC: what a currency's balance is below zero, times its yearly rate / 365

What a venue charges for a day's trades, behind the fills (`charge`), comes with its reports.

A payment at a moment is about what was held before the event of that moment, at the latest mark
before it. It is rounded down to the ledger's last digit, what is paid as well as what is received:
against the account. Of one moment, funding comes first, then borrow, each in the order of the
symbols, then interest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, final

from logos.core.account import Ledger
from logos.core.fixed import FLOOR, divide
from logos.core.instrument import RATE_SCALE
from logos.core.instrument_state import InstrumentState
from logos.core.order_manager import OrderManager
from logos.core.records import PaymentRecord
from logos.core.safety import SafetyMonitor
from logos.core.terms.market_hours import utc_day_end_ns
from logos.core.types import NEVER_NS, NS_PER_DAY

DAYS_OF_YEAR: Final = 365

FUNDING: Final = "funding"
BORROW: Final = "borrow"
INTEREST: Final = "interest"
CHARGE: Final = "charge"


@final
class Payments:
    """Books the payments of one session. `next_ns` is when the next is due."""

    __slots__ = ("_funded", "_lent", "_order_manager", "_safety", "_shorted", "next_ns")

    def __init__(self, order_manager: OrderManager, safety: SafetyMonitor) -> None:
        states = list(order_manager.states.values())
        self._order_manager = order_manager
        self._safety = safety
        self._funded = [each for each in states if each.instrument.funding is not None]
        self._shorted = [each for each in states if each.instrument.borrow_rate]
        self._lent = [each for each in order_manager.account.ledgers if each.interest_rate]
        self.next_ns: int = NEVER_NS

    def begin(self, ts_ns: int) -> None:
        """The session begins at `ts_ns`, nanoseconds UTC."""
        self.next_ns = self._next_after(ts_ns)

    def pay_until(self, until_ns: int) -> None:
        """Book what was due up to `until_ns`, that moment included; the session may halt."""
        while self.next_ns <= until_ns:
            self._pay(self.next_ns)
            self.next_ns = self._next_after(self.next_ns)

    def _next_after(self, ts_ns: int) -> int:
        next_ns = NEVER_NS
        if self._shorted or self._lent:
            next_ns = utc_day_end_ns(ts_ns)
        for state in self._funded:
            funding = state.instrument.funding
            if funding is not None:
                next_ns = min(next_ns, funding.next_after(ts_ns))
        return next_ns

    def _pay(self, ts_ns: int) -> None:
        self._order_manager.now_ns = ts_ns
        for state in self._funded:
            funding = state.instrument.funding
            rate = 0 if funding is None else funding.rate_at(ts_ns)
            if rate and state.inventory.position:
                amount = divide(-state.value_at_mark * rate, RATE_SCALE, FLOOR)
                self._book_position(state, FUNDING, state.inventory.position, rate, amount)
        if ts_ns % NS_PER_DAY:
            return
        for state in self._shorted:
            quantity = _borrowed(state)
            if quantity:
                rate = state.instrument.borrow_rate
                value = state.value_at_mark * quantity // state.inventory.position
                amount = divide(-abs(value) * rate, RATE_SCALE * DAYS_OF_YEAR, FLOOR)
                self._book_position(state, BORROW, quantity, rate, amount)
        for ledger in self._lent:
            balance = ledger.wallet.balance
            if balance < 0:
                rate = ledger.interest_rate
                amount = divide(balance * rate, RATE_SCALE * DAYS_OF_YEAR, FLOOR)
                of, marked = (INTEREST, "", balance, rate), (0, 0, ledger.decimals)
                _book(self._order_manager, self._safety, ledger, amount, of, marked)

    def _book_position(
        self, state: InstrumentState, kind: str, quantity: int, rate: int, amount: int
    ) -> None:
        instrument = state.instrument
        marked = (state.exact_mark, instrument.mark_decimals, instrument.quantity_decimals)
        of = (kind, instrument.symbol, quantity, rate)
        _book(self._order_manager, self._safety, state.ledger, amount, of, marked)


def book_charge(
    order_manager: OrderManager, safety: SafetyMonitor, ledger: Ledger, cost: int
) -> None:
    """Book what a venue has charged at the order manager's present time, in units above 0; the
    session may halt."""
    _book(order_manager, safety, ledger, -cost, (CHARGE, "", 0, 0), (0, 0, ledger.decimals))


def _book(
    order_manager: OrderManager,
    safety: SafetyMonitor,
    ledger: Ledger,
    amount: int,
    of: tuple[str, str, int, int],
    marked: tuple[int, int, int],
) -> None:
    """`of` is kind, symbol, quantity and rate; `marked` the mark, its decimals, the quantity's."""
    is_breached = ledger.pay(amount)
    kind, symbol, quantity, rate = of
    mark, mark_decimals, quantity_decimals = marked
    order_manager.effects.append(
        PaymentRecord(
            order_manager.now_ns,
            order_manager.tick_id,
            kind,
            symbol,
            ledger.currency,
            quantity,
            mark,
            rate,
            amount,
            ledger.payments,
            ledger.wallet.balance,
            mark_decimals,
            quantity_decimals,
            ledger.decimals,
        )
    )
    if is_breached:
        safety.on_breach(ledger)


def may_pay(states: Iterable[InstrumentState]) -> bool:
    """Whether something may be brought or cost in any of the symbols that no fill makes."""
    return any(
        each.instrument.funding is not None
        or each.instrument.borrow_rate
        or each.ledger.interest_rate
        or each.ledger.is_charged
        for each in states
    )


def _borrowed(state: InstrumentState) -> int:
    """What is short and borrowed, below zero or 0, in quantity units."""
    position = state.inventory.position
    if position >= 0:
        return 0
    if state.instrument.settlement != "spot":
        return position
    owed = state.base_wallet.balance // state.base_factor
    return max(position, min(owed, 0))
