"""Exposure and losses judged again: what an order's ledger showed, against the settings.

An order's record holds gross and net exposure and equity as they stood when it was made, where a
limit asks for them. What it holds is not simply believed: it must agree with the positions and
cash that follow from the fills, and with the mark where the record shows that.

- Gross exposure is judged with the open orders of one side of each symbol filled, each at the
  highest price that any of its side was judged at. Where the journal leaves a price open, the
  least that it can have been is taken: nothing is called a breach that may have been none.
- A fall of equity is measured from the highest level that the journal shows, which may be less
  than the highest there was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from logos.audit.gatekeeping import Found
from logos.audit.money.carried import carry_of, cash_of
from logos.audit.open_orders import OpenOrder, SymbolBook
from logos.audit.rules import MoneyRules, SessionRules, share_of
from logos.core.records import (
    AccountRecord,
    CorporateActionRecord,
    GuardRecord,
    LedgerAtOrder,
    OrderRecord,
    PaperFillRecord,
    PaymentRecord,
)
from logos.core.types import NS_PER_DAY, NS_PER_SECOND, Code

_TRADED: Final = "its ledger does not agree with the fills before it"


@dataclass(slots=True)
class _Money:
    """One currency, in ledger units. `high_water` is the highest equity that the journal shows."""

    rules: MoneyRules
    high_water: int
    day: int = -1
    day_start: int | None = None
    """Equity when the UTC day began; None where the journal does not show it."""
    cash: int = 0
    """What fills paid and received, fees included; equity is the initial balance, this, and the
    net worth of the positions."""
    is_exact: bool = True
    """Whether `cash` is all: a fee in the traded asset also takes from the position."""
    tripped: set[Code] = field(default_factory=set)
    fell_before: int = 0
    """The deepest fall of the session that was carried on, under the limits that it had."""


class ExposureJudge:
    """Judges exposure, drawdown and the day's loss of every currency."""

    def __init__(
        self,
        rules: SessionRules,
        books: Mapping[str, SymbolBook],
        found: Found,
        *,
        has_ledger: bool,
    ) -> None:
        self._rules = rules
        self._books = books
        self._found = found
        self._has_ledger = has_ledger
        interval_ns = rules.config.session.sample_interval_s * NS_PER_SECOND
        self._shows_days = interval_ns > 0 and NS_PER_DAY % interval_ns == 0
        self._money: dict[str, _Money] = {}
        self._fill_tick_id = -1

    def _of(self, currency: str, decimals: int) -> _Money:
        money = self._money.get(currency)
        if money is None:
            rules = self._rules.money(currency, decimals)
            money = self._money[currency] = _Money(rules, rules.initial)
            self._take_over(money, currency, decimals)
        return money

    def _take_over(self, money: _Money, currency: str, decimals: int) -> None:
        """Begin where the session began that took over another one's books."""
        carry = carry_of(self._rules.config)
        if carry is None or currency not in carry.realised:
            return
        scale = 10**decimals
        money.cash = int(cash_of(self._rules.config, currency) * scale)
        money.high_water = int(Fraction(carry.high_water[currency]) * scale)
        money.fell_before = int(Fraction(carry.max_drawdown[currency]) * scale)
        money.day = carry.ended_ns // NS_PER_DAY
        money.day_start = int(Fraction(carry.day_start[currency]) * scale)

    def _has_inverse(self, currency: str) -> bool:
        """Whether contracts are settled in the coin: what a ledger shows follows otherwise then."""
        instruments = self._rules.config.instruments.values()
        return any(each.settlement == "inverse" and each.quote == currency for each in instruments)

    # ---- what the journal shows of a ledger ----

    def see_account(self, sequence: int, record: AccountRecord) -> None:
        """Take in a sample, and see whether a fall that it tells of was noticed."""
        money = self._of(record.currency, record.money_decimals)
        day = record.ts_ns // NS_PER_DAY
        if day != money.day:
            # The first sample of a day stands before its first event, if a sample begins a day.
            is_first = money.day < 0
            money.day_start = record.equity_units if is_first or self._shows_days else None
            money.day = day
        money.high_water = max(money.high_water, record.high_water_units)
        allowance = money.rules.drawdown_allowance(money.high_water)
        fell = record.max_drawdown_units
        if (
            allowance
            and fell > max(allowance, money.fell_before)
            and Code.MAX_DRAWDOWN not in money.tripped
        ):
            money.tripped.add(Code.MAX_DRAWDOWN)
            words = f"equity had fallen by {fell} money units, {allowance} are allowed"
            self._found(sequence, f"{record.currency}: {words}, and no guard tripped")

    def see_guard(self, _sequence: int, record: GuardRecord) -> None:
        """A guard tripped on a ledger."""
        if record.code in (Code.MAX_DRAWDOWN, Code.MAX_DAILY_LOSS):
            for currency, money in self._money.items():
                if record.subject == currency:
                    money.tripped.add(record.code)

    def see_fill(self, order: OpenOrder, record: PaperFillRecord, book: SymbolBook) -> None:
        """Money changed hands."""
        money = self._of(book.rules.quote, book.rules.money_decimals)
        self._fill_tick_id = record.tick_id
        value = book.rules.value(record.price_units, record.quantity_units)
        money.cash -= order.sign * value + record.fee_units
        money.is_exact = money.is_exact and not record.base_fee_units

    def see_cash(self, record: CorporateActionRecord, book: SymbolBook) -> None:
        """A split or a dividend brought money, or took it."""
        money = self._of(book.rules.quote, book.rules.money_decimals)
        money.cash += record.cash_units

    def see_payment(self, _sequence: int, record: PaymentRecord) -> None:
        """Time brought or cost something."""
        self._of(record.currency, record.money_decimals).cash += record.amount_units

    # ---- an order ----

    def judge(self, sequence: int, order: OpenOrder, record: OrderRecord, book: SymbolBook) -> None:
        """Judge an order that is not open yet."""
        money = self._of(book.rules.quote, book.rules.money_decimals)
        rules, shown = money.rules, record.ledger
        if not (rules.limits_exposure or rules.limits_loss or book.rules.limits_shares):
            return
        if self._has_inverse(book.rules.quote):
            return
        name = f"order {order.order_id} of {record.symbol}"
        if shown is None:
            if self._has_ledger:
                words = "does not say what its ledger showed, and a limit asks for it"
                self._found(sequence, f"{name} {words}")
            return
        mine = [each for each in self._books.values() if each.rules.quote == book.rules.quote]
        mark = _mark(order, record, book)
        if self._contradicts(shown, money, mine, book, mark):
            self._found(sequence, f"{name}: {_TRADED}")
        for words in (
            *(() if order.reduce_only else _gross(order, shown, rules, mine, book, mark)),
            *(() if order.reduce_only else _net(order, shown, rules, mine, book)),
            *(() if order.reduce_only else _shares(order, shown, book)),
            *(self._losses(record, shown, money) if book.increase(order) else ()),
        ):
            self._found(sequence, f"{name}: {words}")
        if record.tick_id != self._fill_tick_id:
            # Between a fill and the end of its event equity is a mixture that never was.
            money.high_water = max(money.high_water, shown.equity_units)

    def _contradicts(
        self,
        shown: LedgerAtOrder,
        money: _Money,
        mine: list[SymbolBook],
        book: SymbolBook,
        mark: int,
    ) -> bool:
        """Whether what the record shows of its ledger cannot be, after the fills before it."""
        gross, net = shown.gross_units, shown.net_units
        if money.is_exact and shown.equity_units != money.rules.initial + money.cash + net:
            return True
        held = [each for each in mine if each.position]
        signs = {each.position > 0 for each in held}
        if len(signs) < 2 and abs(net) != gross:
            return True
        least = sum(
            each.rules.value(each.rules.tick, abs(each.position))
            for each in held
            if not each.rules.allows_negative  # it may be worth nothing
        )
        if mark:
            own = book.rules.value(mark, abs(book.position))
            if gross < own or (len(held) == 1 and gross != own):
                return True
        return gross < least or abs(net) > gross or (not held and gross != 0)

    def _losses(self, record: OrderRecord, shown: LedgerAtOrder, money: _Money) -> list[str]:
        found = []
        allowance = money.rules.drawdown_allowance(money.high_water)
        fell = money.high_water - shown.equity_units
        if allowance and fell > allowance:
            found.append(
                f"grows the position, made {fell} money units below the high-water mark; the "
                f"settings allow {allowance}"
            )
        most = money.rules.daily_loss_max
        is_today = record.ts_ns // NS_PER_DAY == money.day
        if most and is_today and money.day_start is not None:
            lost = money.day_start - shown.equity_units
            if lost > most:
                found.append(
                    f"grows the position, made after {lost} money units were lost on the day; "
                    f"max_daily_loss is {most}"
                )
        return found


def _mark(order: OpenOrder, record: OrderRecord, book: SymbolBook) -> int:
    """The price that the symbol's position is valued at, where the order shows it; else 0.

    A long is valued at the bid, which a sale meets; a short at the ask, which a purchase meets,
    unless the settings want another mark.
    """
    closes = order.sign * book.position < 0 and book.rules.is_marked_at_touch
    return abs(record.reference_price_units) if closes else 0


def _gross(
    order: OpenOrder,
    shown: LedgerAtOrder,
    rules: MoneyRules,
    mine: list[SymbolBook],
    book: SymbolBook,
    mark: int,
) -> list[str]:
    if not (rules.gross_max or rules.gross_share):
        return []
    others = sum(_least_increase(each) for each in mine if each is not book)
    growth = _growth(order, book, mark)
    if growth <= 0:
        return []
    worst = shown.gross_units + others + growth
    most = rules.gross_allowance(_equity(order, shown, book))
    if worst <= most:
        return []
    return [f"a gross exposure of {worst} money units could result, the limit is {most}"]


def _growth(order: OpenOrder, book: SymbolBook, mark: int) -> int:
    """The least by which the symbol's worst worth, orders filled, is above what it is worth now;
    0 where the order may not have made that more."""
    rules, is_buy = book.rules, order.is_buy
    price = max(book.top_price[is_buy], order.judged_price)
    same = book.in_flight(is_buy) + order.quantity
    other = rules.value(book.top_price[not is_buy], book.in_flight(not is_buy))
    held = abs(book.position)
    if order.sign * book.position >= 0:
        # The order adds to what is held; orders of the other side could turn the position over.
        turned = rules.value(book.top_price[not is_buy], max(book.in_flight(not is_buy) - held, 0))
        added = rules.value(price, same)
        return added if added > turned else 0
    if not mark:
        return 0  # what it is worth now does not show
    now = rules.value(mark, held)
    before = now + other
    turned = rules.value(price, same - held) if same > held else 0
    return turned - now if turned > before else 0


def _least_increase(book: SymbolBook) -> int:
    """The least that a symbol's open orders could add to its worth."""
    adds = book.position >= 0
    least = book.in_flight(adds) * book.rules.unit_value * book.top_price[adds]
    if book.position == 0:
        other = book.in_flight(not adds) * book.rules.unit_value * book.top_price[not adds]
        return max(least, other)
    return least


def _equity(order: OpenOrder, shown: LedgerAtOrder, book: SymbolBook) -> int:
    """What parts of equity are parts of, in ledger units."""
    return shown.equity_units + book.rules.value(order.judged_price, book.rules.began)


def _shares(order: OpenOrder, shown: LedgerAtOrder, book: SymbolBook) -> list[str]:
    """The parts of equity that an order may add, and a position be worth."""
    rules, found = book.rules, list[str]()
    increase = book.increase(order)
    if not increase:
        return found
    equity = _equity(order, shown, book)
    added = rules.value(order.judged_price, increase)
    most = share_of(equity, rules.order_share)
    if rules.order_share and added > most:
        found.append(f"adds {added} money units, max_order_share comes to {most}")
    worst = order.sign * book.position + book.in_flight(order.is_buy) + order.quantity
    worth = rules.value(order.judged_price, worst)
    most = share_of(equity, rules.position_share)
    if rules.position_share and worth > most:
        found.append(
            f"a position worth {worth} money units could result, max_position_share comes to {most}"
        )
    return found


def _net(
    order: OpenOrder,
    shown: LedgerAtOrder,
    rules: MoneyRules,
    mine: list[SymbolBook],
    book: SymbolBook,
) -> list[str]:
    if not rules.net_max:
        return []
    ahead = sum(each.in_flight_value(order.is_buy) for each in mine)
    value = book.rules.value(order.judged_price, order.quantity)
    worst = order.sign * shown.net_units + ahead + value
    if worst <= rules.net_max:
        return []
    return [f"a net exposure of {worst} money units could result, the limit is {rules.net_max}"]
