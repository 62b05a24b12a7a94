"""Every order of a journal judged again: its life, the limits, and the switch at that moment.

The problem: a strategy runs in the process that guards it, and Python keeps nobody from reaching
the guards' own objects. What such a trick does still stands in the journal, order by order. So
positions, open orders and what is in flight are kept here anew from the records alone, and every
order is judged against the limits of the settings, with everything in flight at its worst. Nothing
is shared with the core that made the orders.

What the journal does not hold cannot be judged: `not_judged` names it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec

from logos.audit.exposure import ExposureJudge
from logos.audit.findings import Finding
from logos.audit.gatekeeping import SwitchJudge
from logos.audit.money.carried import carry_of, position_of
from logos.audit.open_orders import OpenOrder, SymbolBook
from logos.audit.rules import SessionRules, UnreadableRules
from logos.config import Config, FeedName
from logos.core.records import (
    AccountRecord,
    CommandRecord,
    CorporateActionRecord,
    GuardRecord,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    PaymentRecord,
    PositionRecord,
    SwitchRecord,
)
from logos.core.types import MarkRule, OrderStatus, OrderType, Side
from logos.journal.entries import SessionRecord

FINDINGS_MAX: Final = 1_000
"""More than these are counted, and not described."""

_NEXT: Final[dict[OrderStatus, tuple[OrderStatus, ...]]] = {
    OrderStatus.NEW: (
        *(OrderStatus.ACCEPTED, OrderStatus.REJECTED, OrderStatus.CANCELLED),
        *(OrderStatus.EXPIRED, OrderStatus.UNKNOWN, OrderStatus.HELD),
    ),
    OrderStatus.HELD: (OrderStatus.NEW, OrderStatus.CANCELLED, OrderStatus.EXPIRED),
    OrderStatus.UNKNOWN: (
        *(OrderStatus.ACCEPTED, OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED),
    ),
    OrderStatus.ACCEPTED: (
        *(OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.CANCELLED),
        OrderStatus.EXPIRED,
    ),
    OrderStatus.PARTIALLY_FILLED: (
        *(OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.CANCELLED),
        OrderStatus.EXPIRED,
    ),
}
"""What may follow what in an order's life; nothing follows the other statuses."""

_PLACED: Final = (OrderRecord, OrderUpdate, PaperFillRecord, SwitchRecord, CommandRecord)


def not_judged(config: Config) -> list[str]:
    """What the settings ask for and the journal alone cannot show, in words."""
    risk = config.risk
    found = ["funds that open orders bind"]
    if config.live.feed is not FeedName.NONE:
        found.append("the latencies in session.md")
    if any(each.stale_after_s for each in (risk, *risk.symbols.values())):
        found.append("the age of prices")
    if any(each.settlement == "inverse" for each in config.instruments.values()):
        found.append("exposure in the coins of inverse contracts")
    if not isinstance(risk.guards, msgspec.UnsetType) and risk.guards:
        found.append("guards of your own")
    return found


class OrderJudge:
    """Judges the orders of one session; give it every record of its journal, in order.

    `orders` counts what was judged. `has_ledger`: whether the software that wrote the journal
    noted at each order what its ledger showed, where limits ask for it.
    """

    def __init__(self, session_id: str, rules: SessionRules, *, has_ledger: bool) -> None:
        self._session_id = session_id
        self._rules = rules
        self._books: dict[str, SymbolBook] = {}
        self._exits: dict[int, tuple[str, OpenOrder]] = {}
        self._switch = SwitchJudge(self._found)
        self._exposure = ExposureJudge(rules, self._books, self._found, has_ledger=has_ledger)
        self._order_times_ns: deque[int] = deque()
        carry = carry_of(rules.config)
        self._losses = 0 if carry is None else carry.losses
        self._held = () if carry is None else tuple(carry.symbols)
        self._tick_id = 0
        self._last_ns = 0
        self.orders = 0
        self.found_count = 0
        self.findings: list[Finding] = []
        self._takers: dict[type, Callable[[int, Any], None]] = {
            OrderRecord: self._see_order,
            OrderUpdate: self._see_update,
            PaperFillRecord: self._see_fill,
            CorporateActionRecord: self._see_action,
            PositionRecord: self._see_position,
            AccountRecord: self._exposure.see_account,
            PaymentRecord: self._exposure.see_payment,
            GuardRecord: self._exposure.see_guard,
        }

    @property
    def books(self) -> dict[str, SymbolBook]:
        """What each symbol that was ordered holds and has open after the records so far."""
        return self._books

    def see(self, sequence: int, record: SessionRecord) -> None:
        """Take in the record with this number."""
        self._switch.see(sequence, record)
        if (take := self._takers.get(type(record))) is not None:
            take(sequence, record)
        if type(record) in _PLACED:
            self._check_place(sequence, record.tick_id, record.ts_ns)  # type: ignore[union-attr]

    def _see_position(self, _sequence: int, record: PositionRecord) -> None:
        if record.symbol in self._held and record.symbol not in self._books:
            self._book(record)  # it was taken over, and what is held counts for every order

    def close(self) -> None:
        """There are no more records."""
        self._switch.close()
        more = self.found_count - len(self.findings)
        if more:
            words = f"{more} more findings about orders are not listed"
            self.findings.append(Finding("state.jsonl", "", words))

    def _found(self, sequence: int, message: str) -> None:
        self.found_count += 1
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding("state.jsonl", f"record {sequence}", message))

    def _check_place(self, sequence: int, tick_id: int, ts_ns: int) -> None:
        if tick_id < self._tick_id or ts_ns < self._last_ns:
            self._found(sequence, "comes from before the records before it")
        self._tick_id = max(self._tick_id, tick_id)
        self._last_ns = max(self._last_ns, ts_ns)

    # ---- an order is made ----

    def _see_order(self, sequence: int, record: OrderRecord) -> None:
        self.orders += 1
        self._check_name(sequence, record)
        try:
            book = self._book(record)
        except UnreadableRules as error:
            self._found(sequence, f"order {record.order_id}: {error}")
            return
        order = OpenOrder.of(record)
        if book.rules.is_inverse:  # the lower its price, the more it is worth
            prices = (*_named_prices(record), record.reference_price_units)
            order.judged_price = min(each for each in prices if each) if any(prices) else 0
        self._check_place_taken(sequence, order, record.symbol)
        for problem in self._problems(order, record, book):
            self._found(sequence, f"order {record.order_id} of {record.symbol}: {problem}")
        self._switch.judge(sequence, order, record, book)
        self._exposure.judge(sequence, order, record, book)
        self._order_times_ns.append(record.ts_ns)
        book.made[order.shape] = record.ts_ns
        book.add(order)

    def _check_name(self, sequence: int, record: OrderRecord) -> None:
        if record.order_id != self.orders:
            self._found(sequence, f"order {record.order_id} is the session's number {self.orders}")
        name = f"{self._session_id}-{record.order_id}"
        if record.client_order_id != name:
            self._found(sequence, f"order {record.order_id} is called {record.client_order_id!r}")

    def _check_place_taken(self, sequence: int, order: OpenOrder, symbol: str) -> None:
        """An exit in the place of another passes limits on that one's account: it must be one."""
        if order.reduce_only:
            self._exits[order.order_id] = (symbol, order)
        if not order.follows:
            return
        of_symbol, before = self._exits.get(order.follows, ("", order))
        if before is not order and of_symbol == symbol and order.continues(before):
            order.is_exit = True
            return
        words = f"order {order.order_id} takes the place of {order.follows}, which was no such exit"
        self._found(sequence, words)

    def _book(self, record: OrderRecord | CorporateActionRecord | PositionRecord) -> SymbolBook:
        prices = record.price_decimals
        if isinstance(record, PositionRecord):
            # The middle of two prices has a decimal more.
            prices -= self._rules.config.instruments[record.symbol].mark is MarkRule.MID
        scales = (prices, record.quantity_decimals, record.money_decimals)
        book = self._books.get(record.symbol)
        if book is None:
            book = SymbolBook(self._rules.symbol(record.symbol, *scales))
            taken = position_of(self._rules.config, record.symbol)
            book.position = int(taken * 10**record.quantity_decimals)
            self._books[record.symbol] = book
        rules = book.rules
        if scales != (rules.price_decimals, rules.quantity_decimals, rules.money_decimals):
            raise UnreadableRules(f"{record.symbol} is counted in other decimals than before")
        return book

    def _problems(self, order: OpenOrder, record: OrderRecord, book: SymbolBook) -> list[str]:
        """Every limit that the order passes, in words."""
        found = [*_shape_problems(order, record, book)]
        if order.reduce_only and not book.shrinks(order, order.quantity):
            found.append(f"it only reduces, and the position is {book.position} units")
        if order.is_exit:
            return found  # limits do not keep a position without its exits
        found += [
            *_size_problems(order, book),
            *_price_problems(record, book),
            *self._count_problems(order, record, book),
        ]
        rules = self._rules
        if rules.losses_max and self._losses >= rules.losses_max and book.increase(order):
            found.append(
                f"made after {self._losses} losses in a row, max_consecutive_losses is "
                f"{rules.losses_max}"
            )
        return found

    def _count_problems(self, order: OpenOrder, record: OrderRecord, book: SymbolBook) -> list[str]:
        found = []
        rules, most = self._rules, book.rules.open_orders_max
        if most and len(book.open) >= most:
            found.append(
                f"made while {len(book.open)} of the symbol were open, max_open_orders is {most}"
            )
        total = sum(len(each.open) for each in self._books.values())
        if rules.open_orders_max and total >= rules.open_orders_max:
            found.append(
                f"made while {total} were open, total.max_open_orders is {rules.open_orders_max}"
            )
        times = self._order_times_ns
        while times and record.ts_ns - times[0] >= rules.orders_window_ns:
            times.popleft()
        if rules.orders_max and len(times) >= rules.orders_max:
            found.append(
                f"made after {len(times)} others in the window, total.max_orders is "
                f"{rules.orders_max}"
            )
        window_ns = book.rules.duplicate_window_ns
        made_ns = book.made.get(order.shape)
        if window_ns and made_ns is not None and record.ts_ns - made_ns < window_ns:
            found.append("the same order was made within duplicate_window_s")
        return found

    # ---- what becomes of it ----

    def _see_update(self, sequence: int, record: OrderUpdate) -> None:
        book = self._books.get(record.symbol)
        order = None if book is None else book.open.get(record.order_id)
        if book is None or order is None:
            self._found(sequence, f"order {record.order_id} of {record.symbol} is not open")
            return
        name = f"order {record.order_id}"
        if record.quantity_units and order.order_id in book.split_open:
            self._split(sequence, order, record, book)
        elif record.quantity_units:
            self._resize(sequence, order, record)
        elif record.status not in _NEXT.get(order.status, ()):
            was, now = order.status.value, record.status.value
            self._found(sequence, f"{name} was {was}, and cannot become {now}")
        elif record.status is OrderStatus.NEW:
            self._switch.judge(sequence, order, record, book)  # it was held, and is sent now
        if not order.filled <= record.filled_units <= order.quantity:
            known = f"{order.filled} of {order.quantity} units were filled"
            self._found(sequence, f"{name} says {record.filled_units} units are filled, {known}")
        book.update(order, record.status, record.filled_units)

    def _resize(self, sequence: int, order: OpenOrder, record: OrderUpdate) -> None:
        """Take in a new quantity, which nothing else of the order changes with."""
        is_alone = record.status is order.status and record.filled_units == order.filled
        if not (order.reduce_only and is_alone and record.quantity_units > order.filled):
            self._found(sequence, f"order {record.order_id} cannot change its quantity like this")
        order.quantity = record.quantity_units

    def _see_action(self, sequence: int, record: CorporateActionRecord) -> None:
        """A split or a dividend: what is held, and the money of its currency."""
        book = self._book(record)
        self._exposure.see_cash(record, book)
        if (
            record.old
            and record.new
            and book.split(record.new, record.old) != record.position_units
        ):
            held = f"{record.position_units} units are held after it, and not {book.position}"
            self._found(sequence, f"split of {record.symbol}: {held}")
            book.position = record.position_units

    def _split(
        self, sequence: int, order: OpenOrder, record: OrderUpdate, book: SymbolBook
    ) -> None:
        """Take in what a split made of an open order."""
        remaining, limit, stop = book.after_split(order)
        off = [
            abs(record.limit_price_units - limit) >= book.rules.tick,
            abs(record.stop_price_units - stop) >= book.rules.tick,
            record.quantity_units != order.filled + remaining,
            record.status is not order.status or record.filled_units != order.filled,
        ]
        if any(off):
            self._found(sequence, f"order {record.order_id} is not what the split makes of it")
        prices = record.limit_price_units, record.stop_price_units
        book.change(order, record.quantity_units, *prices)

    def _see_fill(self, sequence: int, record: PaperFillRecord) -> None:
        book = self._books.get(record.symbol)
        order = None if book is None else book.known.get(record.order_id)
        if book is None or order is None:
            self._found(sequence, f"a fill of order {record.order_id}, which was never made")
            return
        name = f"fill {record.fill_id} of order {record.order_id}"
        if record.side is not (Side.BUY if order.is_buy else Side.SELL):
            self._found(sequence, f"{name} is a {record.side.value}, and the order is not")
        if order.reduce_only and not book.shrinks(order, record.quantity_units):
            words = f"and the position was {book.position} units"
            self._found(sequence, f"{name}: the order only reduces, {words}")
        order.booked += record.quantity_units
        if record.quantity_units <= 0 or order.booked != order.filled:
            told = f"the order says {order.filled} units are filled"
            self._found(sequence, f"{name}: fills come to {order.booked} units, and {told}")
        limit = order.limit_price
        if limit and (record.price_units > limit if order.is_buy else record.price_units < limit):
            self._found(sequence, f"{name}: its price is worse than the order's limit")
        if record.lots:
            profit = sum(lot.pnl_units - lot.fee_units for lot in record.lots)
            self._losses = self._losses + 1 if profit < 0 else 0
        self._exposure.see_fill(order, record, book)
        book.position = record.position_units
        if order.booked == order.quantity:
            del book.known[record.order_id]


def _named_prices(record: OrderRecord) -> tuple[int, int]:
    return record.limit_price_units, record.stop_price_units


def _shape_problems(order: OpenOrder, record: OrderRecord, book: SymbolBook) -> list[str]:
    """What no order may be, whatever the limits."""
    rules, found = book.rules, []
    quantity = order.quantity
    if quantity <= 0 or quantity % rules.lot:
        found.append("its quantity is no whole number of lots")
    if quantity < rules.quantity_min or 0 < rules.quantity_max < quantity:
        found.append("its quantity is outside what the instrument allows")
    wants_limit = record.type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    wants_stop = record.type in (OrderType.STOP, OrderType.STOP_LIMIT)
    named = _named_prices(record)
    if (wants_limit, wants_stop) != (named[0] != 0, named[1] != 0) or (
        min(named) < 0 and not rules.allows_negative
    ):
        found.append(f"its prices are not those of a {record.type.value} order")
    if record.limit_price_units % rules.tick or record.stop_price_units % rules.tick:
        found.append("its price is not on the tick")
    reference = record.reference_price_units
    if reference == 0 or (reference < 0 and not rules.allows_negative):
        found.append("made before the symbol had shown a price")
    if not (rules.takes_orders(record.ts_ns) or order.is_exit):
        found.append("made outside the instrument's hours")
    return found


def _size_problems(order: OpenOrder, book: SymbolBook) -> list[str]:
    rules, found = book.rules, []
    most = rules.order_quantity_max
    if most and order.quantity > most:
        found.append(f"{order.quantity} units, max_order_quantity is {most}")
    value = rules.value(order.judged_price, order.quantity)
    if rules.order_notional_max and value > rules.order_notional_max:
        found.append(f"worth {value} money units, max_order_notional is {rules.order_notional_max}")
    if value < rules.notional_min:
        found.append("worth less than the instrument's min_notional")
    worst = order.sign * book.position + book.in_flight(order.is_buy) + order.quantity
    if rules.position_max and worst > rules.position_max and not order.reduce_only:
        found.append(
            f"a position of {worst} units could result, max_position is {rules.position_max}"
        )
    return found


def _price_problems(record: OrderRecord, book: SymbolBook) -> list[str]:
    collar, reference = book.rules.collar, record.reference_price_units
    if not collar:
        return []
    for price in (record.limit_price_units, record.stop_price_units):
        if price and abs(price - reference) * 10**9 > abs(reference) * collar:
            return [f"its price {price} is outside price_collar of {reference} (price units)"]
    return []
