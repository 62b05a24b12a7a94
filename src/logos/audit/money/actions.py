"""Splits and dividends worked out again: what the lots, the wallets and the cash must be.

In exact fractions, by code of its own: a lot that is split keeps its cost, so its price per unit is
rounded down to the price's last decimal and the rest of the cost stays with it. What is left of the
last unit leaves with its part of the newest lot's cost and is paid at the last price, rounded down.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from logos.audit.auditor import Auditor
from logos.audit.csv_cells import plain
from logos.audit.money.lots import Units
from logos.config import Config
from logos.config.actions import Dividend, Split, actions_of
from logos.core.records import CorporateActionRecord


def _units(record: CorporateActionRecord) -> Units:
    """The smallest amounts that the record can tell."""
    decimals = (
        *(record.quantity_decimals, record.price_decimals),
        *(record.money_decimals, record.base_decimals),
    )
    return Units(*(1 / Fraction(10) ** each for each in decimals))


class ActionAudit:
    """Takes the splits and dividends of one journal into the books of an auditor."""

    def __init__(self, config: Config, auditor: Auditor) -> None:
        self._auditor = auditor
        self._expected = {
            symbol: [(each.ts_ns, self._terms(each)) for each in actions_of(settings)]
            for symbol, settings in config.instruments.items()
        }

    @staticmethod
    def _terms(action: Split | Dividend) -> tuple[Fraction, Fraction]:
        """Units for one unit, and money for each."""
        if isinstance(action, Split):
            return Fraction(action.new, action.old), Fraction(0)
        return Fraction(0), Fraction(action.amount)

    def apply(self, record: CorporateActionRecord) -> Iterator[tuple[str, str, str]]:
        """Take one in; what, what is said and what was worked out of everything that differs."""
        units = _units(record)
        ratio = Fraction(record.new, record.old) if record.old else Fraction(0)
        amount = Fraction(record.amount_units, 10**record.amount_decimals)
        known = self._expected.get(record.symbol, [])
        if (record.due_ns, (ratio, amount)) not in known:
            yield "the action", f"{ratio or amount}", "none of the settings"
        while known and known[0][0] <= record.due_ns:  # each is carried out once, in order
            if known.pop(0) == (record.due_ns, (ratio, amount)):
                break
        if ratio:
            prices = record.price_units * units.price, record.bid_units * units.price
            cash, cost = self._auditor.split(record.symbol, ratio, prices, units)
        else:
            cash, cost = self._auditor.pay(record.symbol, amount, units.money), Fraction(0)
        state = self._auditor.state()
        symbol = state.symbols[record.symbol]
        wallet = state.currencies[self._auditor.currency(record.symbol)].wallet
        for what, said, mine in (
            ("cash", record.cash_units * units.money, cash),
            ("realised", record.realised_units * units.money, cash - cost),
            ("position", record.position_units * units.quantity, symbol.position),
            ("symbol_realised", record.symbol_realised_units * units.money, symbol.realised),
            ("wallet", record.wallet_units * units.money, wallet),
        ):
            if said != mine:
                yield what, plain(said), plain(mine)
