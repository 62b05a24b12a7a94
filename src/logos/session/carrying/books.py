"""What a session holds, worked out from its journal.

The problem: a session of another version cannot be run again, and its last files hold its books in
part. The journal holds every fill, split and payment. So the fills are booked once more, first in
first out, and each must come to what its record says: lots, profit, fees, position, wallet. At
each sample the books must be those of the sample. A journal that is whole and does not add up is
refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

import msgspec

from logos.config import BALANCE_DEFAULT, Config, InstrumentSettings
from logos.config.tables.carry import CarrySettings
from logos.core.inventory import Inventory
from logos.core.records import (
    AccountRecord,
    CorporateActionRecord,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    PaymentRecord,
    PositionRecord,
)
from logos.core.types import NS_PER_DAY, NS_PER_SECOND, MarkRule, OrderStatus, Side
from logos.errors import ConfigError
from logos.journal.entries import SessionRecord
from logos.session.carrying.lots import read_lot

_OVER: Final = (
    OrderStatus.FILLED,
    OrderStatus.CANCELLED,
    OrderStatus.REJECTED,
    OrderStatus.EXPIRED,
)


class CarryError(ConfigError):
    """What a session holds cannot be carried into another; the message says why."""


class HeldSymbol(msgspec.Struct):
    """One symbol; units are those of its records."""

    inventory: Inventory
    prices: int
    quantities: int
    money: int
    is_spot: bool
    base: str
    quote: str
    realised: int = 0
    fees: int = 0
    mark: Fraction = Fraction(0)
    """What it was valued at last, as an amount of money."""
    actions_ns: int = 0

    @property
    def position(self) -> Fraction:
        """What is held, signed."""
        return Fraction(self.inventory.position, 10**self.quantities)


class HeldMoney(msgspec.Struct):
    """One currency, in units of `10**-decimals`."""

    decimals: int
    initial: int
    payments: int = 0
    high_water: int = 0
    max_drawdown: int = 0
    equity: int = 0
    day: int = -1
    day_start: int = 0
    paid: list[tuple[int, int]] = msgspec.field(default_factory=list)
    """Payments since the last sample: when, how much."""


class Books:
    """Give it every record of a journal behind the manifest, in order."""

    def __init__(self, config: Config) -> None:
        """`config` is the session's own. Raises CarryError for symbols it has no instrument of."""
        self._config = config
        interval_ns = config.session.sample_interval_s * NS_PER_SECOND
        self._shows_days = interval_ns > 0 and NS_PER_DAY % interval_ns == 0
        quotes = dict.fromkeys(each.quote for each in config.instruments.values())
        balances = config.account.balances or dict.fromkeys(quotes, BALANCE_DEFAULT)
        self.initial = {asset: Fraction(amount) for asset, amount in balances.items()}
        self.wallets = dict(self.initial)
        self.symbols: dict[str, HeldSymbol] = {}
        self.money: dict[str, HeldMoney] = {}
        self.losses = 0
        self.ended_ns = 0
        self._open: dict[int, str] = {}
        self._carried: CarrySettings | None = None
        if config.carry is not msgspec.UNSET:
            self._carried = config.carry
            self.losses, self.ended_ns = config.carry.losses, config.carry.ended_ns
            self.wallets |= {asset: Fraction(each) for asset, each in config.carry.balances.items()}

    @property
    def left(self) -> list[str]:
        """Orders that are open, by client id, oldest first."""
        return list(self._open.values())

    def see(self, record: SessionRecord) -> None:
        """Take in the next record. Raises CarryError where it does not follow."""
        self.ended_ns = max(self.ended_ns, getattr(record, "ts_ns", 0))
        if isinstance(record, PaperFillRecord):
            self._fill(record)
        elif isinstance(record, PositionRecord):
            self._position(record)
        elif isinstance(record, AccountRecord):
            self._account(record)
        elif isinstance(record, OrderRecord):
            self._open[record.order_id] = record.client_order_id
        elif isinstance(record, OrderUpdate):
            if record.status in _OVER:
                self._open.pop(record.order_id, None)
        elif isinstance(record, CorporateActionRecord):
            self._action(record)
        elif isinstance(record, PaymentRecord):
            self._payment(record)

    def close(self) -> None:
        """There are no more records: see what the day began with."""
        day = self.ended_ns // NS_PER_DAY
        for money in self.money.values():
            if money.day != day:  # no sample shows how it began: the strictest it can have been
                money.day_start = max(money.day_start, money.equity)

    # ---- fills ----

    def _fill(self, record: PaperFillRecord) -> None:
        held = self._of(record.symbol, record)
        sign = 1 if record.side is Side.BUY else -1
        if record.base_fee_units:
            raise CarryError("a venue took fees in the asset: this was no paper session")
        booking = held.inventory.apply_fill(
            sign * record.quantity_units, record.price_units, record.fee_units, record.ts_ns
        )
        held.realised += booking.realised
        held.fees += record.fee_units
        held.mark = Fraction(record.price_units, 10**held.prices)
        if held.is_spot:
            value = record.quantity_units * record.price_units * held.inventory.unit_value
            change = -sign * value - record.fee_units
            self._add(held.base, Fraction(sign * record.quantity_units, 10**held.quantities))
        else:
            change = booking.realised - record.fee_units
        self._add(held.quote, Fraction(change, 10**held.money))
        self._same(
            f"fill {record.fill_id}",
            lots=(tuple(booking.closures), record.lots),
            lot_opened=(
                (booking.opened_lot_id, booking.opened_quantity),
                (record.opened_lot_id, record.opened_units),
            ),
            realised=(booking.realised, record.realised_units),
            position=(held.inventory.position, record.position_units),
            symbol_realised=(held.realised, record.symbol_realised_units),
            symbol_fees=(held.fees, record.symbol_fees_units),
            wallet=(self.wallets[held.quote], Fraction(record.wallet_units, 10**held.money)),
        )
        if booking.closures:
            profit = sum(lot.pnl_units - lot.fee_units for lot in booking.closures)
            self.losses = self.losses + 1 if profit < 0 else 0

    def _add(self, asset: str, amount: Fraction) -> None:
        self.wallets[asset] = self.wallets.get(asset, Fraction(0)) + amount

    # ---- splits, dividends, payments ----

    def _action(self, record: CorporateActionRecord) -> None:
        held = self._of(record.symbol, record)
        held.actions_ns = record.due_ns
        if record.new:
            new, old = record.new, record.old
            own = self.wallets.get(held.base, Fraction(0)) - held.position if held.is_spot else None
            held.inventory.apply_split(new, old)
            if own is not None:
                unit = Fraction(1, 10**record.base_decimals)
                self.wallets[held.base] = held.position + own * new / old // unit * unit
            held.mark = held.mark * old / new
        held.realised += record.realised_units
        cash = record.cash_units if held.is_spot else record.realised_units
        self._add(held.quote, Fraction(cash, 10**held.money))
        self._same(
            f"corporate action in {record.symbol}",
            position=(held.inventory.position, record.position_units),
            symbol_realised=(held.realised, record.symbol_realised_units),
            wallet=(self.wallets[held.quote], Fraction(record.wallet_units, 10**held.money)),
        )

    def _payment(self, record: PaymentRecord) -> None:
        money = self._money(record.currency, record.money_decimals)
        money.payments += record.amount_units
        money.paid.append((record.ts_ns, record.amount_units))
        self._add(record.currency, Fraction(record.amount_units, 10**money.decimals))
        self._same(
            f"{record.type} in {record.currency}",
            payments=(money.payments, record.payments_units),
            wallet=(
                self.wallets[record.currency],
                Fraction(record.wallet_units, 10**money.decimals),
            ),
        )

    # ---- samples ----

    def _position(self, record: PositionRecord) -> None:
        held = self._of(record.symbol, record, is_sample=True)
        if record.mark_units:
            held.mark = Fraction(record.mark_units, 10**record.price_decimals)
        self._same(
            f"sample of {record.symbol}",
            position=(held.inventory.position, record.position_units),
            cost=(held.inventory.cost, record.cost_units),
            realised=(held.realised, record.realised_units),
            fees=(held.fees, record.fees_units),
            open_lots=(len(held.inventory.lots()), record.open_lots),
        )

    def _account(self, record: AccountRecord) -> None:
        money = self._money(record.currency, record.money_decimals)
        scale = 10**money.decimals
        self._same(
            f"sample of {record.currency}",
            initial=(money.initial, record.initial_units),
            balance=(
                self.wallets.get(record.currency, Fraction(0)),
                Fraction(record.balance_units, scale),
            ),
            realised=(
                self.total(record.currency, "realised"),
                Fraction(record.realised_units, scale),
            ),
            fees=(self.total(record.currency, "fees"), Fraction(record.fees_units, scale)),
            payments=(money.payments, record.payments_units),
        )
        self._day(money, record)
        money.high_water, money.max_drawdown = record.high_water_units, record.max_drawdown_units
        money.equity = record.equity_units
        money.paid.clear()

    def _day(self, money: HeldMoney, record: AccountRecord) -> None:
        """What equity was when the UTC day of this sample began."""
        if record.ts_ns == 0:
            return  # the session ended before its first event
        day = record.ts_ns // NS_PER_DAY
        is_first = money.day < 0
        if day == money.day:
            if not self._shows_days:
                money.day_start = max(money.day_start, record.equity_units)
            return
        is_carried_day = self._carried is not None and self._carried.ended_ns // NS_PER_DAY == day
        if not (is_first and is_carried_day):  # else it is what was carried
            today = sum(amount for ts_ns, amount in money.paid if ts_ns >= day * NS_PER_DAY)
            began = record.equity_units - today
            money.day_start = began if is_first or self._shows_days else max(began, money.equity)
        money.day = day

    # ---- what there is ----

    def total(self, currency: str, name: str) -> Fraction:
        """Realised profit or fees of a currency, with those of symbols that are not traded."""
        mine = [each for each in self.symbols.values() if each.quote == currency]
        units = sum(getattr(each, name) for each in mine)
        others = self._left_out(currency)[name == "fees"]
        return Fraction(units, 10 ** self.money[currency].decimals) + others

    def instrument(self, symbol: str) -> InstrumentSettings:
        """The settings of a symbol."""
        return self._config.instruments[symbol]

    def _of(
        self,
        symbol: str,
        record: PaperFillRecord | CorporateActionRecord | PositionRecord,
        *,
        is_sample: bool = False,
    ) -> HeldSymbol:
        held = self.symbols.get(symbol)
        if held is not None:
            return held
        if not is_sample:
            raise CarryError(f"the journal says nothing of {symbol} before it is traded")
        settings = self._config.instruments.get(symbol)
        if settings is None:
            raise CarryError(f"its settings have no instrument {symbol!r}")
        # The mark has a decimal more where it is the middle of two prices.
        prices = record.price_decimals - (settings.mark is MarkRule.MID)
        quantities, money = record.quantity_decimals, record.money_decimals
        is_inverse = settings.settlement == "inverse"
        scale = money - quantities + (prices if is_inverse else -prices)
        unit = Fraction(settings.multiplier) * Fraction(10) ** scale
        if unit.denominator != 1:
            raise CarryError(f"{symbol}: its money has too few decimals for its prices")
        held = HeldSymbol(
            Inventory(int(unit), is_inverse),
            prices,
            quantities,
            money,
            settings.settlement == "spot",
            settings.base or symbol,
            settings.quote,
        )
        self.symbols[symbol] = held
        self._begin_symbol(symbol, held)
        return held

    def _begin_symbol(self, symbol: str, held: HeldSymbol) -> None:
        """What the session itself had taken over of the symbol."""
        carried = None if self._carried is None else self._carried.symbols.get(symbol)
        if carried is None:
            return
        scales = held.prices, held.quantities, held.money
        lots = [read_lot(text, *scales) for text in carried.lots]
        held.inventory.take_over(lots, carried.next_lot)
        held.realised = int(Fraction(carried.realised) * 10**held.money)
        held.fees = int(Fraction(carried.fees) * 10**held.money)
        held.actions_ns = carried.actions_ns

    def _money(self, currency: str, decimals: int) -> HeldMoney:
        money = self.money.get(currency)
        if money is None:
            scale = 10**decimals
            initial = self.initial.get(currency, Fraction(0))
            money = self.money[currency] = HeldMoney(decimals, int(initial * scale))
            if self._carried is not None:
                money.payments = _units(self._carried.payments, currency, scale)
                money.day_start = _units(self._carried.day_start, currency, scale)
        return money

    def _left_out(self, currency: str) -> tuple[Fraction, Fraction]:
        """Profit and fees that the session took over of symbols that it does not trade."""
        if self._carried is None:
            return Fraction(0), Fraction(0)
        return left_out(self._carried, currency, self._config.instruments)

    def _same(self, what: str, **figures: tuple[object, object]) -> None:
        for name, (mine, said) in figures.items():
            if mine != said:
                raise CarryError(f"{what}: {name} does not follow from the records before it")


def left_out(
    carry: CarrySettings, currency: str, traded: Mapping[str, object]
) -> tuple[Fraction, Fraction]:
    """Profit and fees of a currency that were carried and are of no symbol that is `traded`."""
    mine = [each for name, each in carry.symbols.items() if name in traded]
    mine = [each for each in mine if each.quote == currency]
    take: Callable[[Mapping[str, object]], Fraction] = lambda table: Fraction(  # noqa: E731
        str(table.get(currency, 0))
    )
    realised = take(carry.realised) - sum((Fraction(each.realised) for each in mine), Fraction(0))
    return realised, take(carry.fees) - sum((Fraction(each.fees) for each in mine), Fraction(0))


def _units(table: Mapping[str, object], currency: str, scale: int) -> int:
    return int(Fraction(str(table.get(currency, 0))) * scale)
