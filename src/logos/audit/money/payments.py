"""Payments over time, worked out again: funding, the cost of borrowing, interest.

Each payment of the journal is recomputed from the settings and from what the independent auditor
says was held, in fractions, and rounded down once. Between two records nothing that is held
changes, so what was due in between follows from the settings; a payment that is missing is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

import msgspec

from logos.audit.auditor import Auditor, State
from logos.audit.money.carried import carry_of
from logos.config import Config, FundingSettings
from logos.config.terms.payments import is_charged
from logos.core.records import PaymentRecord

_DAY: Final = 86_400 * 10**9
_MINUTE: Final = 60 * 10**9
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_DAYS: Final = 365

_Key = tuple[str, str, int]
"""Type, symbol or currency, moment."""


@dataclass(slots=True)
class _Funding:
    """Moments and rates of one symbol: of every day, or each of its own."""

    rate: Fraction
    times: list[int]
    own: dict[int, Fraction]

    @classmethod
    def of(cls, settings: FundingSettings) -> _Funding:
        own = {}
        for text in settings.rates:
            moment, _, rate = text.partition(" ")
            passed = datetime.fromisoformat(moment) - _EPOCH
            whole = (passed.days * 86_400 + passed.seconds) * 10**9 + passed.microseconds * 1000
            own[whole] = Fraction(rate)
        minutes = [text.split(":") for text in settings.times]
        times = [(int(hour) * 60 + int(minute)) * _MINUTE for hour, minute in minutes]
        return cls(Fraction(settings.rate), times, own)

    def at(self, ts_ns: int) -> Fraction:
        if self.own:
            return self.own.get(ts_ns, Fraction(0))
        return self.rate if ts_ns % _DAY in self.times else Fraction(0)

    def between(self, after_ns: int, until_ns: int) -> Iterator[int]:
        """The moments after the one and up to the other at which something is due."""
        if self.own:
            yield from (each for each in self.own if after_ns < each <= until_ns)
        elif self.rate:
            for day in range(after_ns // _DAY, until_ns // _DAY + 1):
                yield from (
                    day * _DAY + each
                    for each in self.times
                    if after_ns < day * _DAY + each <= until_ns
                )


class PaymentAudit:
    """Give it every payment, and the time of every record before what it does is booked."""

    def __init__(self, config: Config, auditor: Auditor) -> None:
        self._auditor = auditor
        self._funding = {
            symbol: _Funding.of(each.funding)
            for symbol, each in config.instruments.items()
            if each.funding is not msgspec.UNSET
        }
        self._borrow = {
            symbol: Fraction(each.borrow_rate)
            for symbol, each in config.instruments.items()
            if each.borrow_rate
        }
        interest = config.account.interest
        self._interest = {
            currency: Fraction(rate)
            for currency, rate in ({} if interest is msgspec.UNSET else interest).items()
        }
        self._is_charged = is_charged(config)
        self._paid: set[_Key] = set()
        carry = carry_of(config)
        self._last_ns: int | None = None if carry is None else carry.ended_ns
        self.is_used = bool(self._funding or self._borrow or self._interest)

    def pass_time(self, ts_ns: int) -> list[str]:
        """The session has come to `ts_ns`; what should have been paid by then and was not."""
        last_ns, missing = self._last_ns, list[str]()
        if self.is_used and last_ns is not None and ts_ns > last_ns:
            held = self._auditor.state()
            for key in self._due(held, last_ns, ts_ns):
                if key not in self._paid:
                    kind, name, moment = key
                    missing.append(f"no {kind} of {name} at {moment} ns, and it was due")
        if last_ns is not None and ts_ns > last_ns:
            self._paid.clear()
        if last_ns is None or ts_ns > last_ns:
            self._last_ns = ts_ns
        return missing

    def _due(self, held: State, after_ns: int, until_ns: int) -> Iterator[_Key]:
        for symbol, funding in self._funding.items():
            if held.symbols[symbol].position:
                for moment in funding.between(after_ns, until_ns):
                    if funding.at(moment):
                        yield "funding", symbol, moment
        for day in range(after_ns // _DAY + 1, until_ns // _DAY + 1):
            for symbol in self._borrow:
                if self._borrowed(symbol, held, Fraction(1)):
                    yield "borrow", symbol, day * _DAY
            for currency, rate in self._interest.items():
                if rate and held.wallets.get(currency, Fraction(0)) < 0:
                    yield "interest", currency, day * _DAY

    def judge(self, record: PaymentRecord) -> list[str]:
        """What is wrong with a payment; it is booked as it should be."""
        if record.type == "charge":
            return self._judge_charge(record)
        found = self.pass_time(record.ts_ns - 1)
        held = self._auditor.state()
        name = record.symbol or record.currency
        self._paid.add((record.type, name, record.ts_ns))
        unit = Fraction(1, 10**record.money_decimals)
        quantity, due, rate = self._expected(record, held)
        amount = due // unit * unit
        self._auditor.book_payment(record.currency, amount)
        said = {
            "quantity": (_amount(record.quantity_units, record.quantity_decimals), quantity),
            "rate": (_amount(record.rate_units, 9), rate),
            "amount": (record.amount_units * unit, amount),
            "payments": (record.payments_units * unit, self._auditor.payments(record.currency)),
            "wallet": (record.wallet_units * unit, self._auditor.wallet(record.currency)),
        }
        return found + [
            f"{record.type} of {name}: {what} is {float(there)}, and by the settings {float(mine)}"
            for what, (there, mine) in said.items()
            if there != mine
        ]

    def _judge_charge(self, record: PaymentRecord) -> list[str]:
        """What is wrong with a charge: how much it is only its venue knows."""
        found = self.pass_time(record.ts_ns - 1)
        unit = Fraction(1, 10**record.money_decimals)
        self._auditor.book_payment(record.currency, record.amount_units * unit)
        said = {
            "payments": (record.payments_units * unit, self._auditor.payments(record.currency)),
            "wallet": (record.wallet_units * unit, self._auditor.wallet(record.currency)),
        }
        name = f"charge of {record.currency}"
        found += [
            f"{name}: {what} is {float(there)}, and by what was booked {float(mine)}"
            for what, (there, mine) in said.items()
            if there != mine
        ]
        if not self._is_charged:
            found.append(f"{name}: no venue charges a session of these settings")
        if record.amount_units >= 0 or record.symbol or record.quantity_units or record.rate_units:
            found.append(f"{name}: it is no cost of a currency alone")
        return found

    def _expected(self, record: PaymentRecord, held: State) -> tuple[Fraction, Fraction, Fraction]:
        """Quantity, exact amount and rate; nothing at all where nothing was due."""
        symbol, nothing = record.symbol, (Fraction(0), Fraction(0), Fraction(0))
        if record.type == "interest":
            balance = held.wallets.get(record.currency, Fraction(0))
            rate = self._interest.get(record.currency, Fraction(0))
            is_due = balance < 0 and record.ts_ns % _DAY == 0
            return (balance, balance * rate / _YEAR_DAYS, rate) if is_due else nothing
        if symbol not in held.symbols:
            return nothing
        mark = _amount(record.mark_units, record.price_decimals)
        terms = self._auditor.terms(symbol)
        money = Fraction(1, 10**record.money_decimals)
        if record.type == "funding" and symbol in self._funding:
            position, rate = held.symbols[symbol].position, self._funding[symbol].at(record.ts_ns)
            return position, -terms.value(mark, position, money) * rate, rate
        if record.type == "borrow" and symbol in self._borrow and record.ts_ns % _DAY == 0:
            unit = Fraction(1, 10**record.quantity_decimals)
            quantity, rate = self._borrowed(symbol, held, unit), self._borrow[symbol]
            # A short's value is below zero: what it costs is, too.
            return quantity, terms.value(mark, quantity, money) * rate / _YEAR_DAYS, rate
        return nothing

    def _borrowed(self, symbol: str, held: State, unit: Fraction) -> Fraction:
        """What is short and borrowed, below zero or 0, in whole units."""
        position = min(held.symbols[symbol].position, Fraction(0))
        terms = self._auditor.terms(symbol)
        if terms.settlement != "spot":
            return position
        owed = min(held.wallets.get(terms.base, Fraction(0)), Fraction(0))
        return max(position, owed // unit * unit)


def _amount(units: int, decimals: int) -> Fraction:
    return units / Fraction(10) ** decimals
